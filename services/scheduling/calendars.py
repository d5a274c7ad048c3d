"""A person's calendar feed (RFC 5545). Its address is a secret that needs no storage: the key and a code over it."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Request
from fastapi.responses import Response
from icalendar import Calendar, Event

from libs.chassis.documents import from_row
from libs.chassis.http import Store
from libs.chassis.openapi import answers
from libs.contracts.ids import ID_PATTERN, calendar_uid, is_key
from libs.contracts.words import Role
from services.scheduling.settings import Settings
from services.scheduling.shapes import CalendarPlace
from services.scheduling.store.people import Person
from services.scheduling.store.sessions import Session, SessionState

router = APIRouter(tags=["calendars"])
feeds = APIRouter(tags=["calendars"])
"""Open: a calendar program sends no token."""

_SHOWN = [SessionState.PLANNED.value, SessionState.COMPLETED.value]
Id = Annotated[str, Path(pattern=ID_PATTERN)]


async def _secret(request: Request) -> bytes:
    settings = request.app.state.settings
    own = settings.calendar_secret if isinstance(settings, Settings) else None
    secret = own or settings.api_token
    # Without a token the service listens to loopback only and shows everybody everything.
    return secret.get_secret_value().encode() if secret else b"loopback"


Secret = Annotated[bytes, Depends(_secret)]


def token_of(key: str, secret: bytes) -> str:
    """The name of a person's feed, from program_id/participant_id."""
    code = hmac.digest(secret, f"calendar {key}".encode(), "sha256")[:18]
    return f"{_text(key.encode())}.{_text(code)}"


def key_of(token: str, secret: bytes) -> str | None:
    """The person whose feed this is; None where nobody's."""
    try:
        encoded = token.partition(".")[0]
        key = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except ValueError:
        return None
    known = is_key(key, 2) and hmac.compare_digest(token_of(key, secret).encode(), token.encode())
    return key if known else None


@router.get(
    "/programs/{program_id}/participants/{participant_id}/calendar",
    response_model=None,
    responses=answers(CalendarPlace),
)
async def where_is_the_calendar(program_id: Id, participant_id: Id, secret: Secret, store: Store) -> dict[str, Any]:
    """The address of a person's feed."""
    person = await _person(store, key := f"{program_id}/{participant_id}")
    if not person or not person.profile:
        raise HTTPException(404, "there is no such person: check both ids")
    return {"url": f"/calendars/{token_of(key, secret)}.ics"}


@feeds.get("/calendars/{token}.ics")
async def calendar(token: Annotated[str, Path(max_length=600)], secret: Secret, store: Store) -> Response:
    """The person's meetings; empty once the person was erased."""
    key = key_of(token, secret)
    if key is None:
        raise HTTPException(404, "there is no such calendar: ask who gave you the address for a new one")
    feed = Calendar()
    feed.add("prodid", "-//Viceversa//Scheduling//EN")
    feed.add("version", "2.0")
    feed.add("name", "Reverse mentoring")
    feed.add("x-wr-calname", "Reverse mentoring")
    if (person := await _person(store, key)) and person.profile:
        for entry in await _entries(store, key):
            feed.add_component(entry)
    return Response(feed.to_ical(), media_type="text/calendar; charset=utf-8")


async def _entries(store: Store, key: str) -> list[Event]:
    program_id, participant_id = key.split("/")
    mine = {"$or": [{f"{role.value}_id": participant_id} for role in Role]}
    rows = await store.find(
        Session.collection, {"program_id": program_id, "state": {"$in": _SHOWN}} | mine, sort=[("starts_at", 1)]
    )
    sessions = [from_row(Session, row) for row in rows]
    others = {session.id: _other(session, participant_id) for session in sessions}
    people = {row["_id"]: from_row(Person, row) for row in await _rows(store, [*others.values()])}
    return [_entry(session, people.get(others[session.id])) for session in sessions]


def _entry(session: Session, other: Person | None) -> Event:
    entry = Event()
    entry.add("uid", calendar_uid(session.id))
    entry.add("sequence", session.revision)
    entry.add("dtstamp", session.decided_at or session.planned_at or session.slot.starts_at)
    entry.add("dtstart", session.slot.starts_at)
    entry.add("dtend", session.slot.ends_at)
    name = other.profile.name if other and other.profile else ""
    entry.add("summary", f"Reverse mentoring {session.number}" + (f": {name}" if name else ""))
    entry.add("status", "CONFIRMED")
    return entry


def _other(session: Session, participant_id: str) -> str:
    other = session.mentee_id if session.mentor_id == participant_id else session.mentor_id
    return f"{session.program_id}/{other}"


async def _person(store: Store, key: str) -> Person | None:
    rows = await _rows(store, [key])
    return from_row(Person, rows[0]) if rows else None


async def _rows(store: Store, keys: list[str]) -> list[dict[str, Any]]:
    return await store.find(Person.collection, {"_id": {"$in": keys}})


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")
