"""Mails: each for a fact, each fact's once, but for the window in which a crash may repeat one."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from libs.contracts.words import Channel
from tests.faults.checker.evidence import Mail, Row
from tests.faults.checker.pairs import SIDES
from tests.faults.checker.story import Fact, Story
from tests.faults.checker.told import Fault
from tests.faults.checker.violations import Kind, Violation

_OFFICE = "~office"
_SENT, _FAILED = "notification-sent", "notification-failed"
_BLUR = timedelta(seconds=2)
# From when the server took a mail until the service's transaction knows it
_SETTLED_WITHIN = timedelta(seconds=10)

Notice = tuple[str, str, str, int]  # template, key of the person, pair or session, its revision


def each_notice_has_one_result(story: Story) -> Iterator[Violation]:
    results: defaultdict[str, list[Fact]] = defaultdict(list)
    for topic in (_SENT, _FAILED):
        for fact in story[topic]:
            results[fact["notification_id"]].append(fact)
    for id, facts in results.items():
        if len(facts) > 1:
            what = " and ".join(fact.topic for fact in facts)
            yield Violation(Kind.DOUBLED_EFFECT, id, what, tuple(fact.record for fact in facts))


def nobody_is_told_twice_of_a_fact(story: Story) -> Iterator[Violation]:
    """But for the reminders of a meeting, which are as many as the policy says."""
    told: defaultdict[tuple[str, str, str], list[Fact]] = defaultdict(list)
    for fact in story[_SENT]:
        if fact["template"] != "session_reminder":
            told[fact["template"], fact.key, fact["about"].event_id].append(fact)
    for (template, person, event_id), facts in told.items():
        if len({fact["notification_id"] for fact in facts}) > 1:
            records = tuple(fact.record for fact in facts)
            yield Violation(Kind.DOUBLED_EFFECT, person, f"{template} of {event_id} under two ids", records)


def each_notice_tells_of_a_fact(story: Story) -> Iterator[Violation]:
    ids = {id for _, id in story.first}
    for topic in (_SENT, _FAILED):
        for fact in story[topic]:
            about = fact["about"]
            if about.event_id not in ids and not about.event_id.startswith(f"{about.topic}/"):
                what = f"there is no {about.topic} {about.event_id}"
                yield Violation(Kind.ORPHAN, fact["notification_id"], what, (fact.record,))


def each_sent_mail_was_taken(story: Story) -> Iterator[Violation]:
    taken = story.evidence.taken
    for fact in story[_SENT]:
        if fact["channel"] is Channel.EMAIL and fact["message_id"] not in taken:
            what = f"the mail server never took {fact['message_id']}"
            yield Violation(Kind.MAIL_MISSING, fact["notification_id"], what, (fact.record,))


def each_mail_has_its_fact(story: Story) -> Iterator[Violation]:
    """A server may take a mail and its answer get lost: only a fault explains a mail that nobody counts as sent.

    It is one of those that the fault may repeat; here the repeat was no longer wanted.
    """
    sent, left = {fact["message_id"]: fact for fact in story[_SENT]}, _repeats(story)
    for mail in sorted(story.evidence.mails, key=lambda mail: mail.at):
        fact = sent.get(mail.message_id)
        if fact is None:
            if not _explained(story, left, mail.at, mail.at + _SETTLED_WITHIN):
                yield Violation(Kind.ORPHAN, mail.message_id, "a mail that no notification-sent tells of")
        elif mail.to.lower() not in _addresses(story, fact):
            yield Violation(Kind.ORPHAN, mail.message_id, f"{fact.key} never had its address", (fact.record,))


def each_mail_was_sent_once(story: Story) -> Iterator[Violation]:
    """A repeat needs a fault between the two, and each fault explains only so many."""
    counts = story.evidence.taken
    again: defaultdict[str, list[Mail]] = defaultdict(list)
    for mail in story.evidence.mails:
        if counts[mail.message_id] > 1:
            again[mail.message_id].append(mail)
    left = _repeats(story)
    repeats = [pair for mails in again.values() for pair in pairwise(sorted(mails, key=lambda mail: mail.at))]
    for before, after in sorted(repeats, key=lambda pair: pair[1].at):
        if not _explained(story, left, before.at, after.at):
            what = f"taken at {before.at:%X} and at {after.at:%X}, and no fault explains it"
            yield Violation(Kind.MAIL_DOUBLED, before.message_id, what)


def everybody_concerned_has_a_notice(story: Story) -> Iterator[Violation]:
    """Whatever became of it: sent, failed, or dropped as untrue."""
    if "notices" not in story.evidence.documents.get("notifications", {}):
        return
    kept = {_notice(row) for row in story.rows("notifications", "notices") if row.get("notice")}
    for (template, person, what, revision), fact in _wanted(story):
        if (template, person, what, revision) not in kept:
            text = f"{person} was never to be told ({template}, revision {revision})"
            yield Violation(Kind.MAIL_MISSING, what, text, (fact.record,))


def _wanted(story: Story) -> Iterator[tuple[Notice, Fact]]:
    for fact in story.created.values():
        yield from (((("pair_created", fact.person(side), fact["pair_id"], 0)), fact) for side in SIDES)
    for fact in story.ended.values():
        template = "thank_you" if fact["reason"] == "completed" else "pair_ended"
        yield from (((template, fact.person(side), fact["pair_id"], 0), fact) for side in SIDES)
    for fact in story["session-scheduled"]:
        template = "session_scheduled" if fact["revision"] == 1 else "session_moved"
        yield from (((template, fact.person(side), fact["session_id"], fact["revision"]), fact) for side in SIDES)
    for fact in story["session-cancelled"]:
        yield from (
            (("session_cancelled", fact.person(side), fact["session_id"], fact["revision"]), fact) for side in SIDES
        )
    for fact in story["pair-at-risk"]:
        yield ("at_risk", f"{fact['program_id']}/{_OFFICE}", fact["pair_id"], 0), fact


def _notice(row: Row) -> Notice:
    notice = row["notice"]
    about = notice.get("session_id") or notice.get("pair_id") or ""
    return notice["template"], f"{notice['program_id']}/{notice['participant_id']}", about, notice.get("revision") or 0


def _addresses(story: Story, fact: Fact) -> set[str]:
    """Every address that the person, or the programme's office, ever had."""
    if fact["participant_id"] == _OFFICE:
        policies = [each["policy"] for each in story.policies.get(fact["program_id"], ())]
        found = {policy.office_email for policy in policies if policy.office_email}
        return {address.lower() for address in found | {p.organizer.email for p in policies if p.organizer}}
    person = story.people.get(fact.key)
    return {profile["email"].lower() for profile in person.profiles} if person else set()


def _repeats(story: Story) -> Counter[int]:
    """How many mails each fault may still repeat."""
    return Counter({index: fault.repeats for index, fault in enumerate(story.evidence.told.faults)})


def _explained(story: Story, left: Counter[int], since: datetime, until: datetime) -> bool:
    """Whether a fault between the two may repeat one more mail; it is charged for it."""
    for index, fault in sorted(enumerate(story.evidence.told.faults), key=lambda pair: pair[1].until):
        if left[index] and _covers(fault, since, until):
            left[index] -= 1
            return True
    return False


def _covers(fault: Fault, since: datetime, until: datetime) -> bool:
    return fault.since <= until + _BLUR and fault.until >= since - _BLUR
