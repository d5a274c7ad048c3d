"""The operators' routes for dead letters, alike in every service."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, Field

from libs.chassis.dead_letter_views import Group, Outlook, groups, rehearse
from libs.chassis.dead_letters import BeginReplay, DeadLetter, LetterState, PurgeDeadLetter, ReplayDeadLetter
from libs.chassis.documents import from_row
from libs.chassis.http import Cursor, Limit, Obeys, Store, page
from libs.chassis.masking import field_name, masked, masked_text, structure
from libs.chassis.openapi import Page

router = APIRouter(tags=["dead letters"])


def _storable(time: datetime) -> datetime:
    if not 1970 <= time.year < 9999:
        raise ValueError("must lie between 1970 and 9999")
    return time.astimezone(UTC)


def _written(text: Any) -> Any:
    """A number would be taken for seconds since 1970."""
    if isinstance(text, str) and text.strip("+-")[:1] in ".0123456789" and "T" not in text.upper():
        raise ValueError("write the time as in 2026-03-02T12:00:00Z")
    return text


By = Annotated[str, Field(max_length=100, description="Who wants it, as it shall be kept")]
Time = Annotated[Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_storable)] | None, Query()]


class Purge(BaseModel):
    reason: str = Field(min_length=1, max_length=500, description="Kept with the dead letter")
    by: By = ""


class Replay(BaseModel):
    by: By = ""
    force: bool = Field(False, description="Also after too many replays in vain")


class Changed(BaseModel):
    """What became of it."""

    dead_letter_id: str
    state: LetterState


class Letter(BaseModel):
    """Place, reason and time of a dead letter; neither key nor content, which may name a person."""

    dead_letter_id: str
    state: LetterState
    reason: str
    detail: str
    at: datetime | None
    topic: str | None
    partition: int | None
    offset: int | None
    kind: str | None
    replays: int
    by: str
    because: str
    changed_at: datetime | None


_LISTED: Final = [name for name in Letter.model_fields if name != "dead_letter_id"]


class Shown(Letter):
    """A dead letter with what it looks like: names, types and lengths without values."""

    bytes: int
    has_key: bool
    key: str | None
    headers: list[str]
    value: Any
    work: Any


class Summary(BaseModel):
    total: int
    items: list[Group]


async def _states(state: Annotated[LetterState | None, Query()] = None) -> dict[str, Any]:
    """An index that begins with the state is of use only if all states are named."""
    return {"state": state.value if state else {"$in": [each.value for each in LetterState]}}


async def _others(
    reason: Annotated[str | None, Query(max_length=100)] = None,
    topic: Annotated[str | None, Query(max_length=200)] = None,
    since: Time = None,
    until: Time = None,
) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        name: value for name, value in (("reason", reason), ("topic", topic)) if value is not None
    }
    times = {sign: time for sign, time in (("$gte", since), ("$lt", until)) if time}
    return wanted | ({"at": times} if times else {})


States = Annotated[dict[str, Any], Depends(_states)]
Others = Annotated[dict[str, Any], Depends(_others)]


@router.get("/dead-letters", response_model=Page[Letter])
async def list_dead_letters(
    store: Store, states: States, others: Others, limit: Limit = 100, cursor: Cursor = None
) -> dict[str, Any]:
    """What was parked, in the order of topics, partitions and offsets."""
    rows, after = await page(store, DeadLetter.collection, states | others, limit, cursor, fields=_LISTED)
    return {"items": [_shown(from_row(DeadLetter, row)) for row in rows], "next": after}


@router.get("/dead-letters/summary", response_model=Summary)
async def summarize_dead_letters(store: Store, states: States, others: Others) -> Summary:
    """How many there are by topic and reason, and how old."""
    items = [group async for group in groups(store, states, others)]
    return Summary(total=sum(group.count for group in items), items=items)


@router.get("/dead-letters/{dead_letter_id}", response_model=Shown)
async def show_dead_letter(dead_letter_id: str, store: Store) -> dict[str, Any]:
    """One dead letter with its structure; no value of it."""
    rows = await store.find(DeadLetter.collection, {"_id": dead_letter_id})
    if not rows:
        raise HTTPException(404, "there is no such dead letter: GET /dead-letters lists them")
    letter = from_row(DeadLetter, rows[0])
    return _shown(letter) | {
        "bytes": len(letter.value or b""),
        "has_key": letter.key is not None,
        "key": masked_text(letter.key),
        "headers": [field_name(name) for name, _ in letter.headers],
        "value": masked(letter.value),
        "work": structure(letter.work),
    }


@router.get("/dead-letters/{dead_letter_id}/outlook")
async def foresee_replay(dead_letter_id: str, request: Request, store: Store, force: bool = False) -> Outlook:
    """What a replay would come to now. Nothing is written."""
    of = request.app.state
    outlook = await rehearse(of.service, store, dead_letter_id, force, of.clock())
    if outlook.reason == "not_found":
        raise HTTPException(404, outlook.detail)
    return outlook


@router.post("/dead-letters/{dead_letter_id}/replay", response_model=Changed)
async def replay_dead_letter(dead_letter_id: str, obey: Obeys, wish: Replay | None = None) -> Response:
    """Handle it again, once, in the transaction of its service. Each try is counted before it begins."""
    wish = wish or Replay()
    # A space, which no caller's key has, keeps the two commands of one request apart.
    counts = replace(obey, key=obey.key and f"{obey.key} begins")
    begun = await counts(BeginReplay(dead_letter_id=dead_letter_id, by=wish.by, force=wish.force))
    if begun.status_code >= 400:
        return begun
    return await obey(ReplayDeadLetter(dead_letter_id=dead_letter_id, by=wish.by))


@router.post("/dead-letters/{dead_letter_id}/purge", response_model=Changed)
async def purge_dead_letter(dead_letter_id: str, purge: Purge, obey: Obeys) -> Response:
    """Drop its bytes and keep why it was parked, and why and by whom it was purged."""
    return await obey(PurgeDeadLetter(dead_letter_id=dead_letter_id, reason=purge.reason, by=purge.by))


def _shown(letter: DeadLetter) -> dict[str, Any]:
    """What a listing may show."""
    return {"dead_letter_id": letter.id, **{name: getattr(letter, name) for name in _LISTED}}
