"""What an event may contain."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from libs.contracts.events import Event, ParticipantEnrolled, ProgramPublished, SessionScheduled
from libs.contracts.examples import (
    EXAMPLES,
    PAIR_CREATED,
    PARTICIPANT_ENROLLED,
    PROGRAM_PUBLISHED,
    SESSION_COMPLETED,
    SESSION_SCHEDULED,
)
from libs.contracts.words import Channel


def changed(event: Event, **changes: Any) -> Any:
    return type(event).model_validate(event.model_dump() | changes)


def with_policy(**changes: Any) -> ProgramPublished:
    published: ProgramPublished = changed(PROGRAM_PUBLISHED, policy=PROGRAM_PUBLISHED.policy.model_dump() | changes)
    return published


def test_the_key_of_an_event_is_what_it_speaks_of() -> None:
    assert PROGRAM_PUBLISHED.key == "digital-2026"
    assert PARTICIPANT_ENROLLED.key == "digital-2026/e-10482"
    assert SESSION_SCHEDULED.key == PAIR_CREATED.key == "p-0198c2"


@pytest.mark.parametrize("event", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_an_event_survives_json_and_plain_documents(event: Event) -> None:
    assert type(event).model_validate_json(event.model_dump_json(), strict=True) == event
    assert type(event).model_validate(event.model_dump()) == event
    assert hash(event) == hash(event.model_copy())


def test_an_event_never_changes() -> None:
    with pytest.raises(ValidationError):
        PAIR_CREATED.score = 1.0  # type: ignore[misc]


@pytest.mark.parametrize("id", ["a", "A-z0.9_~:@-", "x" * 128])
def test_ids_are_opaque_texts(id: str) -> None:
    assert changed(PAIR_CREATED, pair_id=id).key == id


@pytest.mark.parametrize("id", ["", "a/b", "a b", "ä", "x" * 129, "a\n", 7])
def test_what_would_spoil_a_key_is_no_id(id: object) -> None:
    with pytest.raises(ValidationError):
        changed(PAIR_CREATED, pair_id=id)


def test_times_are_utc_with_whole_milliseconds_so_that_a_stored_one_compares_equal() -> None:
    zurich = timezone(timedelta(hours=1))
    event = changed(PAIR_CREATED, created_at=datetime(2026, 3, 2, 10, 0, 0, 123999, tzinfo=zurich))
    assert event.created_at == datetime(2026, 3, 2, 9, 0, 0, 123000, tzinfo=UTC)
    assert event.created_at.utcoffset() == timedelta(0)
    assert '"created_at":"2026-03-02T09:00:00.123000Z"' in event.model_dump_json()


@pytest.mark.parametrize("time", ["2026-03-02T09:00:00", "0001-01-01T00:00:00+05:00", "noon"])
def test_a_time_without_an_offset_or_out_of_range_is_none(time: str) -> None:
    with pytest.raises(ValidationError):
        changed(PAIR_CREATED, created_at=time)


@pytest.mark.parametrize(
    "changes",
    [
        {"role": "other"},
        {"time_zone": "Mars/Olympus"},
        {"email": "ada@"},
        {"email": "ada@example.com\r\nBcc: all@example.com"},
        {"name": "Ada\nOkafor"},
        {"languages": ["english!"]},
        {"grade": 2**70},
        {"revision": -1},
        {"expertise": [{"topic": "ai", "level": 6}]},
        {"availability": [{"day": "mon", "start": "12:00", "end": "09:00"}]},
        {"availability": [{"day": "mon", "start": "24:00", "end": "24:00"}]},
        {"availability": [{"day": "holiday", "start": "09:00", "end": "12:00"}]},
        {"unavailable": [{"start": "2026-07-31", "end": "2026-07-13"}]},
    ],
)
def test_a_profile_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        changed(PARTICIPANT_ENROLLED, **changes)


def test_a_working_day_may_end_at_midnight() -> None:
    assert changed(PARTICIPANT_ENROLLED, availability=[{"day": "sun", "start": "18:00", "end": "24:00"}])


def test_a_profile_needs_no_more_than_what_is_required() -> None:
    optional = {"capacity", "unavailable", "preferred_ids", "locale", "channels"}
    ada = ParticipantEnrolled.model_validate(PARTICIPANT_ENROLLED.model_dump(exclude=optional))
    assert ada.channels == (Channel.EMAIL,)
    assert (ada.capacity, ada.unavailable, ada.preferred_ids, ada.locale) == (None, (), (), None)


def test_a_channel_that_is_not_known_yet_reads_as_other() -> None:
    assert changed(PARTICIPANT_ENROLLED, channels=["pager", "email"]).channels == (Channel.OTHER, Channel.EMAIL)


def test_nobody_is_matched_without_consent_and_other_consents_are_kept() -> None:
    consent = changed(PARTICIPANT_ENROLLED, consent={"photo": True, "text": "yes", "a.b": True}).consent
    assert consent.matching is False
    assert consent.model_dump() == {"matching": False, "photo": True}


def test_names_addresses_and_comments_do_not_show_when_an_event_is_printed() -> None:
    shown = repr(PARTICIPANT_ENROLLED) + repr(SESSION_COMPLETED) + repr(PROGRAM_PUBLISHED)
    for secret in ("Okafor", "@example.com", "same evening", "Mentoring Office"):
        assert secret not in shown


def test_errors_do_not_show_what_a_person_wrote() -> None:
    with pytest.raises(ValidationError) as caught:
        changed(PARTICIPANT_ENROLLED, email="ada at home")
    assert "ada at home" not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"max_grade_gap": 3},
        {"mode": "sometimes"},
        {"different_unit": "other"},
        {"weights": {"learning": 0, "reciprocal": 0, "preference": 0, "diversity": 0, "waiting": 0}},
        {"weights": {"learning": float("nan"), "reciprocal": 0, "preference": 0, "diversity": 0, "waiting": 0}},
        {"quiet_hours": {"start": "20:00", "end": "20:00"}},
        {"session_minutes": 0},
    ],
)
def test_a_policy_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        with_policy(**changes)


def test_optional_policy_fields_have_defaults_and_no_quiet_hours() -> None:
    optional = {"max_grade_gap", "grace_minutes", "time_zone", "quiet_hours", "organizer", "office_email"}
    policy = type(PROGRAM_PUBLISHED.policy).model_validate(PROGRAM_PUBLISHED.policy.model_dump(exclude=optional))
    assert policy.quiet_hours is None
    assert (policy.time_zone, policy.grace_minutes, policy.max_grade_gap) == ("UTC", 1440, None)


def test_quiet_hours_may_pass_midnight() -> None:
    assert with_policy(quiet_hours={"start": "22:00", "end": "06:00"}).policy.quiet_hours


def test_a_meeting_ends_after_it_starts() -> None:
    with pytest.raises(ValidationError):
        SessionScheduled.model_validate(SESSION_SCHEDULED.model_dump() | {"ends_at": SESSION_SCHEDULED.starts_at})
