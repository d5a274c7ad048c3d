"""A company that fits on a page, as a run leaves it behind. Tests plant faults in it."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from zlib import crc32

from libs.contracts import events
from libs.contracts.envelope import describe, encode, headers
from libs.contracts.examples import EXAMPLES, PARTICIPANT_ENROLLED, PROGRAM_PUBLISHED
from libs.contracts.topics import TOPICS
from tests.faults.checker.evidence import Evidence, Mail, Row
from tests.faults.checker.records import Record
from tests.faults.checker.told import Said, Told

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
GATHERED = datetime(2026, 3, 20, 12, tzinfo=UTC)
PROGRAM = "digital-2026"
HR = "/hr"
HEARERS = ("matching", "scheduling", "notifications")


class SmallCompany:
    """What it says becomes records, what it keeps becomes documents; both can be changed before they are shown."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.documents: dict[str, dict[str, dict[str, Row]]] = {name: defaultdict(dict) for name in HEARERS}
        self.mails: list[Mail] = []
        self.told = Told()
        self.hidden: dict[str, int] = {}
        self.topics = {*TOPICS, *(f"participant-enrolled.{name}.dlq" for name in HEARERS)}
        self._about: dict[str, str] = {}
        self._clock = (START + timedelta(minutes=minute) for minute in count())
        self._ids = count(1)
        self._numbers: Counter[tuple[str, str]] = Counter()
        self._offsets: Counter[tuple[str, int]] = Counter()

    def evidence(self) -> Evidence:
        documents = {
            service: {collection: list(rows.values()) for collection, rows in collections.items()}
            for service, collections in self.documents.items()
        }
        return Evidence(
            tuple(self.records),
            documents,
            tuple(self.mails),
            self.told,
            frozenset(self.topics),
            self.hidden,
            GATHERED,
        )

    def say(self, event: events.Event, service: str = "") -> Record:
        """As a service, whose facts of a key are numbered, or as another system."""
        source, number = f"/viceversa/{service}" if service else HR, None
        if service:
            self._numbers[service, event.key] += 1
            number = self._numbers[service, event.key]
        at, id = next(self._clock), f"e{next(self._ids)}"
        if not isinstance(event, events.NotificationSent | events.NotificationFailed):
            self._about = {"topic": event.topic, "event_id": id}
        envelope = describe(event, id=id, source=source, time=at, sequence=number)
        if not service:
            self.told.said.append(Said(source, id, event.topic, event.key))
        return self.produce(event.topic, event.key.encode(), encode(event), headers(envelope))

    def produce(
        self, topic: str, key: bytes | None, value: bytes | None, pairs: Any, partition: int | None = None
    ) -> Record:
        """A record behind the others of its partition."""
        place = (topic, crc32(key or b"") % 6 if partition is None else partition)
        at = int(next(self._clock).timestamp() * 1000)
        record = Record(topic, place[1], self._offsets[place], at, key, value, tuple(pairs))
        self._offsets[place] += 1
        self.records.append(record)
        return record

    def row(self, service: str, collection: str, id: str, **fields: Any) -> Row:
        """The document with these fields changed."""
        row = self.documents[service][collection].setdefault(id, {"_id": id, "said": 0})
        row.update(fields)
        return row

    def said(self, service: str, collection: str, id: str) -> None:
        self.row(service, collection, id, said=self._numbers[service, id])

    def publish(self, revision: int = 1, state: str = "running", **policy: Any) -> None:
        changed = PROGRAM_PUBLISHED.policy.model_dump() | {"sessions_per_pair": 2} | policy
        fields = {"revision": revision, "state": state, "policy": changed}
        self.say(PROGRAM_PUBLISHED.model_validate(PROGRAM_PUBLISHED.model_dump() | fields))
        for kind in ("MatchWaiting", "MatchEverybody"):
            self.row("matching", "due", f"{kind}:{PROGRAM}", due_at=GATHERED)
        self.row("matching", "programs", PROGRAM, published={"revision": revision})
        self.row("scheduling", "programs", PROGRAM, revision=revision)
        self.row("notifications", "programs", PROGRAM, published={"revision": revision})

    def enrol(self, name: str, role: str, *, revision: int = 1, service: str = "", **profile: Any) -> None:
        fields = {"participant_id": name, "role": role, "revision": revision, "email": f"{name}@engines.invalid"}
        fields |= {"preferred_ids": (), "capacity": None, "consent": {"matching": True}}
        event = events.ParticipantEnrolled.model_validate(PARTICIPANT_ENROLLED.model_dump() | fields | profile)
        self.say(event, service)
        owner = f"/viceversa/{service}" if service else HR
        held = {"owner": owner, "profile": {"revision": revision}}
        self.row("matching", "people", event.key, **held).setdefault("partners", [])
        self.said("matching", "people", event.key)
        self.row("scheduling", "people", event.key, **held)
        self.row("scheduling", "diaries", event.key).setdefault("meetings", [])
        self.row("notifications", "people", event.key, owner=owner, contact={"revision": revision})
        self.tell(event.key, "welcome", event, state="dropped")

    def withdraw(self, name: str, service: str = "") -> None:
        fields = {"program_id": PROGRAM, "participant_id": name, "revision": 9, "reason": "left"}
        event = events.ParticipantWithdrawn(**fields, withdrawn_at=next(self._clock))
        self.say(event, service)
        self.row("matching", "people", event.key, withdrawal={"withdrawn_at": event.withdrawn_at})
        self.said("matching", "people", event.key)
        for other in ("scheduling", "notifications"):
            self.row(other, "people", event.key, withdrawn_at=event.withdrawn_at)

    def pair(self, id: str, mentor: str, mentee: str) -> None:
        """In force, without a meeting."""
        names = {"pair_id": id, "program_id": PROGRAM, "mentor_id": mentor, "mentee_id": mentee}
        event = _like(events.PairCreated, names, created_at=next(self._clock))
        self.say(event, "matching")
        self.row("matching", "pairs", id, state="in_force", mentor_id=mentor, mentee_id=mentee, ended=None)
        self.said("matching", "pairs", id)
        blank = {"created": True, "ended_at": None, "planned": 0, "held": 0, "session_id": ""}
        self.row("scheduling", "pairs", id, **names, **blank)
        self.row("scheduling", "due", f"LookAgain:{id}", due_at=GATHERED)
        for name in (mentor, mentee):
            self.row("matching", "people", f"{PROGRAM}/{name}").setdefault("partners", []).append({"pair_id": id})
            self.tell(f"{PROGRAM}/{name}", "pair_created", event)

    def end(self, id: str, reason: str) -> None:
        event = _like(events.PairEnded, self._names(id), reason=reason, ended_at=next(self._clock))
        self.say(event, "matching")
        self.row("matching", "pairs", id, state="ended", ended={"reason": reason})
        self.said("matching", "pairs", id)
        self.row("scheduling", "pairs", id, ended_at=event.ended_at)
        self.row("notifications", "pairs", id, ended=True)
        for name in (event.mentor_id, event.mentee_id):
            row = self.row("matching", "people", f"{PROGRAM}/{name}")
            row["partners"] = [each for each in row["partners"] if each["pair_id"] != id]
            self.tell(f"{PROGRAM}/{name}", "thank_you" if reason == "completed" else "pair_ended", event)

    def risk(self, pair_id: str, sign: str = "lost_in_a_row") -> Record:
        event = _like(events.PairAtRisk, self._names(pair_id), sign=sign, since=next(self._clock))
        record = self.say(event, "scheduling")
        self.said("scheduling", "pairs", pair_id)
        self.tell(f"{PROGRAM}/~office", "at_risk", event, state="dropped")
        return record

    def plan(self, session_id: str, number: int, starts_at: datetime) -> None:
        """A meeting is planned, or moved. Its id begins with that of its pair."""
        pair_id = session_id.partition(".")[0]
        pair, new = self.row("scheduling", "pairs", pair_id), session_id not in self.documents["scheduling"]["sessions"]
        pair["planned"], pair["session_id"] = pair.get("planned", 0) + new, session_id
        times = {"starts_at": starts_at, "ends_at": starts_at + timedelta(hours=1)}
        event = self._meeting(events.SessionScheduled, session_id, "planned", number=number, **times)
        self.row("scheduling", "sessions", session_id, starts_at=starts_at)
        self.row("scheduling", "due", f"NoShowCheck:{session_id}", due_at=max(GATHERED, starts_at))
        for name in (event.mentor_id, event.mentee_id):
            row = self.row("scheduling", "diaries", f"{PROGRAM}/{name}")
            others = [each for each in row.get("meetings", ()) if each["session_id"] != session_id]
            row["meetings"] = [*others, {"session_id": session_id, "starts_at": starts_at}]
            template = "session_scheduled" if event.revision == 1 else "session_moved"
            self.tell(f"{PROGRAM}/{name}", template, event)

    def hold(self, session_id: str, *, series_done: bool = False) -> None:
        first = self.row("scheduling", "sessions", session_id)["state"] == "planned"
        self._decide(events.SessionCompleted, session_id, "completed", series_done=series_done)
        self.row("scheduling", "pairs", session_id.partition(".")[0])["held"] += first

    def miss(self, session_id: str) -> None:
        self._decide(events.SessionMissed, session_id, "missed")

    def cancel(self, session_id: str) -> None:
        event = self._decide(events.SessionCancelled, session_id, "cancelled")
        for name in (event.mentor_id, event.mentee_id):
            self.tell(f"{PROGRAM}/{name}", "session_cancelled", event)

    def tell(self, person: str, template: str, fact: events.Event, state: str = "sent") -> None:
        """A notice with its result, its fact and its mail."""
        id = f"n{next(self._ids)}"
        program_id, _, participant_id = person.partition("/")
        notice = {"template": template, "program_id": program_id, "participant_id": participant_id}
        known = {name: getattr(fact, name, None) for name in ("pair_id", "session_id", "revision")}
        self.row("notifications", "notices", id, state=state, notice=notice | known)
        self.result(id, person, template, self._about, state)

    def result(self, id: str, person: str, template: str, about: dict[str, str], state: str) -> None:
        """What is said of a notice that was sent or given up."""
        program_id, _, participant_id = person.partition("/")
        names = {"notification_id": id, "program_id": program_id, "participant_id": participant_id}
        fields = names | {"template": template, "channel": "email", "about": about}
        if state == "sent":
            self.say(_like(events.NotificationSent, fields, message_id=f"<{id}@viceversa.invalid>"), "notifications")
            mail = Mail(f"<{id}@viceversa.invalid>", f"{participant_id}@engines.invalid", "News", next(self._clock))
            self.mails.append(mail)
        elif state == "failed":
            self.say(_like(events.NotificationFailed, fields), "notifications")
        self.said("notifications", "people", person)

    def find(self, topic: str, key: str, index: int = 0) -> Record:
        return [record for record in self.records if (record.topic, record.name) == (topic, key)][index]

    def _names(self, pair_id: str) -> dict[str, Any]:
        row = self.row("scheduling", "pairs", pair_id)
        return {name: row[name] for name in ("pair_id", "program_id", "mentor_id", "mentee_id")}

    def _meeting(
        self, kind: type[events.Event], session_id: str, state: str, number: int | None = None, **fields: Any
    ) -> Any:
        pair_id = session_id.partition(".")[0]
        row = self.row("scheduling", "sessions", session_id)
        row["revision"], row["state"], row["number"] = row.get("revision", 0) + 1, state, number or row["number"]
        its = {name: row[name] for name in ("revision", "number")} | {"session_id": session_id}
        event = _like(kind, self._names(pair_id) | its, **fields)
        self.say(event, "scheduling")
        self.said("scheduling", "pairs", pair_id)
        heard = "held" if state == "completed" else state
        self.row("notifications", "sessions", session_id, revision=row["revision"], state=heard)
        return event

    def _decide(self, kind: type[events.Event], session_id: str, state: str, **fields: Any) -> Any:
        event = self._meeting(kind, session_id, state, **fields)
        self.row("scheduling", "pairs", event.pair_id, session_id="")
        self.documents["scheduling"]["due"].pop(f"NoShowCheck:{session_id}", None)
        for name in (event.mentor_id, event.mentee_id):
            row = self.row("scheduling", "diaries", f"{PROGRAM}/{name}")
            row["meetings"] = [each for each in row["meetings"] if each["session_id"] != session_id]
        return event


def _like(kind: type[events.Event], *fields: dict[str, Any], **more: Any) -> Any:
    """The example of the contracts with other content."""
    changed = EXAMPLES[kind.topic].model_dump()
    for each in (*fields, more):
        changed |= each
    return kind.model_validate(changed)
