"""Who wins, and what callers get: pure, with time moved by hand."""

from datetime import timedelta
from itertools import permutations

import pytest

from libs.chassis.documents import to_row
from libs.contracts.events import (
    ProgramPublished,
)
from services.matching.app import service
from services.matching.commands import ProgramWish, PublishProgram, WithdrawParticipant
from services.matching.store.people import Program
from services.matching.work import (
    EndPairs,
    MatchEverybody,
    MatchWaiting,
)
from tests.given import given
from tests.matching.rules_people import ENROLLED, NOW, program
from tests.matching.world import ADA, HR, OWN, enrol, person_of, program_with, revised, withdrawn, without_counts

# Who wins


@pytest.mark.parametrize(
    ("source", "revision", "unit", "refused", "left"),
    [
        (HR, 2, "Digital", "", 2),
        (HR, 3, "Legal", "", 3),
        (HR, 1, "Legal", "", 2),
        (HR, 2, "Legal", "conflict", 2),
        ("/other", 3, "Legal", "not_owner", 2),
        ("/other", 1, "Legal", "not_owner", 2),
        (OWN, 3, "Legal", "not_owner", 2),
    ],
)
def test_a_profile_follows_its_owners_highest_revision(
    source: str, revision: int, unit: str, refused: str, left: int
) -> None:
    world = program_with(revised(ADA, 2))

    outcome = world.when(revised(ADA, revision, unit=unit), at=NOW, source=source)

    assert (outcome.refused.reason if outcome.refused else "") == refused
    assert person_of(world, "ada").revision == left
    assert outcome.facts == []


def test_a_caller_who_does_not_own_the_profile_learns_who_does() -> None:
    outcome = program_with(ADA).when(enrol(ADA), at=NOW, source=OWN)

    assert outcome.refused is not None
    assert (outcome.refused.status, outcome.refused.more) == (409, {"owner": HR})


def test_our_own_facts_come_back_and_change_nothing() -> None:
    world = program_with()
    said = world.when(enrol(ADA), at=NOW, source=OWN).facts[0].event
    world.when(enrol(revised(ADA, 1, unit="Legal")), at=NOW, source=OWN)
    before = to_row(person_of(world, "ada"))

    world.when(said, at=NOW + timedelta(minutes=1), source=OWN)

    assert to_row(person_of(world, "ada")) == before


def test_enrolments_and_withdrawals_end_alike_in_every_order() -> None:
    facts = [
        revised(ADA, 1),
        withdrawn("ada", ENROLLED + timedelta(days=1), 2),
        revised(ADA, 3, unit="Legal", enrolled_at=ENROLLED + timedelta(days=2)),
        withdrawn("ada", ENROLLED, 1),
    ]
    for count in (2, 3, 4):
        ends = []
        for order in permutations(facts[:count]):
            world = program_with()
            for fact in order:
                world.when(fact, at=NOW, source=HR)
            ends.append(without_counts(world))
            assert person_of(world, "ada").enrolled is (count > 2)
        assert all(end == ends[0] for end in ends)


def test_programs_end_alike_in_every_order() -> None:
    revisions = [program(mode="rolling").model_copy(update={"revision": n, "name": f"Nr {n}"}) for n in (1, 2, 3)]
    for order in permutations(revisions):
        world = given(service)
        for fact in order:
            world.when(fact, at=NOW)
        assert world.document(Program, "2026").published == revisions[2]


def test_a_revision_of_a_program_with_another_content_is_a_conflict() -> None:
    outcome = program_with().when(program(mode="rolling").model_copy(update={"name": "Other"}), at=NOW)

    assert outcome.refused is not None
    assert outcome.refused.reason == "conflict"


# By API


def test_revisions_are_counted_and_the_same_content_is_no_new_fact() -> None:
    world = program_with()

    first = world.when(enrol(ADA), at=NOW, source=OWN)
    again = world.when(enrol(ADA), at=NOW + timedelta(hours=1), source=OWN)
    changed = world.when(enrol(revised(ADA, 1, unit="Legal")), at=NOW + timedelta(hours=2), source=OWN)

    assert [len(outcome.facts) for outcome in (first, again, changed)] == [1, 0, 1]
    assert [outcome.answer and outcome.answer.status for outcome in (first, again, changed)] == [201, 200, 200]
    fact = changed.facts[0].event
    assert (fact.revision, fact.unit, fact.enrolled_at) == (2, "Legal", NOW)


def test_a_stale_if_match_changes_nothing() -> None:
    world = program_with()
    world.when(enrol(ADA), at=NOW, source=OWN)

    outcome = world.when(enrol(revised(ADA, 1, unit="Legal"), if_match=7), at=NOW, source=OWN)

    assert outcome.refused is not None
    assert (outcome.refused.status, outcome.refused.more["revision"]) == (412, 1)


@pytest.mark.parametrize(("state", "status"), [(None, 404), ("draft", 409), ("closed", 409)])
def test_nobody_enrols_by_api_in_a_program_that_is_not_open(state: str | None, status: int) -> None:
    world = given(service)
    if state:
        world.when(ProgramPublished.model_validate(program().model_dump() | {"state": state}), at=NOW)

    outcome = world.when(enrol(ADA), at=NOW, source=OWN)

    assert outcome.refused is not None
    assert outcome.refused.status == status


def test_whom_a_person_excludes_is_kept_and_never_said() -> None:
    world = program_with()

    outcome = world.when(enrol(ADA, excluded_ids=["grace"]), at=NOW, source=OWN)

    assert person_of(world, "ada").excluded_ids == ["grace"]
    assert "grace" not in outcome.facts[0].event.model_dump_json()
    assert outcome.answer is not None
    assert "excluded_ids" not in outcome.answer.body


def test_a_person_who_left_by_api_returns_by_enrolling_again() -> None:
    world = program_with()
    world.when(enrol(ADA), at=NOW, source=OWN)
    left = WithdrawParticipant(program_id="2026", participant_id="ada", reason="parental leave")

    said = world.when(left, at=NOW, source=OWN)
    again = world.when(left, at=NOW, source=OWN)

    assert [len(said.facts), len(again.facts)] == [1, 0]
    assert not person_of(world, "ada").seeking
    (back,) = world.when(enrol(ADA), at=NOW, source=OWN).facts
    assert back.event.enrolled_at > NOW
    assert person_of(world, "ada").seeking


def test_publishing_by_api_counts_revisions_and_starts_to_look_for_pairs() -> None:
    world = given(service)
    wish = ProgramWish.model_validate(program(mode="rolling").model_dump())

    first = world.when(PublishProgram(program_id="2026", wish=wish), at=NOW, source=OWN)
    again = world.when(PublishProgram(program_id="2026", wish=wish), at=NOW, source=OWN)
    closed = ProgramWish.model_validate(wish.model_dump() | {"state": "closed"})
    last = world.when(PublishProgram(program_id="2026", wish=closed, if_match=1), at=NOW, source=OWN)

    assert [said.event.revision for said in (*first.facts, *again.facts, *last.facts)] == [1, 2]
    begun = [MatchWaiting(program_id="2026"), MatchEverybody(program_id="2026")]
    assert [later.work for later in first.later] == begun
    assert [later.work for later in last.later] == [EndPairs(program_id="2026")]
