"""A real company's export on real servers: from the file to pairs, first meetings and mails."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.local.audit import audit, read
from deploy.local.demo_facts import Facts
from deploy.local.demo_owed import Mails, doubled, missing
from deploy.local.stack import Endpoints
from libs.ops.app import app
from tests.journeys.company import Company, company, until
from tests.ops.hr_export import CHECKOUT, FILE, MAPPING, active, in_one_line, reporting_lines, when_at_hand

pytestmark = when_at_hand

PROGRAM = CHECKOUT / "deploy" / "programs" / "hr-export.yaml"
GRADE_GAP, PLACES = 2, {"mentor": 1, "mentee": 3}  # as the programme's file says

Viceversa = Callable[..., Any]


@pytest.fixture
def employer(stack: Endpoints, prefix: str, database_prefix: str, tmp_path: Path) -> Iterator[Company]:
    with company(stack, prefix, database_prefix, tmp_path / "employer") as made:
        made.start()
        yield made


@pytest.fixture
def viceversa(employer: Company, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Viceversa:
    """The operator's command line, pointed at the company; gives what it tells."""
    monkeypatch.chdir(tmp_path)
    addresses = {f"VICEVERSA_{name.upper()}": f"http://{server.address}" for name, server in employer.servers.items()}
    environment = {"VICEVERSA_API_TOKEN": None, **employer.values, **addresses}

    def call(*words: object) -> Any:
        result = CliRunner().invoke(app, [*map(str, words), "--json"], env=environment)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return call


@pytest.mark.timeout(180)
def test_a_real_company_is_paired_scheduled_and_told_without_breaking_a_reporting_line(
    employer: Company, viceversa: Viceversa
) -> None:
    viceversa("program", "publish", PROGRAM)
    assert enrol(viceversa)["enrolled"] == len(active())
    until(lambda: not pairs_left_to_make(employer), within=60, what="every pair")
    until(lambda: everybody_is_told(employer), within=60, what="every mail")

    said = facts_of(employer)
    every_mentee_who_can_be_paired_is_paired(said)
    no_pair_stands_in_one_reporting_line(said)
    every_pair_has_its_first_meeting_or_a_warning(said)
    everybody_got_each_mail_once(said, employer)
    the_command_line_lists_the_same(said, viceversa)

    viceversa("program", "publish", PROGRAM)
    assert enrol(viceversa) | {"notes": []} == {
        "enrolled": 0, "changed": 0, "unchanged": len(active()), "left_out": len(reporting_lines()) - len(active()),
        "refused": 0, "refusals": [], "notes": [],
    }  # fmt: skip
    assert facts_of(employer).counts() == said.counts()


def enrol(viceversa: Viceversa) -> Any:
    return viceversa("enrol", FILE, "--program", "hr-export", "--map", MAPPING, "--assume-consent")


def facts_of(employer: Company) -> Facts:
    """All that was said, once and in order, with nothing that could not be read."""
    records = list(read(employer.values["VICEVERSA_KAFKA"], employer.prefix))
    facts = Facts().add(records)
    assert audit(records).clean
    assert facts.dead_letters == 0
    return facts


def pairs_left_to_make(employer: Company) -> list[tuple[str, str]]:
    """Mentors and mentees who wait though nothing stands between them; all of them while people still arrive."""
    if employer.count("matching", "people", {}) < len(active()):
        return [("everybody", "everybody")]
    people = [row for row in employer.rows("matching", "people") if row["seeking"]]
    profiles = [{**row["profile"], "taken": row["partners"]} for row in people]
    together = {(mine["participant_id"], each["participant_id"]) for mine in profiles for each in mine["taken"]}
    return [two for two in possible_pairs(profiles) if two not in together]


def possible_pairs(profiles: list[Any]) -> Iterator[tuple[str, str]]:
    """Everybody speaks English and works by day in a zone of one country: only grades and lines can forbid a pair."""
    lines = reporting_lines()
    mentors, mentees = ([each for each in profiles if each["role"] == role] for role in ("mentor", "mentee"))
    for mentor in mentors:
        for mentee in mentees:
            two = mentor["participant_id"], mentee["participant_id"]
            if mentee["grade"] - mentor["grade"] >= GRADE_GAP and not in_one_line(*two, lines):
                yield two


def everybody_is_told(employer: Company) -> bool:
    """A welcome for each person; for both sides of each pair the pair and its first meeting, or else the office."""
    pairs, sessions = (employer.count("scheduling", kind, {}) for kind in ("pairs", "sessions"))
    made = employer.count("matching", "pairs", {})
    return pairs == made and employer.has_told(len(active()) + 2 * (pairs + sessions) + pairs - sessions)


def every_mentee_who_can_be_paired_is_paired(said: Facts) -> None:
    profiles = [fact.data for fact in said["participant-enrolled"]]
    possible = list(possible_pairs(profiles))
    taken = Counter(fact[f"{role}_id"] for fact in said["pair-created"] for role in PLACES)
    role_of = {each["participant_id"]: each["role"] for each in profiles}
    together = {(fact["mentor_id"], fact["mentee_id"]) for fact in said["pair-created"]}
    free = {id for id, role in role_of.items() if taken[id] < PLACES[role]}

    assert len({mentee for _, mentee in possible}) > 20
    assert [mentee for _, mentee in possible if not taken[mentee]] == []
    assert [two for two in possible if free.issuperset(two) and two not in together] == []
    assert [id for id, count in taken.items() if count > PLACES[role_of[id]]] == []


def no_pair_stands_in_one_reporting_line(said: Facts) -> None:
    lines, pairs = reporting_lines(), [(fact["mentor_id"], fact["mentee_id"]) for fact in said["pair-created"]]

    assert [(mentor, mentee) for mentor, mentee in pairs if in_one_line(mentor, mentee, lines)] == []
    assert active().issuperset(id for two in pairs for id in two)


def every_pair_has_its_first_meeting_or_a_warning(said: Facts) -> None:
    meetings = Counter(fact["pair_id"] for fact in said["session-scheduled"] if fact["number"] == 1)
    warned = {fact["pair_id"] for fact in said["pair-at-risk"]}

    for fact in said["pair-created"]:
        assert meetings[fact["pair_id"]] + (fact["pair_id"] in warned) == 1


def everybody_got_each_mail_once(said: Facts, employer: Company) -> None:
    """From here to the mail server's files, by person and kind."""
    owed = Counter((fact["participant_id"], "welcome") for fact in said["participant-enrolled"])
    for topic, kind in (("pair-created", "pair_created"), ("session-scheduled", "session_scheduled")):
        owed.update((id, kind) for fact in said[topic] for id in fact.participants)
    owed.update(("~office", "at_risk") for _ in said["pair-at-risk"])
    told = Counter((fact["participant_id"], fact["template"]) for fact in said["notification-sent"])
    mails = Mails(employer.message_ids())

    assert told == owed
    assert [*missing(said, mails), *doubled(said, mails)] == []
    assert all(str(mail["To"]).rstrip(">").endswith(".invalid") for mail in employer.mails().values())
    to = Counter(str(mail["To"]).rpartition("<")[2].partition("@")[0] for mail in employer.mails().values())
    assert to == Counter(id.replace("~", "") for id, _ in told.elements())


def the_command_line_lists_the_same(said: Facts, viceversa: Viceversa) -> None:
    pairs, sessions = viceversa("pairs", "hr-export"), viceversa("sessions", "hr-export")

    assert {pair["pair_id"] for pair in pairs} == {fact["pair_id"] for fact in said["pair-created"]}
    assert {meeting["session_id"] for meeting in sessions} == {fact["session_id"] for fact in said["session-scheduled"]}
