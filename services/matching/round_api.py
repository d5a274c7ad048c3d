"""The routes of rounds."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response
from pydantic import Field
from uuid_utils import uuid7

from libs.chassis.documents import from_row
from libs.chassis.http import Cursor, Limit, Obeys, Store, page
from libs.chassis.mongo import Database
from libs.chassis.openapi import Page, answers
from libs.contracts.ids import ProgramId, RoundId
from services.matching.answers import round_shown
from services.matching.api import Id
from services.matching.commands import AskForRound
from services.matching.handlers.rounds import LISTS_KEPT
from services.matching.shapes import PairFound, PersonFound, RoundShown
from services.matching.store.rounds import Attempt, Finding, Round, RoundWish, results

router = APIRouter(tags=["rounds"])


class RoundBody(RoundWish):
    """What a round is asked for, and its id."""

    round_id: Annotated[RoundId | None, Field()] = None
    """A new one unless said. The same id again is the same round."""


@router.post("/programs/{program_id}/rounds", status_code=202, responses=answers(RoundShown, 202, location=True))
async def ask(program_id: Id, obey: Obeys, body: RoundBody | None = None) -> Response:
    """Ask for a round over everybody who waits; a dry run tells all and changes nothing."""
    body = body or RoundBody()
    wish = RoundWish.model_validate(body.model_dump(exclude={"round_id"}))
    round_id = body.round_id or RoundId(str(uuid7()))
    return await obey(AskForRound(program_id=ProgramId(program_id), round_id=round_id, wish=wish))


@router.get("/programs/{program_id}/rounds", response_model=None, responses=answers(Page[RoundShown]))
async def list_rounds(program_id: Id, store: Store, limit: Limit = 100, cursor: Cursor = None) -> dict[str, Any]:
    """The rounds of a programme, in the order of their ids."""
    rows, after = await page(store, Round.collection, {"program_id": program_id}, limit, cursor)
    return {"items": [round_shown(from_row(Round, row)) for row in rows], "next": after}


@router.get("/programs/{program_id}/rounds/{round_id}", response_model=None, responses=answers(RoundShown))
async def read_round(program_id: Id, round_id: Id, store: Store) -> dict[str, Any]:
    """How far it is and how good its plan is."""
    round = await _read(store, program_id, round_id)
    newest = await store.find(Attempt.collection, {"round": round.id}, sort=[("_id", -1)], limit=1)
    return round_shown(round, from_row(Attempt, newest[0]) if newest else None)


@router.get("/programs/{program_id}/rounds/{round_id}/pairs", response_model=None, responses=answers(Page[PairFound]))
async def list_its_pairs(
    program_id: Id, round_id: Id, store: Store, limit: Limit = 100, cursor: Cursor = None
) -> dict[str, Any]:
    """The pairs of its plan with their rationale."""
    return await _findings(store, program_id, round_id, "pairs", limit, cursor)


@router.get(
    "/programs/{program_id}/rounds/{round_id}/unmatched", response_model=None, responses=answers(Page[PersonFound])
)
async def list_its_unmatched(
    program_id: Id, round_id: Id, store: Store, limit: Limit = 100, cursor: Cursor = None
) -> dict[str, Any]:
    """The people whom its plan leaves alone, with the reasons."""
    return await _findings(store, program_id, round_id, "unmatched", limit, cursor)


async def _read(store: Database, program_id: str, round_id: str) -> Round:
    rows = await store.find(Round.collection, {"_id": f"{program_id}/{round_id}"})
    if not rows:
        raise HTTPException(404, "there is no such round: GET /programs/{program_id}/rounds lists them")
    return from_row(Round, rows[0])


async def _findings(
    store: Database, program_id: str, round_id: str, kind: str, limit: int, cursor: str | None
) -> dict[str, Any]:
    round = await _read(store, program_id, round_id)
    if round.lists_dropped:
        raise HTTPException(404, f"the lists of a round are kept for {LISTS_KEPT.days} days: ask for another round")
    rows, after = await page(store, Finding.collection, {"results": results(round.attempt, kind)}, limit, cursor)
    return {"items": [row["shown"] for row in rows], "next": after}
