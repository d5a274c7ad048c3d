"""One person against everybody of the other side: who breaks no rule, and what each pair scores.

`feasibility` and `score` say the same as matrices. Each rule is one pass over an array, and only those who are left are
scored: about a millisecond for 100,000 others.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from libs.contracts.events import ProgramPublished
from libs.contracts.words import Difference, Role
from services.matching.rules.crowd.lists import Integers, Lists
from services.matching.rules.crowd.sides import NOBODY, STARS, Codes
from services.matching.rules.rolling.kept import KeptSide
from services.matching.rules.score import FULL, HALF_OF_WAITING, WHOLE, shares
from services.matching.rules.working_hours import QUARTER

_STARS = 2**STARS - 1
_SECOND = timedelta(seconds=1) // timedelta(microseconds=1)
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class Asking(NamedTuple):
    """Who asks: the person at `place` of `mine`, who has the role."""

    program: ProgramPublished
    codes: Codes
    role: Role
    mine: KeptSide
    place: int
    others: KeptSide


def fitting(asking: Asking, apart: list[int], now: datetime) -> tuple[Integers, Integers]:
    """Places of the others who break no rule with the person, and the scores in millionths.

    apart: places of those who are excluded, cool down or are partners of the person.
    """
    marks = _allowed(asking)
    marks[apart] = False
    found = np.flatnonzero(marks)
    return found, _scores(asking, found, microseconds(now))


def microseconds(moment: datetime) -> int:
    """Since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _allowed(asking: Asking) -> NDArray[np.bool_]:
    program, codes, role, mine, place, others = asking
    me, they, policy = mine.side, others.side, program.policy
    if not (me.takes_part[place] and me.places[place] > 0):
        return np.zeros(len(they), dtype=np.bool_)
    marks = others.waits & they.takes_part & (they.places > 0)
    gap = me.grade[place] - they.grade if role is Role.MENTEE else they.grade - me.grade[place]
    marks &= gap >= policy.min_grade_gap
    if policy.max_grade_gap is not None:
        marks &= gap <= policy.max_grade_gap
    if policy.different_unit is Difference.REQUIRED:
        marks &= they.unit != me.unit[place]
    if policy.different_function is Difference.REQUIRED:
        marks &= they.function != me.function[place]
    if policy.require_shared_language:
        marks &= _talk(codes, int(me.tongue[place]))[they.tongue]
    if policy.min_overlap_minutes_per_week > 0:
        marks &= (_minutes(codes, int(me.hours[place])) >= policy.min_overlap_minutes_per_week)[they.hours]
    if mine.manager[place] != NOBODY:
        marks &= others.manager != mine.manager[place]
    marks[_reports(they.managers, int(me.person[place]))] = False
    bosses = _of(me.managers, place).tolist()
    marks[[others.places[boss] for boss in bosses if boss in others.places]] = False
    return marks


def _talk(codes: Codes, tongue: int) -> NDArray[np.bool_]:
    """With which sets of languages the set has one in common."""
    sets = list(codes.tongues)
    spoken = set(sets[tongue])
    return np.array([not spoken.isdisjoint(other) for other in sets], dtype=np.bool_)


def _minutes(codes: Codes, week: int) -> Integers:
    """What each distinct working week has in common with the one."""
    weeks = np.frombuffer(b"".join(codes.weeks), dtype=np.uint8).reshape(len(codes.weeks), -1)
    return np.asarray(QUARTER * np.bitwise_count(weeks & weeks[week]).sum(axis=1, dtype=np.int64))


def _reports(managers: Lists, person: int) -> Integers:
    """Whose chains of managers hold the person."""
    return np.asarray(np.searchsorted(managers.starts, np.flatnonzero(managers.values == person), side="right") - 1)


def _scores(asking: Asking, found: Integers, now: int) -> Integers:
    program, _, role, mine, place, others = asking
    learnt, taught = _learnt(asking, found), _taught(asking, found)
    waiting = _waiting(mine.since[[place]], now) + _waiting(others.since[found], now)
    parts = {
        "learning": learnt if role is Role.MENTEE else taught,
        "reciprocal": taught if role is Role.MENTEE else learnt,
        "preference": _preference(asking, found),
        "diversity": _diversity(asking, found),
        "waiting": waiting // 2,
    }
    given = shares(program.policy.weights)
    total = sum((given[name] * part for name, part in parts.items()), np.zeros(len(found), dtype=np.int64))
    return np.asarray((total + WHOLE // 2) // WHOLE)


def _learnt(asking: Asking, found: Integers) -> Integers:
    """How well the others' expertise meets the person's goals."""
    skills = asking.others.side.skills.taken(found)
    gained = skills.sums(_products(skills, _of(asking.mine.side.goals, asking.place), asking.codes))
    return gained * FULL // max(int(asking.mine.wanted[asking.place]), 1)


def _taught(asking: Asking, found: Integers) -> Integers:
    """How well the person's expertise meets the others' goals."""
    goals = asking.others.side.goals.taken(found)
    gained = goals.sums(_products(goals, _of(asking.mine.side.skills, asking.place), asking.codes))
    return np.asarray(gained * FULL // np.maximum(asking.others.wanted[found], 1))


def _products(theirs: Lists, mine: NDArray[np.int32], codes: Codes) -> Integers:
    stars = np.zeros(len(codes.topics), dtype=np.int64)
    stars[mine >> STARS] = mine & _STARS
    return np.asarray((theirs.values & _STARS) * stars[theirs.values >> STARS])


def _preference(asking: Asking, found: Integers) -> Integers:
    """The mean of how high both rank each other."""
    mine, others = asking.mine.side, asking.others.side
    named, theirs = _of(mine.preferred, asking.place), others.preferred.taken(found)
    first = {int(person): rank for rank, person in reversed(list(enumerate(named.tolist())))}
    ranks = np.zeros(len(asking.codes.people), dtype=np.int64)
    for person, rank in first.items():
        ranks[person] = (len(named) - rank) * FULL // len(named)
    hits = np.flatnonzero(theirs.values == mine.person[asking.place])
    owners = np.searchsorted(theirs.starts, hits, side="right") - 1
    lengths = np.diff(theirs.starts)[owners]
    back = np.zeros(len(found), dtype=np.int64)
    np.maximum.at(back, owners, (lengths - (hits - theirs.starts[owners])) * FULL // np.maximum(lengths, 1))
    return (ranks[others.person[found]] + back) // 2


def _diversity(asking: Asking, found: Integers) -> Integers:
    policy, traits = asking.program.policy, ["location"]
    if policy.different_unit is Difference.PREFERRED:
        traits.append("unit")
    if policy.different_function is Difference.PREFERRED:
        traits.append("function")
    mine, others = asking.mine.side, asking.others.side
    differing = sum(
        (getattr(others, trait)[found] != getattr(mine, trait)[asking.place] for trait in traits),
        np.zeros(len(found), dtype=np.int64),
    )
    return np.asarray(differing * FULL // len(traits))


def _waiting(since: Integers, now: int) -> Integers:
    seconds = np.maximum(now - since, 0) // _SECOND
    return np.asarray(seconds * FULL // (seconds + HALF_OF_WAITING // timedelta(seconds=1)))


def _of(lists: Lists, place: int) -> NDArray[np.int32]:
    return lists.values[lists.starts[place] : lists.starts[place + 1]]
