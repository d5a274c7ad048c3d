"""Sessions: of a pair, each revision once, decided once, and never two at a time for one person."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby, pairwise

from libs.contracts.words import Sign
from tests.faults.checker.pairs import SIDES
from tests.faults.checker.story import Fact, Story
from tests.faults.checker.violations import Kind, Violation

_PLANNED, _HELD = "session-scheduled", "session-completed"
# What begins while its pair ends may still be held.
_SLOW_COMMIT = timedelta(minutes=10)


def each_session_has_its_pair(story: Story) -> Iterator[Violation]:
    """And names the two people of that pair."""
    for session_id, facts in story.sessions.items():
        for fact in facts:
            pair = story.created.get(fact["pair_id"])
            if pair is None:
                yield Violation(Kind.ORPHAN, session_id, f"there is no pair {fact['pair_id']}", (fact.record,))
                break
            if any(pair.person(side) != fact.person(side) for side in SIDES):
                records = (pair.record, fact.record)
                yield Violation(Kind.STATE_DIFFERS, session_id, "it names others than its pair does", records)


def each_revision_was_said_once(story: Story) -> Iterator[Violation]:
    """A meeting's revision rises by one with every fact about it; what was decided stays decided."""
    for session_id, facts in story.sessions.items():
        for before, after in pairwise(facts):
            step, records = after["revision"] - before["revision"], (before.record, after.record)
            if step == 0:
                yield Violation(Kind.DOUBLED_EFFECT, session_id, f"revision {after['revision']} twice", records)
            elif step > 1:
                yield Violation(Kind.LOST_FACT, session_id, f"nothing after revision {before['revision']}", records)
            elif before.topic != _PLANNED and not before.topic == after.topic == _HELD:
                yield Violation(Kind.DOUBLED_EFFECT, session_id, f"{before.topic}, then {after.topic}", records)
        if facts[0]["revision"] != 1 or facts[0].topic != _PLANNED:
            yield Violation(Kind.LOST_FACT, session_id, "its first time was never said", (facts[0].record,))


def each_series_goes_on_one_by_one(story: Story) -> Iterator[Violation]:
    """One meeting planned at a time, each number held once and in turn, no more than the policy ever allowed."""
    held: defaultdict[str, list[Fact]] = defaultdict(list)
    planned: defaultdict[str, list[Fact]] = defaultdict(list)
    for facts in story.sessions.values():
        if facts[-1].topic == _HELD:
            held[facts[-1]["pair_id"]].append(facts[-1])
    for fact in story.planned.values():
        planned[fact["pair_id"]].append(fact)
    for pair_id, facts in planned.items():
        if len(facts) > 1:
            records = tuple(fact.record for fact in facts)
            yield Violation(Kind.DOUBLED_EFFECT, pair_id, f"{len(facts)} meetings are planned at once", records)
    for pair_id, facts in held.items():
        numbers = sorted(fact["number"] for fact in facts)
        records = tuple(fact.record for fact in facts)
        if len(set(numbers)) < len(numbers) or len(numbers) > _most(story, facts[0]):
            yield Violation(Kind.DOUBLED_EFFECT, pair_id, f"the meetings {numbers} were held", records)
        elif numbers != list(range(1, len(numbers) + 1)):
            yield Violation(Kind.LOST_FACT, pair_id, f"only the meetings {numbers} were held", records)


def each_pair_meets(story: Story) -> Iterator[Violation]:
    """A pair in force has a meeting planned, a series that is done, or a warning that says why not."""
    settled = {fact["pair_id"] for fact in story.planned.values()}
    settled |= {fact["pair_id"] for fact in story["session-completed"] if fact["series_done"]}
    settled |= {fact["pair_id"] for fact in story["pair-at-risk"] if fact["sign"] is not Sign.LOST_IN_A_ROW}
    for fact in story.in_force:
        people = [story.people.get(fact.person(side)) for side in SIDES]
        if fact["pair_id"] in settled or not all(person and person.enrolled for person in people):
            continue
        if any(fact.person(side) in story.erased for side in SIDES) or fact["program_id"] in story.erased:
            continue
        if story.keeps_its_length(fact["program_id"]):
            yield Violation(Kind.LOST_FACT, fact["pair_id"], "no meeting is planned", (fact.record,))


def pairs_that_ended_meet_no_more(story: Story) -> Iterator[Violation]:
    """Their future meetings were cancelled."""
    soon = story.evidence.at + _SLOW_COMMIT
    for session_id, fact in story.planned.items():
        ended = story.ended.get(fact["pair_id"])
        if ended and fact["starts_at"] > soon:
            records = (ended.record, fact.record)
            yield Violation(Kind.LOST_FACT, session_id, "its pair ended and it was never cancelled", records)


def nobody_is_booked_twice(story: Story) -> Iterator[Violation]:
    """At no time had a person two planned meetings of different pairs that overlap.

    What counts is the order in which one relay said it. Of one millisecond, all is taken together.
    """
    said = sorted((fact for facts in story.sessions.values() for fact in facts), key=_said_at)
    diaries: defaultdict[str, dict[str, Fact]] = defaultdict(dict)
    for _, together in groupby(said, key=_said_at):
        newest = {fact["session_id"]: fact for fact in sorted(together, key=lambda fact: fact["revision"])}
        for id, fact in newest.items():
            for side in SIDES:
                diaries[fact.person(side)].pop(id, None)
        for id, fact in newest.items():
            if fact.topic == _PLANNED:
                yield from _booked(diaries, id, fact)


def _booked(diaries: defaultdict[str, dict[str, Fact]], id: str, new: Fact) -> Iterator[Violation]:
    for key in map(new.person, SIDES):
        for other_id, other in diaries[key].items():
            overlap = new["starts_at"] < other["ends_at"] and other["starts_at"] < new["ends_at"]
            if overlap and new["pair_id"] != other["pair_id"]:
                yield Violation(Kind.DOUBLE_BOOKING, key, f"{other_id} and {id} overlap", (other.record, new.record))
        diaries[key][id] = new


def _said_at(fact: Fact) -> int:
    return fact.record.timestamp


def _most(story: Story, fact: Fact) -> float:
    policies = story.policies.get(fact["program_id"], ())
    return max((each["policy"].sessions_per_pair for each in policies), default=float("inf"))
