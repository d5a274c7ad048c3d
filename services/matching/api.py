"""The routes of programmes, people and pairs."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, HTTPException, Path, Query
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from libs.chassis.documents import Document, from_row
from libs.chassis.http import Cursor, IfMatch, Limit, Obeys, Store, page
from libs.chassis.mongo import Database
from libs.chassis.openapi import Page, answers
from libs.contracts.fields import Label, Part
from libs.contracts.ids import ID_PATTERN, PairId, ParticipantId, ProgramId
from libs.contracts.words import PairEndReason, Role
from services.matching.answers import pair_shown, person_shown, program_shown
from services.matching.commands import (
    EndPair,
    EndReason,
    Enrolment,
    EnrolParticipant,
    ProgramWish,
    PublishProgram,
    WithdrawParticipant,
)
from services.matching.shapes import PairShown, PersonAndWhy, PersonShown, ProgramShown
from services.matching.store.pairs import Pair, PairState
from services.matching.store.people import Person, Program
from services.matching.why import CANDIDATES, reasons_of

router = APIRouter()

Id = Annotated[str, Path(pattern=ID_PATTERN)]
D = TypeVar("D", bound=Document)


class EndWish(Part):
    """Why a pair shall end, and who asks for it."""

    reason: EndReason = Field(default=PairEndReason.REQUESTED)
    ended_by: Label | None = None


@router.put(
    "/programs/{program_id}",
    tags=["programmes"],
    responses=answers(ProgramShown, 200, 201, etag=True, location=True),
)
async def publish(program_id: Id, wish: ProgramWish, if_match: IfMatch, obey: Obeys) -> Response:
    """Publish a programme, or its next revision."""
    return await obey(PublishProgram(program_id=ProgramId(program_id), wish=wish, if_match=if_match))


@router.get("/programs/{program_id}", tags=["programmes"], responses=answers(ProgramShown, etag=True))
async def read_program(program_id: Id, store: Store) -> Response:
    """The newest revision."""
    program = await _read_program(store, program_id)
    return JSONResponse(program_shown(program), headers={"ETag": f'"{program.revision}"'})


@router.put(
    "/programs/{program_id}/participants/{participant_id}",
    tags=["participants"],
    responses=answers(PersonShown, 200, 201, etag=True),
)
async def enrol(program_id: Id, participant_id: Id, enrolment: Enrolment, if_match: IfMatch, obey: Obeys) -> Response:
    """Enrol a person, or change the profile. Who was withdrawn returns."""
    return await obey(
        EnrolParticipant(
            program_id=ProgramId(program_id),
            participant_id=ParticipantId(participant_id),
            enrolment=enrolment,
            if_match=if_match,
        )
    )


@router.get(
    "/programs/{program_id}/participants/{participant_id}",
    tags=["participants"],
    responses=answers(PersonAndWhy, etag=True),
)
async def read_participant(program_id: Id, participant_id: Id, store: Store) -> Response:
    """The profile, the pairs, and for who waits the reasons, counted over the candidates."""
    person = await _read(store, Person, f"{program_id}/{participant_id}")
    if person is None or person.profile is None:
        raise HTTPException(404, "nobody of this id was enrolled in this programme: check both ids")
    why = await _why_unmatched(store, person) if person.seeking else None
    return JSONResponse(person_shown(person) | {"unmatched": why}, headers={"ETag": f'"{person.revision}"'})


@router.delete("/programs/{program_id}/participants/{participant_id}", tags=["participants"], status_code=204)
async def withdraw(
    program_id: Id,
    participant_id: Id,
    if_match: IfMatch,
    obey: Obeys,
    reason: Annotated[Label, Query()] = "requested",
) -> Response:
    """The person leaves the programme; their pairs end."""
    return await obey(
        WithdrawParticipant(
            program_id=ProgramId(program_id),
            participant_id=ParticipantId(participant_id),
            reason=reason,
            if_match=if_match,
        )
    )


@router.get("/programs/{program_id}/pairs", tags=["pairs"], response_model=None, responses=answers(Page[PairShown]))
async def list_pairs(
    program_id: Id,
    store: Store,
    state: Annotated[PairState | None, Query()] = None,
    participant_id: Annotated[str | None, Query(pattern=ID_PATTERN)] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """The pairs of a programme in the order of their making, those of one person, or those in one state."""
    await _read_program(store, program_id)
    wanted: dict[str, Any] = {"program_id": program_id} | ({"state": state.value} if state else {})
    if participant_id:
        wanted["$or"] = [{"mentor_id": participant_id}, {"mentee_id": participant_id}]
    rows, after = await page(store, Pair.collection, wanted, limit, cursor)
    return {"items": [pair_shown(from_row(Pair, row)) for row in rows], "next": after}


@router.get("/pairs/{pair_id}", tags=["pairs"], response_model=None, responses=answers(PairShown))
async def read_pair(pair_id: Id, store: Store) -> dict[str, Any]:
    """Who mentors whom, and why."""
    pair = await _read(store, Pair, pair_id)
    if pair is None or pair.state is PairState.UNKNOWN:
        raise HTTPException(404, "there is no such pair: GET /programs/{program_id}/pairs lists them")
    return pair_shown(pair)


@router.post("/pairs/{pair_id}/end", tags=["pairs"], responses=answers(PairShown))
async def end(pair_id: Id, wish: EndWish, obey: Obeys) -> Response:
    """End a pair; the two are not paired with each other again within the cool-down."""
    return await obey(EndPair(pair_id=PairId(pair_id), reason=wish.reason, ended_by=wish.ended_by))


async def _read(store: Database, kind: type[D], id: str) -> D | None:
    rows = await store.find(kind.collection, {"_id": id})
    return from_row(kind, rows[0]) if rows else None


async def _read_program(store: Database, program_id: str) -> Program:
    program = await _read(store, Program, program_id)
    if program is None or program.published is None:
        raise HTTPException(404, "there is no such programme: check the id, or PUT it at /programs/{program_id}")
    return program


async def _why_unmatched(store: Database, person: Person) -> dict[str, Any] | None:
    program = await _read(store, Program, person.program_id)
    if program is None or program.published is None:
        return None
    other = Role.MENTEE if person.role == Role.MENTOR else Role.MENTOR
    filter = {"program_id": person.program_id, "seeking": {"$in": [True, False]}, "role": other.value}
    rows: Sequence[dict[str, Any]] = await store.find(Person.collection, filter, limit=CANDIDATES)
    return await asyncio.to_thread(reasons_of, program.published, person, rows, store.now())
