"""The routes of scheduling: meetings, what people wish for them, and warning signs."""

from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, HTTPException, Path, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from libs.chassis.documents import from_row
from libs.chassis.http import Cursor, IfMatch, Limit, Obeys, Store, page
from libs.chassis.openapi import Page, answers
from libs.contracts.fields import Comment, Stars, Text, Time, Topics
from libs.contracts.ids import ID_PATTERN, SessionId
from libs.contracts.words import Role
from services.scheduling.commands import CancelSession, CompleteSession, ConfirmSession, MarkAbsent, MoveSession
from services.scheduling.shapes import SessionShown, WarningShown
from services.scheduling.store.pairs import Pair
from services.scheduling.store.sessions import Session, SessionState

router = APIRouter(tags=["sessions"])

SessionPath = Annotated[SessionId, Path(pattern=ID_PATTERN)]
IdQuery = Annotated[str | None, Query(pattern=ID_PATTERN)]


class Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Confirm(Wish):
    by: Role


class Move(Wish):
    starts_at: Time | None = None
    """The wished time; without it the next common slot is taken."""
    reason: Text | None = None


class Cancel(Wish):
    reason: Annotated[Text, Field(min_length=1)]


class Complete(Wish):
    by: Role
    started_at: Time | None = None
    ended_at: Time | None = None
    topics: Topics = ()
    rating: Stars | None = None
    comment: Annotated[Comment | None, Field(repr=False)] = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.started_at and self.ended_at and self.ended_at < self.started_at:
            raise ValueError("ended_at must not be before started_at")
        if self.comment and self.rating is None:
            raise ValueError("a comment needs a rating")
        return self


class Absent(Wish):
    absent: Annotated[tuple[Role, ...], Field(max_length=2)]
    """Who did not come; empty when unknown."""


@router.get("/sessions", response_model=None, responses=answers(Page[SessionShown]))
async def list_sessions(
    store: Store,
    program_id: IdQuery = None,
    pair_id: IdQuery = None,
    participant_id: IdQuery = None,
    state: Literal["planned", "cancelled", "completed", "missed"] | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """Meetings in the order of their ids, without comments."""
    wanted: dict[str, Any] = {"state": state or {"$ne": SessionState.UNPLANNED.value}}
    wanted |= {name: value for name, value in (("program_id", program_id), ("pair_id", pair_id)) if value}
    if participant_id:
        wanted["$or"] = [{"mentor_id": participant_id}, {"mentee_id": participant_id}]
    rows, after = await page(store, Session.collection, wanted, limit, cursor)
    return {"items": [from_row(Session, row).shown() for row in rows], "next": after}


@router.get("/sessions/{session_id}", responses=answers(SessionShown, etag=True))
async def read_session(session_id: SessionPath, store: Store) -> Response:
    """One meeting, with what both sides said about it."""
    rows = await store.find(Session.collection, {"_id": session_id, "state": {"$ne": SessionState.UNPLANNED.value}})
    if not rows:
        raise HTTPException(404, "there is no such session: GET /sessions lists them")
    session = from_row(Session, rows[0])
    return JSONResponse(session.shown(comments=True), headers={"ETag": f'"{session.revision}"'})


@router.post("/sessions/{session_id}/confirm", responses=answers(SessionShown, etag=True))
async def confirm(session_id: SessionPath, wish: Confirm, obey: Obeys, revision: IfMatch) -> Response:
    """A side will come or, from the start on, says that the meeting was held."""
    return await obey(ConfirmSession(session_id=session_id, revision=revision, by=wish.by))


@router.post("/sessions/{session_id}/move", responses=answers(SessionShown, etag=True))
async def move(session_id: SessionPath, wish: Move, obey: Obeys, revision: IfMatch) -> Response:
    """Give the meeting the wished time, or the next common slot."""
    return await obey(
        MoveSession(session_id=session_id, revision=revision, starts_at=wish.starts_at, reason=wish.reason)
    )


@router.post("/sessions/{session_id}/cancel", responses=answers(SessionShown, etag=True))
async def cancel(session_id: SessionPath, wish: Cancel, obey: Obeys, revision: IfMatch) -> Response:
    """Cancel the meeting; the series goes on with one that keeps its number."""
    return await obey(CancelSession(session_id=session_id, revision=revision, reason=wish.reason))


@router.post("/sessions/{session_id}/complete", responses=answers(SessionShown, etag=True))
async def complete(session_id: SessionPath, wish: Complete, obey: Obeys, revision: IfMatch) -> Response:
    """One side's word that the meeting was held; the first one plans the next meeting."""
    return await obey(CompleteSession(session_id=session_id, revision=revision, **dict(wish)))


@router.post("/sessions/{session_id}/absent", responses=answers(SessionShown, etag=True))
async def absent(session_id: SessionPath, wish: Absent, obey: Obeys, revision: IfMatch) -> Response:
    """Somebody did not come: the meeting was missed and is replaced."""
    missing = tuple(role for role in Role if role in wish.absent)
    return await obey(MarkAbsent(session_id=session_id, revision=revision, absent=missing))


@router.get("/warnings", response_model=None, responses=answers(Page[WarningShown]))
async def list_warnings(
    store: Store, program_id: IdQuery = None, limit: Limit = 100, cursor: Cursor = None
) -> dict[str, Any]:
    """Warning signs that still hold, one item a sign. `limit` counts pairs, which may have more than one."""
    wanted = {"at_risk": True} | ({"program_id": program_id} if program_id else {})
    rows, after = await page(store, Pair.collection, wanted, limit, cursor)
    return {"items": [sign for row in rows for sign in from_row(Pair, row).signs()], "next": after}
