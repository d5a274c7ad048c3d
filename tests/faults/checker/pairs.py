"""Pairs: made of people who enrolled, within their places, and ended when they must."""

from collections import defaultdict
from collections.abc import Iterator

from libs.contracts.words import PairEndReason, ProgramState
from tests.faults.checker.records import Record
from tests.faults.checker.story import Fact, Story
from tests.faults.checker.violations import Kind, Violation

SIDES = ("mentor", "mentee")


def each_pair_was_made_once(story: Story) -> Iterator[Violation]:
    for topic in ("pair-created", "pair-ended"):
        for pair_id, facts in story.by(topic, "pair_id").items():
            if len(facts) > 1:
                yield Violation(Kind.DOUBLED_EFFECT, pair_id, f"{len(facts)} times {topic}", _records(facts))
    together: defaultdict[tuple[str, str], list[Fact]] = defaultdict(list)
    for fact in story.in_force:
        together[fact.person("mentor"), fact.person("mentee")].append(fact)
    for (mentor, mentee), facts in together.items():
        if len(facts) > 1:
            what = f"{mentor} and {mentee} are a pair {len(facts)} times over"
            yield Violation(Kind.DOUBLED_EFFECT, facts[0]["pair_id"], what, _records(facts))


def each_pair_has_its_people(story: Story) -> Iterator[Violation]:
    """The enrolments and the programme that it was made of, and a beginning where there is an end."""
    for pair_id, fact in story.created.items():
        for side in SIDES:
            person = story.people.get(fact.person(side))
            if not (person and person.profiles) and fact.person(side) not in story.erased:
                yield Violation(Kind.ORPHAN, pair_id, f"{fact.person(side)} never enrolled", (fact.record,))
        if fact["program_id"] not in story.policies and fact["program_id"] not in story.erased:
            yield Violation(Kind.ORPHAN, pair_id, f"{fact['program_id']} was never published", (fact.record,))
    for pair_id, fact in story.ended.items():
        if pair_id not in story.created:
            yield Violation(Kind.ORPHAN, pair_id, "it ended and was never created", (fact.record,))


def nobody_has_more_pairs_than_places(story: Story) -> Iterator[Violation]:
    """At no time more than the person or the policy ever allowed.

    What counts is the order in which one relay said it: the times in facts are those of clocks that may be wrong.
    """
    lives: defaultdict[str, list[Fact]] = defaultdict(list)
    sides: dict[str, str] = {}
    for fact in story.created.values():
        for side in SIDES:
            lives[fact.person(side)].append(fact)
            sides[fact.person(side)] = side
    for key, facts in lives.items():
        places = _places(story, key, sides[key])
        if places is not None and len(facts) > places and (most := _at_once(story, facts)) > places:
            yield Violation(Kind.OVER_CAPACITY, key, f"{most} pairs in force with {places} places", _records(facts))


def pairs_end_when_they_must(story: Story) -> Iterator[Violation]:
    """A series that is done, a withdrawal, a consent taken back, a closed programme: none leaves a pair in force."""
    done = {fact["pair_id"] for fact in story["session-completed"] if fact["series_done"]}
    for fact in story.in_force:
        if fact["pair_id"] in done:
            yield Violation(Kind.LOST_FACT, fact["pair_id"], "its series is done and it never ended", (fact.record,))
        for why in _reasons_to_end(story, fact):
            yield Violation(Kind.LOST_FACT, fact["pair_id"], f"{why}, and the pair never ended", (fact.record,))
    for pair_id, fact in story.ended.items():
        if fact["reason"] is PairEndReason.COMPLETED and pair_id not in done:
            yield Violation(Kind.ORPHAN, pair_id, "completed, and no series of it is done", (fact.record,))


def _reasons_to_end(story: Story, fact: Fact) -> Iterator[str]:
    for side in SIDES:
        key = fact.person(side)
        person = story.people.get(key)
        if person is None or key in story.erased:
            continue
        newest = person.newest
        if not person.enrolled:
            yield f"{key} has left"
        elif newest and not newest["consent"].matching:
            yield f"{key} does not consent"
    if (published := story.policies.get(fact["program_id"])) and published[-1]["state"] is ProgramState.CLOSED:
        yield f"{fact['program_id']} is closed"


def _places(story: Story, key: str, side: str) -> int | None:
    """The most that anybody ever allowed; None where nobody said."""
    person, program_id = story.people.get(key), key.partition("/")[0]
    policies = [getattr(fact["policy"], f"{side}_capacity") for fact in story.policies.get(program_id, ())]
    own = [fact["capacity"] for fact in person.profiles] if person else [None]
    allowed = [each for each in own if each is not None] + (policies if None in own else [])
    return max(allowed, default=None)


def _at_once(story: Story, facts: list[Fact]) -> int:
    """How many of these pairs were in force at one time; in the same millisecond ends come first."""
    steps: list[tuple[int, int]] = []
    for fact in facts:
        steps.append((fact.record.timestamp, 1))
        if ended := story.ended.get(fact["pair_id"]):
            steps.append((ended.record.timestamp, -1))
    now = most = 0
    for _, step in sorted(steps):
        now += step
        most = max(most, now)
    return most


def _records(facts: list[Fact]) -> tuple[Record, ...]:
    return tuple(fact.record for fact in facts)
