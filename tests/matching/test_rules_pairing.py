"""Each hard rule with the people whom it keeps apart, one pair at a time."""

from datetime import timedelta
from typing import Any

import pytest

from libs.contracts.events import ParticipantEnrolled, ProgramPublished
from libs.contracts.words import PairEndReason
from services.matching.rules.pairing import Rule, broken_rules, reason_to_end, refusals, standing_of
from tests.matching.rules_people import NOW, hours, mentee, mentor, pair_created, pair_ended, program


def refused(
    ada: ParticipantEnrolled, grace: ParticipantEnrolled, programme: ProgramPublished | None = None, **known: Any
) -> frozenset[Rule]:
    programme = programme or program()
    return refusals(programme, ada, grace, standing_of(programme, now=NOW, **known))


def test_a_junior_and_a_leader_whom_nothing_separates_may_pair() -> None:
    assert refused(mentor("Ada"), mentee("Grace")) == frozenset()


def test_two_mentors_are_no_pair() -> None:
    assert refused(mentor("Ada"), mentor("Lin", grade=8, unit="Retail", function="Law")) == {Rule.ROLE}


def test_nobody_is_paired_without_consent() -> None:
    assert refused(mentor("Ada", consent={}), mentee("Grace")) == {Rule.ROLE}
    assert refused(mentor("Ada"), mentee("Grace", consent={"matching": False})) == {Rule.ROLE}


def test_people_of_different_programmes_are_no_pair() -> None:
    assert refused(mentor("Ada", program_id="2025"), mentee("Grace")) == {Rule.ROLE}


@pytest.mark.parametrize(("grade", "broken"), [(3, True), (4, False), (12, False), (13, True), (1, True)])
def test_a_leader_must_be_senior_by_as_much_as_the_policy_asks(grade: int, broken: bool) -> None:
    assert (Rule.GRADE_GAP in refused(mentor("Ada", grade=2), mentee("Grace", grade=grade))) is broken


def test_without_a_highest_gap_an_apprentice_may_teach_the_chairwoman() -> None:
    programme = program(max_grade_gap=None)
    assert refused(mentor("Ada", grade=1), mentee("Grace", grade=100), programme) == frozenset()


def test_a_leader_high_up_in_the_mentors_chain_is_refused() -> None:
    chain = ["mina", "lin", "grace"]
    assert refused(mentor("Ada", manager_ids=chain), mentee("Grace")) == {Rule.REPORTING_LINE}


def test_a_leader_who_reports_to_the_mentor_is_refused() -> None:
    assert refused(mentor("Ada"), mentee("Grace", manager_ids=["ada"])) == {Rule.REPORTING_LINE}


def test_two_people_with_the_same_direct_manager_are_refused() -> None:
    ada, grace = mentor("Ada", manager_ids=["mina", "lin"]), mentee("Grace", manager_ids=["mina"])
    assert refused(ada, grace) == {Rule.REPORTING_LINE}


def test_a_manager_whom_both_share_further_up_is_no_obstacle() -> None:
    ada, grace = mentor("Ada", manager_ids=["lin", "mina"]), mentee("Grace", manager_ids=["mina"])
    assert refused(ada, grace) == frozenset()


@pytest.mark.parametrize(("field", "rule"), [("unit", Rule.DIFFERENT_UNIT), ("function", Rule.DIFFERENT_FUNCTION)])
def test_colleagues_are_refused_only_where_the_policy_requires_a_difference(field: str, rule: Rule) -> None:
    ada, grace = mentor("Ada", **{field: "Finance"}), mentee("Grace", **{field: "Finance"})
    assert refused(ada, grace) == {rule}
    assert refused(ada, grace, program(**{f"different_{field}": "preferred"})) == frozenset()
    assert refused(ada, grace, program(**{f"different_{field}": "ignored"})) == frozenset()


def test_a_leader_waits_until_a_mentor_shares_a_language() -> None:
    grace = mentee("Grace", languages=["fr", "de-CH"])
    assert refused(mentor("Ada", languages=["en"]), grace) == {Rule.LANGUAGE}
    assert refused(mentor("Ada", languages=["en"]), grace, program(require_shared_language=False)) == frozenset()
    assert refused(mentor("Mina", languages=["en", "DE"]), grace) == frozenset()


def test_a_pair_that_cannot_meet_is_no_pair() -> None:
    early, late = mentor("Ada", availability=hours("06:00", "09:10")), mentee("Grace", availability=hours("09:00"))
    assert refused(early, late) == {Rule.WORKING_HOURS}
    assert refused(early, late, program(min_overlap_minutes_per_week=0)) == frozenset()


def test_either_side_can_exclude_the_other() -> None:
    ada, grace = mentor("Ada"), mentee("Grace")
    assert refused(ada, grace, exclusions=[("ada", "grace")]) == {Rule.EXCLUDED}
    assert refused(ada, grace, exclusions=[("grace", "ada")]) == {Rule.EXCLUDED}
    assert refused(ada, grace, exclusions=[("grace", "mina")]) == frozenset()


def test_a_former_pair_waits_for_the_end_of_its_cooldown() -> None:
    ada, grace = mentor("Ada"), mentee("Grace")
    recent, old = (pair_ended(ada, grace, NOW - timedelta(days=days)) for days in (179, 180))
    assert refused(ada, grace, former_pairs=[recent]) == {Rule.COOLDOWN}
    assert refused(ada, grace, former_pairs=[recent], loosen_cooldown=True) == frozenset()
    assert refused(ada, grace, former_pairs=[old]) == frozenset()


def test_a_pair_in_force_is_not_made_again_even_with_a_loosened_cooldown() -> None:
    ada, grace = mentor("Ada", capacity=2), mentee("Grace", capacity=2)
    known = {"in_force": [pair_created(ada, grace)], "loosen_cooldown": True}
    assert refused(ada, grace, **known) == {Rule.COOLDOWN}


def test_a_mentor_with_a_pair_in_force_is_full() -> None:
    ada, grace, mina = mentor("Ada"), mentee("Grace"), mentee("Mina")
    in_force = [pair_created(ada, mina)]
    assert refused(ada, grace, in_force=in_force) == {Rule.CAPACITY}
    assert refused(ada, grace, program(mentor_capacity=2), in_force=in_force) == frozenset()
    assert refused(mentor("Ada", capacity=2), grace, in_force=in_force) == frozenset()
    assert refused(ada, grace, in_force=[pair_created(ada, mina, program_id="2025")]) == frozenset()


def test_somebody_who_takes_a_break_with_capacity_zero_is_full() -> None:
    assert refused(mentor("Ada"), mentee("Grace", capacity=0)) == {Rule.CAPACITY}


def test_a_pair_ends_when_one_comes_to_report_to_the_other() -> None:
    ada, grace = mentor("Ada", manager_ids=["grace"]), mentee("Grace", unit="Digital")
    assert broken_rules(program(), ada, grace) == {Rule.REPORTING_LINE}
    assert reason_to_end(program(), ada, grace) is PairEndReason.REPORTING_LINE


def test_a_pair_ends_when_consent_is_taken_back() -> None:
    ada, grace = mentor("Ada"), mentee("Grace", consent={"matching": False}, manager_ids=["ada"])
    assert broken_rules(program(), ada, grace) == {Rule.ROLE, Rule.REPORTING_LINE}
    assert reason_to_end(program(), ada, grace) is PairEndReason.CONSENT_REVOKED


def test_a_pair_ends_when_a_mentor_becomes_a_mentee() -> None:
    assert reason_to_end(program(), mentee("Ada"), mentee("Grace")) is PairEndReason.RULE_BROKEN


def test_a_pair_lives_on_when_one_changes_unit_or_working_hours() -> None:
    ada, grace = mentor("Ada", unit="Retail", availability=[]), mentee("Grace")
    assert broken_rules(program(), ada, grace) == frozenset()
    assert reason_to_end(program(), ada, grace) is None
