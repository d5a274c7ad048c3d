"""The hard rules, for one mentor and one mentee. A pair that breaks one is never made."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from libs.contracts.events import PairCreated, PairEnded, ParticipantEnrolled, ProgramPublished
from libs.contracts.words import Difference, PairEndReason, Role
from services.matching.rules.working_hours import overlap_minutes, reference_week


class Rule(StrEnum):
    """Why two people are not paired."""

    ROLE = "role"  # not one mentor and one mentee of the programme who both consent
    GRADE_GAP = "grade_gap"  # the mentee is not senior to the mentor by as much as the policy asks
    REPORTING_LINE = "reporting_line"  # one manages the other at some depth, or both have the same direct manager
    DIFFERENT_UNIT = "different_unit"  # the same unit where the policy requires different ones
    DIFFERENT_FUNCTION = "different_function"  # the same function where the policy requires different ones
    LANGUAGE = "language"  # no common language where the policy requires one
    WORKING_HOURS = "working_hours"  # too few common working minutes a week
    EXCLUDED = "excluded"  # one excluded the other: private, nobody but the programme's office may see it
    COOLDOWN = "cooldown"  # they are a pair now, or were one too recently
    CAPACITY = "capacity"  # one of the two has no free place


Two: TypeAlias = frozenset[str]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a decision needs to know beside the profiles, at one moment."""

    now: datetime
    week: date
    """Monday of the reference week for working hours."""
    taken: Mapping[str, int]
    """Places in use per person."""
    together: frozenset[Two]
    """Pairs in force."""
    cooling: frozenset[Two]
    """Former pairs within the cool-down."""
    excluded: frozenset[Two]
    cooldown_loosened: bool = False


def standing_of(
    program: ProgramPublished,
    *,
    now: datetime,
    in_force: Iterable[PairCreated] = (),
    former_pairs: Iterable[PairEnded] = (),
    exclusions: Iterable[tuple[str, str]] = (),
    loosen_cooldown: bool = False,
) -> Standing:
    """Sum up a programme's pairs in force, its former pairs and the exclusions; what belongs to others is left out."""
    live = [pair for pair in in_force if pair.program_id == program.program_id]
    cooldown = timedelta(days=program.policy.cooldown_days)
    return Standing(
        now=now,
        week=reference_week(now, program.policy.time_zone),
        taken=Counter(person for pair in live for person in (pair.mentor_id, pair.mentee_id)),
        together=frozenset(frozenset((pair.mentor_id, pair.mentee_id)) for pair in live),
        cooling=frozenset(
            frozenset((pair.mentor_id, pair.mentee_id))
            for pair in former_pairs
            if pair.program_id == program.program_id and now - pair.ended_at < cooldown
        ),
        excluded=frozenset(frozenset(two) for two in exclusions),
        cooldown_loosened=loosen_cooldown,
    )


def refusals(
    program: ProgramPublished, mentor: ParticipantEnrolled, mentee: ParticipantEnrolled, standing: Standing
) -> frozenset[Rule]:
    """Every hard rule that the pair would break. `feasibility` says the same for all pairs at once."""
    policy, two = program.policy, frozenset((mentor.participant_id, mentee.participant_id))
    broken = {
        Rule.ROLE: not (takes_part(program, mentor, Role.MENTOR) and takes_part(program, mentee, Role.MENTEE)),
        Rule.GRADE_GAP: not fits_grade_gap(program, mentee.grade - mentor.grade),
        Rule.REPORTING_LINE: share_reporting_line(mentor, mentee),
        Rule.DIFFERENT_UNIT: policy.different_unit is Difference.REQUIRED and mentor.unit == mentee.unit,
        Rule.DIFFERENT_FUNCTION: policy.different_function is Difference.REQUIRED
        and mentor.function == mentee.function,
        Rule.LANGUAGE: policy.require_shared_language and not common_languages(mentor, mentee),
        Rule.WORKING_HOURS: overlap_minutes(mentor, mentee, standing.week, policy.time_zone)
        < policy.min_overlap_minutes_per_week,
        Rule.EXCLUDED: two in standing.excluded,
        Rule.COOLDOWN: two in standing.together or (two in standing.cooling and not standing.cooldown_loosened),
        Rule.CAPACITY: min(free_places(program, person, standing) for person in (mentor, mentee)) == 0,
    }
    return frozenset(rule for rule, is_broken in broken.items() if is_broken)


def takes_part(program: ProgramPublished, person: ParticipantEnrolled, role: Role) -> bool:
    """The person is in the programme in that role and agrees to be matched."""
    return person.program_id == program.program_id and person.role is role and person.consent.matching


def fits_grade_gap(program: ProgramPublished, gap: int) -> bool:
    """The gap is the mentee's grade less the mentor's."""
    highest = program.policy.max_grade_gap
    return program.policy.min_grade_gap <= gap and (highest is None or gap <= highest)


def share_reporting_line(one: ParticipantEnrolled, other: ParticipantEnrolled) -> bool:
    """One manages the other at some depth, or both have the same direct manager."""
    return (
        one.participant_id in other.manager_ids
        or other.participant_id in one.manager_ids
        or (bool(one.manager_ids) and one.manager_ids[:1] == other.manager_ids[:1])
    )


def spoken(person: ParticipantEnrolled) -> tuple[str, ...]:
    """Primary subtags of a person's languages in their order: who speaks `en-GB` and who speaks `en-US` can talk."""
    return tuple(dict.fromkeys(tag.split("-")[0].lower() for tag in person.languages))


def common_languages(one: ParticipantEnrolled, other: ParticipantEnrolled) -> tuple[str, ...]:
    """Languages (primary subtags) of both, in the order of the first."""
    others = spoken(other)
    return tuple(language for language in spoken(one) if language in others)


def free_places(program: ProgramPublished, person: ParticipantEnrolled, standing: Standing) -> int:
    """How many more pairs a person can take: their own capacity or the policy's, less the pairs in force."""
    policy = program.policy
    usual = policy.mentor_capacity if person.role is Role.MENTOR else policy.mentee_capacity
    capacity = usual if person.capacity is None else person.capacity
    return max(0, capacity - standing.taken.get(person.participant_id, 0))


def broken_rules(
    program: ProgramPublished, mentor: ParticipantEnrolled, mentee: ParticipantEnrolled
) -> frozenset[Rule]:
    """The rules for whose sake a pair in force ends: its reporting lines, and the role with the consent in it."""
    lasting = {
        Rule.ROLE: not (takes_part(program, mentor, Role.MENTOR) and takes_part(program, mentee, Role.MENTEE)),
        Rule.REPORTING_LINE: share_reporting_line(mentor, mentee),
    }
    return frozenset(rule for rule, is_broken in lasting.items() if is_broken)


def reason_to_end(
    program: ProgramPublished, mentor: ParticipantEnrolled, mentee: ParticipantEnrolled
) -> PairEndReason | None:
    """Why a pair in force must end after a profile changed; None where it may go on."""
    broken = broken_rules(program, mentor, mentee)
    if not (mentor.consent.matching and mentee.consent.matching):
        return PairEndReason.CONSENT_REVOKED
    if Rule.REPORTING_LINE in broken:
        return PairEndReason.REPORTING_LINE
    return PairEndReason.RULE_BROKEN if broken else None
