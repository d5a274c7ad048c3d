"""What has to follow from what was said, worked out apart from the services: what is missing, what came twice."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from pathlib import Path

from deploy.local.demo_facts import Fact, Facts

OFFICE = "~office"


@dataclass(frozen=True, slots=True)
class Mails:
    """How many mails arrived under each Message-ID."""

    arrived: Counter[str]

    @property
    def count(self) -> int:
        return self.arrived.total()


class Mailbox:
    """The folder of the mail server; each mail is looked at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, str] = {}

    def look(self) -> Mails:
        for path in self._folder.glob("*.eml"):
            if path.name not in self._seen:
                with path.open("rb") as file:
                    self._seen[path.name] = BytesHeaderParser().parse(file)["Message-ID"] or path.name
        return Mails(Counter(self._seen.values()))


def missing(facts: Facts, mails: Mails) -> Iterator[str]:
    """One line for each thing that should have followed and has not."""
    yield from _without_session(facts)
    yield from _without_next_step(facts)
    told = {(fact["about"]["event_id"], fact["participant_id"]) for fact in facts["notification-sent"]}
    for fact, participant in owed(facts):
        if (fact.id, participant) not in told:
            yield f"{participant} was not told of {fact.topic} {fact.id}"
    for fact in facts["notification-sent"]:
        if fact["message_id"] not in mails.arrived:
            yield f"the mail {fact['message_id']} was said to be sent and has not arrived"


def doubled(facts: Facts, mails: Mails) -> Iterator[str]:
    """One line for each mail, telling or meeting that there is twice."""
    yield from (f"the mail {id} arrived {count} times" for id, count in mails.arrived.items() if count > 1)
    told = Counter((fact["about"]["event_id"], fact["participant_id"]) for fact in facts["notification-sent"])
    yield from (f"{who} was told {count} times of {event}" for (event, who), count in told.items() if count > 1)
    lost = {fact["session_id"] for topic in ("session-cancelled", "session-missed") for fact in facts[topic]}
    meetings = (fact for id, fact in facts.by("session-scheduled", "session_id").items() if id not in lost)
    places = Counter((fact["pair_id"], fact["number"]) for fact in meetings)
    yield from (f"{pair} has meeting {number} {count} times" for (pair, number), count in places.items() if count > 1)


def owed(facts: Facts) -> Iterator[tuple[Fact, str]]:
    """Who has to be told of what. Left out is what may have become untrue before its mail was written."""
    ended = facts.by("pair-ended", "pair_id")
    decided = {
        fact["session_id"]
        for topic in ("session-completed", "session-cancelled", "session-missed")
        for fact in facts[topic]
    }
    plans = [fact for id, fact in facts.by("session-scheduled", "session_id").items() if id not in decided]
    to_all = [
        *facts["participant-enrolled"],
        *(fact for fact in (*facts["pair-created"], *plans) if fact["pair_id"] not in ended),
        *facts["pair-ended"],
    ]
    yield from ((fact, who) for fact in to_all for who in fact.participants)
    yield from ((fact, OFFICE) for fact in facts["pair-at-risk"] if fact["pair_id"] not in ended)
    first_words: dict[str, Fact] = {}
    answered: set[tuple[str, str]] = set()
    for fact in facts["session-completed"]:
        first_words.setdefault(fact["session_id"], fact)
        answered.update((fact["session_id"], side) for side, answer in fact["feedback"].items() if answer)
    for id, fact in first_words.items():
        yield from ((fact, fact[f"{side}_id"]) for side in ("mentor", "mentee") if (id, side) not in answered)


def _without_session(facts: Facts) -> Iterator[str]:
    served = {fact["pair_id"] for topic in ("session-scheduled", "pair-at-risk", "pair-ended") for fact in facts[topic]}
    for fact in facts["pair-created"]:
        if fact["pair_id"] not in served:
            yield f"the pair {fact['pair_id']} has neither a meeting nor a warning"


def _without_next_step(facts: Facts) -> Iterator[str]:
    ended = facts.by("pair-ended", "pair_id")
    planned = {(fact["pair_id"], fact["number"]) for fact in facts["session-scheduled"]}
    warned = facts.by("pair-at-risk", "pair_id")
    for fact in facts.by("session-completed", "session_id").values():
        pair, after = fact["pair_id"], fact["number"] + 1
        if fact["series_done"] and pair not in ended:
            yield f"the series of {pair} is done and the pair has not ended"
        if not fact["series_done"] and (pair, after) not in planned and pair not in ended and pair not in warned:
            yield f"no meeting {after} of {pair} followed"
