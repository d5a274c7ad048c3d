"""Nothing lost, nothing doubled, everything in the order in which it was said: whatever the facts speak of."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from tests.faults.checker.story import OURS, Fact, Story
from tests.faults.checker.told import Command
from tests.faults.checker.violations import Kind, Violation

Subject = tuple[str, str]


def each_number_was_said_once(story: Story) -> Iterator[Violation]:
    """A subject's numbers run through all topics of its service, from 1 and without a gap."""
    said = _numbers(story)
    for (service, key), numbers in said.items():
        subject = f"{service} {key}"
        for number, facts in numbers.items():
            if len(facts) > 1:
                records = tuple(fact.record for fact in facts)
                yield Violation(Kind.DOUBLED_FACT, subject, f"number {number} under {len(facts)} ids", records)
        for before, after in pairwise([0, *sorted(numbers)]):
            if after - before > 1:
                what = f"numbers {before + 1} to {after - 1} are missing"
                yield Violation(Kind.GAP, subject, what, (numbers[after][0].record,))


def each_id_stands_once(story: Story) -> Iterator[Violation]:
    """Other systems may repeat themselves, services never: but for the copies that were made on purpose."""
    on_purpose = {(said.source, said.id): said.times for said in story.evidence.told.said}
    for (source, id), copies in story.copies.items():
        if source.startswith(OURS) and len(copies) > on_purpose.get((source, id), 0):
            first = story.first[source, id]
            what = f"{source} said it {1 + len(copies)} times on {first.topic}"
            yield Violation(Kind.DOUBLED_FACT, f"{first.name} {id}", what, (first, *copies))


def each_key_is_in_order(story: Story) -> Iterator[Violation]:
    """Within a topic a key has one partition, and its numbers rise with the offset."""
    for facts in story.facts.values():
        newest: dict[Subject, Fact] = {}
        for fact in sorted((fact for fact in facts if fact.service and fact.sequence is not None), key=_by_offset):
            before = newest.setdefault((fact.service, fact.key), fact)
            subject, records = f"{fact.service} {fact.key}", (before.record, fact.record)
            if before.record.partition != fact.record.partition:
                places = f"{before.record.partition} and {fact.record.partition}"
                yield Violation(Kind.OUT_OF_ORDER, subject, f"it stands on the partitions {places}", records)
            elif (fact.sequence or 0) < (before.sequence or 0):
                what = f"number {fact.sequence} stands behind {before.sequence}"
                yield Violation(Kind.OUT_OF_ORDER, subject, what, records)
            newest[fact.service, fact.key] = fact


def each_fact_is_readable(story: Story) -> Iterator[Violation]:
    """What a service says keeps its contract; a number is part of it."""
    for record, why in story.unreadable:
        id = record.text("ce_id")
        if record.text("ce_source").startswith(OURS):
            yield Violation(Kind.UNREADABLE, f"{record.name} {id}", f"{why.reason}: {why.detail}", (record,))
    for fact in story:
        if fact.service and fact.sequence is None:
            yield Violation(Kind.UNREADABLE, f"{fact.key} {fact.id}", "it has no ce_sequence", (fact.record,))


def all_that_was_produced_is_there(story: Story) -> Iterator[Violation]:
    """The generator's own facts, as often as it had them acknowledged."""
    for said in story.evidence.told.said:
        copies = len(story.copies.get((said.source, said.id), ()))
        found = copies + ((said.source, said.id) in story.first) - said.source.startswith(OURS)
        if found < said.times:
            what = f"{said.source} produced it {said.times} times on {said.topic}, {found} are there"
            yield Violation(Kind.LOST_FACT, f"{said.key} {said.id}", what)


def all_that_was_accepted_was_said(story: Story) -> Iterator[Violation]:
    """A command that was answered with a yes has its fact."""
    commands = [command for command in story.evidence.told.accepted if command.topic and command.accepted]
    wanted = {(command.topic, command.key) for command in commands}
    found: defaultdict[tuple[str, str], list[Fact]] = defaultdict(list)
    for topic in {topic for topic, _ in wanted}:
        for fact in story[topic]:
            if (topic, fact.key) in wanted:
                found[topic, fact.key].append(fact)
    for command in commands:
        if not any(_says(fact, command) for fact in found[command.topic, command.key]):
            what = f"{command.name} was answered with {command.status}, and no {command.topic} says {command.fields}"
            yield Violation(Kind.LOST_FACT, command.key, what)


def all_that_documents_said_is_there(story: Story) -> Iterator[Violation]:
    """A document counts the facts that it has said; none beyond that number is known to anybody."""
    numbers, waiting = _numbers(story), Counter(_waiting(story))
    for service, collections in story.evidence.documents.items():
        said = _said(collections)
        for key, count in said.items():
            there = max(numbers.get((service, key), {0: []}))
            if there + waiting[service, key] < count:
                what = f"its document has said {count} facts, the last one on a topic is number {there}"
                yield Violation(Kind.LOST_FACT, f"{service} {key}", what)
        for (its, key), facts in numbers.items():
            if its == service and max(facts) > said.get(key, 0):
                what = f"number {max(facts)} is on a topic, its document has said {said.get(key, 0)} facts"
                yield Violation(Kind.STATE_DIFFERS, f"{service} {key}", what, (facts[max(facts)][0].record,))


def _numbers(story: Story) -> dict[Subject, dict[int, list[Fact]]]:
    found: dict[Subject, dict[int, list[Fact]]] = {}
    for fact in story:
        if fact.service and fact.sequence is not None:
            found.setdefault((fact.service, fact.key), {}).setdefault(fact.sequence, []).append(fact)
    return found


def _by_offset(fact: Fact) -> tuple[int, int]:
    return fact.record.partition, fact.record.offset


def _said(collections: Any) -> dict[str, int]:
    rows = [row for rows in collections.values() for row in rows if row.get("said")]
    return {row["_id"]: max(row["said"], 0) for row in rows}


def _waiting(story: Story) -> Iterator[Subject]:
    """The subjects of the facts in pages that are still to be published."""
    for service in story.evidence.documents:
        for page in story.rows(service, "outbox"):
            for record in page["records"]:
                yield service, bytes(record["key"] or b"").decode(errors="replace")


def _says(fact: Fact, command: Command) -> bool:
    data = fact.record.data if command.fields else {}
    return all(data.get(name) == value for name, value in command.fields.items())
