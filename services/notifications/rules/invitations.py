"""The calendar part of a mail: iCalendar (RFC 5545) with the methods of iTIP (RFC 5546)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from icalendar import Calendar, Event, vCalAddress, vText

from libs.contracts.events import SessionCancelled, SessionScheduled
from libs.contracts.ids import calendar_uid
from services.notifications.rules.people import Recipient

PRODUCT: Final = "-//Viceversa//Notifications//EN"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A name with an address, both safe to stand in a header: one line, without quotes."""

    name: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What an invitation needs beside the fact. `dtstamp` is the time of the fact, so that a retry is the same text."""

    summary: str
    description: str
    organizer: Mailbox
    mentor: Recipient
    mentee: Recipient
    dtstamp: datetime


def request(fact: SessionScheduled, invitation: Invitation) -> str:
    """A REQUEST; a higher revision of the session is an update, because SEQUENCE is the revision."""
    event = _event(fact.session_id, fact.revision, invitation)
    _add_time(event, fact)
    event.add("status", "CONFIRMED")
    return _calendar("REQUEST", event)


def cancel(fact: SessionCancelled, last: SessionScheduled | None, invitation: Invitation) -> str:
    """A CANCEL of the whole meeting, with its last known time where there is one."""
    event = _event(fact.session_id, fact.revision, invitation)
    if last:
        _add_time(event, last)
    event.add("status", "CANCELLED")
    return _calendar("CANCEL", event)


def _event(session_id: str, revision: int, invitation: Invitation) -> Event:
    event = Event()
    event.add("uid", calendar_uid(session_id))
    event.add("sequence", revision)
    event.add("dtstamp", invitation.dtstamp)
    event.add("summary", invitation.summary)
    event.add("description", invitation.description)
    event.add("organizer", _address(invitation.organizer.name, invitation.organizer.email))
    for person in (invitation.mentor, invitation.mentee):
        event.add("attendee", _attendee(person))
    return event


def _add_time(event: Event, fact: SessionScheduled) -> None:
    event.add("dtstart", fact.starts_at)
    event.add("dtend", fact.ends_at)
    if fact.join_url:
        event.add("url", fact.join_url)
        event.add("location", fact.join_url)


def _attendee(person: Recipient) -> vCalAddress:
    address = _address(person.name, person.email)
    for name, value in (("ROLE", "REQ-PARTICIPANT"), ("PARTSTAT", "NEEDS-ACTION"), ("RSVP", "TRUE")):
        address.params[name] = vText(value)
    return address


def _address(name: str, email: str) -> vCalAddress:
    address = vCalAddress(f"mailto:{email}")
    address.params["CN"] = vText(name)
    return address


def _calendar(method: str, event: Event) -> str:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add_component(event)
    text: bytes = calendar.to_ical()
    return text.decode()
