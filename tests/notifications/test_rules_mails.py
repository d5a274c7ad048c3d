from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from libs.contracts.events import (
    PairAtRisk,
    PairCreated,
    PairEnded,
    ParticipantEnrolled,
    ProgramPublished,
    SessionCancelled,
    SessionCompleted,
    SessionScheduled,
)
from libs.contracts.parts import Feedback, Rationale
from libs.contracts.policy import Organizer, Policy
from libs.contracts.profile import Consent
from services.notifications.rules.invitations import Mailbox
from services.notifications.rules.mails import Letter, Unmailable, mail_of
from services.notifications.rules.notices import Template, notices_about, reminders_of
from services.notifications.rules.people import Recipient, office_of, recipient_of
from services.notifications.rules.wording import LOCALES, locale_of, spoken

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
STARTS_AT = datetime(2026, 4, 7, 8, tzinfo=UTC)
SENDER = Mailbox("Viceversa", "viceversa@engines.invalid")
POLICY = Policy.model_construct(
    session_minutes=60,
    sessions_per_pair=6,
    default_locale="en",
    reminders=(60,),
    time_zone="UTC",
    office_email="office@engines.invalid",
)
PROGRAM = ProgramPublished.model_construct(program_id="reverse", name="Reverse & Co", policy=POLICY)
ADA = Recipient("ada", "Ada Lovelace", "ada@engines.invalid", "Europe/Zurich", "en")
GRACE = Recipient("grace", "Grace Höpper", "grace@engines.invalid", "America/New_York", "de-CH")

PAIR = {"pair_id": "pair-1", "program_id": "reverse", "mentor_id": "ada", "mentee_id": "grace"}
SESSION = {**PAIR, "session_id": "session-1", "number": 2}
WHY = Rationale(
    shared_topics=("cloud", "R&D"), reciprocal_topics=("budgets",), languages=(), weekly_overlap_minutes=60, notes=()
)
CREATED = PairCreated(**PAIR, score=0.5, rationale=WHY, round_id="round-1", created_at=NOON)
PLANNED = SessionScheduled(
    **SESSION,
    revision=1,
    starts_at=STARTS_AT,
    ends_at=STARTS_AT + timedelta(hours=1),
    join_url="https://meet.invalid/1",
)
MOVED = PLANNED.model_copy(
    update={"revision": 2, "starts_at": STARTS_AT - timedelta(hours=1), "reason": "a <b>fair</b>"}
)
CANCELLED = SessionCancelled(**SESSION, revision=3, reason="ill", cancelled_at=NOON)
HELD = SessionCompleted(
    **SESSION,
    revision=4,
    started_at=NOON,
    ended_at=NOON,
    topics=(),
    feedback=Feedback(),
    series_done=False,
    completed_at=NOON,
)
FACTS = [
    CREATED,
    PLANNED,
    MOVED,
    CANCELLED,
    HELD,
    *(
        PairEnded(**PAIR, reason=r, ended_at=NOON)
        for r in ("completed", "withdrawn", "reporting_line", "program_closed")
    ),
]


def letters(fact, ada: Recipient = ADA, grace: Recipient = GRACE, **more) -> tuple[Letter, Letter]:
    to_ada, to_grace = notices_about(fact, "event-1", NOON)
    return (
        Letter(notice=to_ada, fact=fact, program=PROGRAM, to=ada, partner=grace, **more),
        Letter(notice=to_grace, fact=fact, program=PROGRAM, to=grace, partner=ada, **more),
    )


def mail(letter: Letter) -> EmailMessage:
    """The mail as the reader's program sees it."""
    made = mail_of(letter, sender=SENDER, date=NOON)
    assert isinstance(made, EmailMessage)
    return message_from_bytes(made.as_bytes(), policy=policy.default)


def words(message: EmailMessage, kind: str = "plain") -> str:
    return message.get_body((kind,)).get_content()


def calendar(message: EmailMessage):
    (part,) = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    parsed = Calendar.from_ical(part.get_content())
    assert part.get_content_type() == "text/calendar"
    assert part.get_param("method") == parsed["METHOD"]
    (event,) = parsed.walk("VEVENT")
    return parsed["METHOD"], event


def test_each_side_of_a_new_pair_reads_its_own_words():
    to_ada, to_grace = letters(CREATED, grace=replace(GRACE, locale="en"))

    ada, grace = mail(to_ada), mail(to_grace)

    assert ada["Subject"] == "You will mentor Grace Höpper"
    assert "you can teach cloud, R&D" in words(ada)
    assert "You lead the conversation" in words(ada)
    assert grace["Subject"] == "Ada Lovelace will be your mentor"
    assert "you want to learn cloud, R&D" in words(grace)
    assert "you are the learner" in words(grace)


def test_people_are_told_in_their_language_and_their_zone():
    ada, grace = (mail(letter) for letter in letters(PLANNED))

    assert "Tuesday 7 April 2026, 10:00 to 11:00 (Europe/Zurich)" in words(ada)
    assert "Dienstag, 7. April 2026, 04:00 bis 05:00 Uhr (America/New_York)" in words(grace)


@pytest.mark.parametrize(
    ("wanted", "locale"),
    [(["de-CH"], "de"), (["fr"], "en"), (["fr", "de"], "de"), (["DE"], "de"), (["xx", "yy"], "en"), (["en-GB"], "en")],
)
def test_a_language_without_texts_falls_back_to_the_programmes_and_then_to_english(wanted, locale):
    assert locale_of(*wanted) == locale


def test_a_mail_has_a_stable_id_the_given_date_and_says_that_a_machine_wrote_it():
    letter = letters(PLANNED)[0]
    message = mail(letter)

    assert message["Message-ID"] == letter.notice.message_id
    assert message["Date"].datetime == NOON
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["To"].addresses[0].addr_spec == "ada@engines.invalid"
    assert message["From"].addresses[0].display_name == "Viceversa"


def test_every_try_is_the_same_mail_to_the_byte():
    one, other = (mail_of(letters(PLANNED)[0], sender=SENDER, date=NOON).as_bytes() for _ in range(2))

    assert one == other


def test_an_invitation_is_a_request_that_calendars_accept():
    method, event = calendar(mail(letters(PLANNED)[0]))

    assert method == "REQUEST"
    assert (event["UID"], event["SEQUENCE"]) == ("session-1@viceversa.invalid", 1)
    assert (event.decoded("dtstart"), event.decoded("dtend")) == (PLANNED.starts_at, PLANNED.ends_at)
    assert event.decoded("dtstamp") == NOON
    assert event["ORGANIZER"] == "mailto:viceversa@engines.invalid"
    assert [str(a) for a in event["ATTENDEE"]] == ["mailto:ada@engines.invalid", "mailto:grace@engines.invalid"]
    assert event["ATTENDEE"][1].params["CN"] == "Grace Höpper"
    assert event["SUMMARY"] == "Reverse & Co: Ada Lovelace / Grace Höpper"
    assert event["URL"] == "https://meet.invalid/1"


def test_the_lines_of_an_invitation_end_as_the_standard_says():
    (part,) = [part for part in mail(letters(PLANNED)[1]).walk() if part.get_content_type() == "text/calendar"]
    raw = part.get_payload(decode=True)

    assert raw.count(b"\n") == raw.count(b"\r\n") > 10
    assert max(len(line) for line in raw.split(b"\r\n")) <= 75


def test_both_sides_get_the_same_meeting():
    (_, ada), (_, grace) = (calendar(mail(letter)) for letter in letters(PLANNED))

    assert [ada[name] for name in ("UID", "SUMMARY")] == [grace[name] for name in ("UID", "SUMMARY")]
    assert ada["ATTENDEE"] == grace["ATTENDEE"]


def test_a_moved_meeting_updates_the_one_in_the_calendar():
    method, event = calendar(mail(letters(MOVED)[0]))

    assert (method, event["UID"], event["SEQUENCE"]) == ("REQUEST", "session-1@viceversa.invalid", 2)
    assert event.decoded("dtstart") == MOVED.starts_at


@pytest.mark.parametrize("last", [MOVED, None])
def test_a_cancelled_meeting_leaves_the_calendar(last):
    message = mail(letters(CANCELLED, meeting=last)[0])

    method, event = calendar(message)

    assert (method, event["STATUS"], event["SEQUENCE"]) == ("CANCEL", "CANCELLED", 3)
    assert event["UID"] == "session-1@viceversa.invalid"
    assert ("09:00 to" in words(message)) == (last is not None)


def test_the_programmes_organizer_invites_and_gets_the_answers():
    organizer = Organizer(name='Mina "M"', email="mina@engines.invalid")
    program = PROGRAM.model_copy(update={"policy": POLICY.model_copy(update={"organizer": organizer})})
    message = mail(replace(letters(PLANNED)[0], program=program))

    assert calendar(message)[1]["ORGANIZER"] == "mailto:mina@engines.invalid"
    assert message["Reply-To"].addresses[0].addr_spec == "mina@engines.invalid"


def test_a_page_shows_the_same_words_and_runs_no_foreign_markup():
    message = mail(letters(MOVED)[0])

    assert "a <b>fair</b>" in words(message)
    assert "a &lt;b&gt;fair&lt;/b&gt;" in words(message, "html")
    assert '<a href="https://meet.invalid/1">' in words(message, "html")


def test_a_link_in_somebodys_words_cannot_be_clicked():
    fact = CANCELLED.model_copy(update={"reason": "see\n\nhttps://evil.invalid/"})

    assert "<a " not in words(mail(letters(fact)[0]), "html")


def test_the_question_how_it_was_carries_the_link_to_answer():
    link = "https://viceversa.invalid/answer?a=1&b=2"
    message = mail(letters(HELD, link=link)[0])

    assert message["Subject"] == "How was session 2 with Grace Höpper?"
    assert link in words(message)
    assert 'href="https://viceversa.invalid/answer?a=1&amp;b=2"' in words(message, "html")


def test_a_reminder_has_no_second_invitation():
    notice = reminders_of(PLANNED, "event-1", NOON, POLICY)[0]
    message = mail(replace(letters(PLANNED)[0], notice=notice))

    assert message["Subject"].startswith("Reminder: session 2 with Grace")
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


def test_the_office_reads_of_a_pair_at_risk_by_ids_not_names():
    fact = PairAtRisk(**PAIR, sign="no_common_slot", detail="working hours never overlap", since=NOON)
    (notice,) = notices_about(fact, "event-1", NOON)
    message = mail(Letter(notice=notice, fact=fact, program=PROGRAM, to=office_of(PROGRAM)))

    assert message["To"].addresses[0].addr_spec == "office@engines.invalid"
    assert "mentor ada, mentee grace" in words(message)
    assert "working hours never overlap" in words(message)


def test_a_programme_without_an_office_address_has_no_office():
    program = PROGRAM.model_copy(update={"policy": POLICY.model_copy(update={"office_email": None})})

    assert office_of(program) is None


def profile(**more) -> ParticipantEnrolled:
    return ParticipantEnrolled.model_construct(
        program_id="reverse",
        participant_id="mina",
        revision=1,
        name="Mina",
        email="mina@engines.invalid",
        time_zone="Asia/Tokyo",
        consent=Consent(matching=True),
        enrolled_at=NOON,
        **more,
    )


@pytest.mark.parametrize("locale", sorted(LOCALES))
@pytest.mark.parametrize(("role", "word"), [("mentor", "mentor"), ("mentee", "mentee")])
def test_a_welcome_speaks_to_the_role(locale, role, word):
    event = profile(role=role, locale=locale)
    (notice,) = notices_about(event, "event-1", NOON)
    message = mail(Letter(notice=notice, fact=event, program=PROGRAM, to=recipient_of(event, PROGRAM)))

    other = profile(role="mentee" if role == "mentor" else "mentor", locale=locale)
    (other_notice,) = notices_about(other, "event-1", NOON)
    other_mail = mail(Letter(notice=other_notice, fact=other, program=PROGRAM, to=recipient_of(other, PROGRAM)))
    assert "Reverse & Co" in message["Subject"]
    assert words(message) != words(other_mail)


@pytest.mark.parametrize("locale", sorted(LOCALES))
@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
def test_every_text_exists_in_every_language_without_holes(locale, fact):
    for letter in letters(fact, ada=replace(ADA, locale=locale), grace=replace(GRACE, locale=locale)):
        message = mail(letter)
        assert message["Subject"]
        assert "None" not in words(message) + message["Subject"]
        assert "{" not in words(message)
        assert "\n\n\n" not in words(message)


def test_every_template_is_covered_by_the_facts_of_these_tests():
    covered = {letter.notice.template for fact in FACTS for letter in letters(fact)}

    assert covered | {Template.WELCOME, Template.AT_RISK, Template.SESSION_REMINDER} == set(Template)


def test_months_and_days_are_said_in_german():
    assert spoken(STARTS_AT, STARTS_AT, "Asia/Tokyo", "de").startswith("Dienstag, 7. April 2026, 17:00")


@given(st.text(min_size=1, max_size=200), st.text(max_size=60))
def test_no_name_and_no_reason_can_add_a_header_or_a_calendar_line(name, reason):
    fact = PLANNED.model_copy(update={"revision": 2, "reason": reason})
    message = mail(letters(fact, grace=replace(GRACE, name=f"{name}\r\nBcc: eve@evil.invalid", locale="en"))[0])

    assert set(message.keys()) == {
        "Message-ID",
        "Date",
        "From",
        "To",
        "Subject",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
    }
    assert len(message["To"].addresses) == 1
    assert len(calendar(message)[1]["ATTENDEE"]) == 2


@pytest.mark.parametrize("email", ["ada", "ada@x.invalid\r\nBcc: eve@evil.invalid", "@", "", "a b@x.invalid"])
def test_an_address_that_cannot_be_one_is_said_to_be_so(email):
    letter = letters(PLANNED, ada=replace(ADA, email=email))[0]

    assert mail_of(letter, sender=SENDER, date=NOON) == Unmailable("not a valid address")


@given(st.from_regex(r'[^@\s<>,;"\x00-\x1f\x7f]{1,20}@[^@\s<>,;"\x00-\x1f\x7f]{1,20}', fullmatch=True))
def test_whatever_the_contract_takes_for_an_address_is_written_to_exactly_or_not_at_all(email):
    made = mail_of(letters(PLANNED, ada=replace(ADA, email=email))[0], sender=SENDER, date=NOON)

    if not isinstance(made, Unmailable):
        assert made["To"].addresses[0].addr_spec == email
        made.as_bytes(policy=policy.SMTP)


def test_a_recipient_shows_neither_name_nor_address():
    assert "Lovelace" not in repr(ADA)
    assert "engines.invalid" not in repr(ADA)
