"""The documents of each service say what the facts say, once nothing moves any more."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.faults.checker.evidence import Row
from tests.faults.checker.pairs import SIDES
from tests.faults.checker.records import Record
from tests.faults.checker.story import Fact, Story
from tests.faults.checker.violations import Kind, Violation

_STATES = {
    "session-scheduled": "planned",
    "session-cancelled": "cancelled",
    "session-completed": "completed",
    "session-missed": "missed",
}


@dataclass(frozen=True, slots=True)
class Due:
    """What a document must say, by the path of its fields, and the fact that says so."""

    fields: Mapping[str, Any]
    record: Record


def matching_knows_its_pairs(story: Story) -> Iterator[Violation]:
    wanted = {}
    for pair_id, fact in story.created.items():
        ended = story.ended.get(pair_id)
        fields = {"mentor_id": fact["mentor_id"], "mentee_id": fact["mentee_id"]}
        fields |= {"state": "ended", "ended.reason": ended["reason"]} if ended else {"state": "in_force"}
        wanted[pair_id] = Due(fields, (ended or fact).record)
    yield from _compare(story, "matching", "pairs", wanted, lambda row: bool(row["state"]))


def matching_knows_who_is_paired(story: Story) -> Iterator[Violation]:
    """A person's partners are the pairs in force, no more and no fewer."""
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    for fact in story.in_force:
        for side in SIDES:
            wanted[fact.person(side)].add(fact["pair_id"])
    for row in story.rows("matching", "people"):
        found = {partner["pair_id"] for partner in row["partners"]}
        if found != wanted[row["_id"]]:
            what = f"pairs {sorted(found)}, the facts say {sorted(wanted[row['_id']])}"
            yield Violation(Kind.STATE_DIFFERS, f"matching people {row['_id']}", what)


def scheduling_knows_its_pairs(story: Story) -> Iterator[Violation]:
    planned: dict[str, str] = {fact["pair_id"]: fact["session_id"] for fact in story.planned.values()}
    last = [facts[-1] for facts in story.sessions.values()]
    meetings = Counter(fact["pair_id"] for fact in last)
    held = Counter(fact["pair_id"] for fact in last if fact.topic == "session-completed")
    wanted = {}
    for pair_id, fact in story.created.items():
        ended = story.ended.get(pair_id)
        fields = {
            "created": True,
            "ended_at": ended["ended_at"] if ended else None,
            "planned": meetings[pair_id],
            "held": held[pair_id],
            "session_id": planned.get(pair_id, ""),
        }
        wanted[pair_id] = Due(fields, (ended or fact).record)
    yield from _compare(story, "scheduling", "pairs", wanted, lambda row: bool(row["created"]))


def sessions_are_as_last_said(story: Story) -> Iterator[Violation]:
    """In scheduling, which says them, and in notifications, which hears them in any order."""
    wanted, heard = {}, {}
    for session_id, facts in story.sessions.items():
        last, state = facts[-1], _STATES[facts[-1].topic]
        times = [fact["starts_at"] for fact in facts if fact.topic == "session-scheduled"]
        fields = {"revision": last["revision"], "state": state, "number": last["number"]}
        wanted[session_id] = Due(fields | {"starts_at": times[-1] if times else None}, last.record)
        state = "held" if state == "completed" else state
        heard[session_id] = Due({"revision": last["revision"], "state": state}, last.record)
    yield from _compare(story, "scheduling", "sessions", wanted, lambda row: row["state"] != "unplanned")
    yield from _compare(story, "notifications", "sessions", heard, lambda row: row["revision"] >= 0)


def notifications_knows_which_pairs_ended(story: Story) -> Iterator[Violation]:
    wanted = {pair_id: Due({"ended": True}, fact.record) for pair_id, fact in story.ended.items()}
    yield from _compare(story, "notifications", "pairs", wanted, lambda row: bool(row["ended"]))


def people_are_as_last_enrolled(story: Story) -> Iterator[Violation]:
    """Every service has the newest revision of the source that enrolled the person, and the latest withdrawal."""
    places = {
        "matching": ("profile.revision", "withdrawal.withdrawn_at"),
        "scheduling": ("profile.revision", "withdrawn_at"),
        "notifications": ("contact.revision", "withdrawn_at"),
    }
    for service, (revision, withdrawn_at) in places.items():
        wanted = {}
        for key, person in story.people.items():
            if key not in story.erased:
                newest, last = person.newest, (person.profiles or person.withdrawals)[-1]
                fields = {revision: newest and newest["revision"], withdrawn_at: person.withdrawn_at}
                wanted[key] = Due(fields | ({"owner": person.owner} if newest else {}), last.record)
        yield from _compare(story, service, "people", wanted, lambda row: False)


def who_was_erased_is_forgotten(story: Story) -> Iterator[Violation]:
    """No profile is left of somebody who did not enrol again after the erasure."""
    places = {"matching": "profile", "scheduling": "profile", "notifications": "contact"}
    last = {key: record for key, record in story.erased.items() if record.topic == "participant-enrolled"}
    for key in [key for key, record in last.items() if _came_back(story, key, record)]:
        del last[key]
    for service, path in places.items():
        for row in story.rows(service, "people"):
            if row["_id"] in last and _at(row, path):
                what = f"{path} is still there after the erasure"
                yield Violation(Kind.STATE_DIFFERS, f"{service} people {row['_id']}", what, (last[row["_id"]],))


def programs_are_as_last_published(story: Story) -> Iterator[Violation]:
    places = {"matching": "published.revision", "scheduling": "revision", "notifications": "published.revision"}
    for service, path in places.items():
        wanted = {
            program_id: Due({path: facts[-1]["revision"]}, facts[-1].record)
            for program_id, facts in story.policies.items()
            if program_id not in story.erased
        }
        yield from _compare(story, service, "programs", wanted, lambda row: False)


def diaries_have_what_is_planned(story: Story) -> Iterator[Violation]:
    """A planned meeting that is not over stands in both diaries, and nothing else does."""
    if "scheduling" not in story.evidence.documents:
        return
    later = story.evidence.at
    wanted: defaultdict[str, dict[str, Fact]] = defaultdict(dict)
    for session_id, fact in story.planned.items():
        for side in SIDES:
            wanted[fact.person(side)][session_id] = fact
    rows = {row["_id"]: row for row in story.rows("scheduling", "diaries")}
    for key in sorted((set(rows) | set(wanted)) - set(story.erased)):
        planned = wanted.get(key, {})
        found = {(each["session_id"], each["starts_at"]) for each in rows.get(key, {}).get("meetings", ())}
        said = {(session_id, fact["starts_at"]) for session_id, fact in planned.items()}
        future = {(id, at) for id, at in said if planned[id]["ends_at"] > later}
        if not future <= found <= said:
            what = f"meetings {sorted(id for id, _ in found)}, the facts say {sorted(planned)}"
            records = tuple(fact.record for fact in planned.values())
            yield Violation(Kind.STATE_DIFFERS, f"scheduling diaries {key}", what, records)


def notices_are_as_last_said(story: Story) -> Iterator[Violation]:
    """What is sent or given up was said, and the other way round."""
    wanted = {}
    for topic, state in (("notification-sent", "sent"), ("notification-failed", "failed")):
        for fact in story[topic]:
            wanted[fact["notification_id"]] = Due({"state": state}, fact.record)
    yield from _compare(story, "notifications", "notices", wanted, lambda row: row["state"] in ("sent", "failed"))


def _compare(
    story: Story, service: str, collection: str, wanted: Mapping[str, Due], speaks: Callable[[Row], bool]
) -> Iterator[Violation]:
    """`speaks` tells whether a row that no fact tells of says something all the same."""
    if service not in story.evidence.documents:
        return
    rows = {row["_id"]: row for row in story.rows(service, collection)}
    for id, due in wanted.items():
        subject, row = f"{service} {collection} {id}", rows.get(id)
        if row is None:
            yield Violation(Kind.STATE_DIFFERS, subject, "there is no such document", (due.record,))
            continue
        if wrong := [_differs(row, path, value) for path, value in due.fields.items() if _at(row, path) != value]:
            yield Violation(Kind.STATE_DIFFERS, subject, "; ".join(wrong), (due.record,))
    for id, row in rows.items():
        if id not in wanted and speaks(row):
            yield Violation(Kind.STATE_DIFFERS, f"{service} {collection} {id}", "no fact tells of it")


def _came_back(story: Story, key: str, erased: Record) -> bool:
    person = story.people.get(key)
    return any(fact.record.offset > erased.offset for fact in person.profiles) if person else False


def _differs(row: Row, path: str, value: Any) -> str:
    return f"{path} is {_at(row, path)!s}, the facts say {value!s}"


def _at(row: Row, path: str) -> Any:
    value: Any = row
    for name in path.split("."):
        value = value.get(name) if value else None
    return value
