"""Dead letters: each explained by a poison, each poison parked once by every service that heard it."""

from collections import defaultdict
from collections.abc import Iterator

from tests.faults.checker.records import DEAD_LETTERS, Record
from tests.faults.checker.story import Story
from tests.faults.checker.told import Poison
from tests.faults.checker.violations import Kind, Violation

Place = tuple[str, str]  # the service that parked it, and where it stood


def each_dead_letter_has_its_reason(story: Story) -> Iterator[Violation]:
    """Nobody parks a record that is good."""
    originals = _originals(story)
    for letter in story.dead_letters:
        poison, reason = _poison(story, letter, originals), letter.text("dlq_reason")
        subject = f"{_service(letter)} {_origin(letter)}"
        if poison is None:
            what = f"{reason}: {letter.text('dlq_detail')[:200]}"
            yield Violation(Kind.UNEXPLAINED_DEAD_LETTER, subject, what, (letter,))
        elif poison.reason and poison.reason != reason:
            what = f"parked as {reason}, expected {poison.reason}"
            yield Violation(Kind.UNEXPLAINED_DEAD_LETTER, subject, what, (letter,))
    for service in story.evidence.documents:
        for row in story.rows(service, "dead_letters"):
            if not row.get("topic"):
                what = f"due work {row.get('kind')} failed: {row.get('reason')} {row.get('detail')}"
                yield Violation(Kind.UNEXPLAINED_DEAD_LETTER, f"{service} {row['_id']}", what)


def each_poison_was_parked(story: Story) -> Iterator[Violation]:
    originals = _originals(story)
    parked: defaultdict[Poison, set[str]] = defaultdict(set)
    for letter in story.dead_letters:
        if poison := _poison(story, letter, originals):
            parked[poison].add(_service(letter))
    for poison in story.evidence.told.poison:
        for service in sorted(_hearers(story, poison) - parked[poison]):
            subject = f"{service} {_name(poison)}"
            yield Violation(Kind.MISSING_DEAD_LETTER, subject, f"never parked ({poison.reason or 'any reason'})")


def each_dead_letter_stands_once(story: Story) -> Iterator[Violation]:
    """On its topic and in the service's database, by the place that the record had."""
    letters: defaultdict[Place, list[Record]] = defaultdict(list)
    for letter in story.dead_letters:
        letters[_service(letter), _origin(letter)].append(letter)
    for (service, place), records in letters.items():
        if len(records) > 1:
            yield Violation(Kind.DOUBLED_FACT, f"{service} {place}", "parked more than once", tuple(records))
    kept = {
        (service, f"{row['topic']}/{row['partition']}/{row['offset']}")
        for service in story.evidence.documents
        for row in story.rows(service, "dead_letters")
        if row.get("topic")
    }
    for service, place in sorted(kept - set(letters)):
        yield Violation(Kind.MISSING_DEAD_LETTER, f"{service} {place}", "in the database, not on its topic")
    for service, place in sorted(set(letters) - kept):
        if service in story.evidence.documents:
            yield Violation(
                Kind.MISSING_DEAD_LETTER, f"{service} {place}", "not in the database", tuple(letters[service, place])
            )


def _poison(story: Story, letter: Record, originals: dict[str, Record]) -> Poison | None:
    """By the record that was parked, where it is still there, else by its copy."""
    place = _origin(letter)
    return story.poison.of(originals.get(place, letter), place)


def _originals(story: Story) -> dict[str, Record]:
    """The parked records as they stand on their topics; a copy that did not fit is only a pointer."""
    origins = {_origin(letter) for letter in story.dead_letters}
    return {record.place: record for record in story.evidence.records if record.place in origins} if origins else {}


def _hearers(story: Story, poison: Poison) -> set[str]:
    """Dead-letter topics follow from what each service hears."""
    start = f"{poison.topic}."
    heard = {_service_of(topic) for topic in story.evidence.topics if topic.startswith(start)}
    return set(poison.services) or heard - {""}


def _service(letter: Record) -> str:
    return _service_of(letter.topic)


def _service_of(topic: str) -> str:
    return topic.removesuffix(DEAD_LETTERS).rpartition(".")[2] if topic.endswith(DEAD_LETTERS) else ""


def _origin(letter: Record) -> str:
    return letter.text("dlq_origin")


def _name(poison: Poison) -> str:
    if poison.partition is not None:
        return f"{poison.topic}/{poison.partition}/{poison.offset}"
    return f"{poison.topic} {poison.ce_id or poison.digest[:12]}"
