"""The operators' routes for dead letters, alike in every service."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from libs.chassis.dead_letters import DeadLetter, PurgeDeadLetter, ReplayDeadLetter, masked
from libs.chassis.documents import from_row
from libs.chassis.http import Cursor, Limit, Obeys, Store, page

router = APIRouter(tags=["dead letters"])


class Purge(BaseModel):
    reason: str = Field(min_length=1, max_length=500)


@router.get("/dead-letters")
async def list_dead_letters(
    store: Store,
    state: Annotated[Literal["parked", "replayed", "purged"] | None, Query()] = None,
    reason: Annotated[str | None, Query(max_length=100)] = None,
    topic: Annotated[str | None, Query(max_length=200)] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """What was parked; neither keys nor contents, which may name a person."""
    wanted = {name: value for name, value in (("state", state), ("reason", reason), ("topic", topic)) if value}
    rows, after = await page(store, DeadLetter.collection, wanted, limit, cursor)
    return {"items": [dict(masked(from_row(DeadLetter, row))) for row in rows], "next": after}


@router.get("/dead-letters/{dead_letter_id}")
async def show_dead_letter(dead_letter_id: str, store: Store) -> dict[str, Any]:
    """One dead letter with its headers' names and its size."""
    rows = await store.find(DeadLetter.collection, {"_id": dead_letter_id})
    if not rows:
        raise HTTPException(404, "there is no such dead letter")
    letter = from_row(DeadLetter, rows[0])
    return dict(masked(letter)) | {
        "bytes": len(letter.value or b""),
        "has_key": letter.key is not None,
        "headers": [name for name, _ in letter.headers],
    }


@router.post("/dead-letters/{dead_letter_id}/replay")
async def replay_dead_letter(dead_letter_id: str, obey: Obeys) -> Response:
    """Handle it again, once, in the transaction of its service."""
    return await obey(ReplayDeadLetter(dead_letter_id=dead_letter_id))


@router.post("/dead-letters/{dead_letter_id}/purge")
async def purge_dead_letter(dead_letter_id: str, purge: Purge, obey: Obeys) -> Response:
    """Drop its bytes and keep the reason."""
    return await obey(PurgeDeadLetter(dead_letter_id=dead_letter_id, reason=purge.reason))
