"""What callers read of programmes, people and pairs."""

from datetime import datetime
from typing import Any

from services.matching.store.pairs import Pair
from services.matching.store.people import Person, Program
from services.matching.store.rounds import Attempt, Round, RoundState, Stage
from services.matching.work import ProposedPair, UnmatchedPerson

_WHY = {"score", "rationale", "round_id", "created_at"}
_END = {"reason", "ended_by", "ended_at"}


def program_shown(program: Program) -> dict[str, Any]:
    """As it was published."""
    return program.published.model_dump(mode="json") if program.published else {}


def person_shown(person: Person) -> dict[str, Any]:
    """What the programme's office reads of a person; whom they exclude is told to nobody."""
    profile = person.profile.model_dump(mode="json") if person.profile else {}
    withdrawn = person.withdrawal if person.profile and not person.enrolled else None
    return profile | {
        "revision": person.revision,
        "state": _state(person),
        "owner": person.owner,
        "pair_ids": [partner.pair_id for partner in person.partners],
        "waiting_since": _text(person.waiting_since),
        "withdrawn_at": _text(withdrawn.withdrawn_at if withdrawn else None),
    }


def pair_shown(pair: Pair) -> dict[str, Any]:
    """Who meets whom, why, and why no longer; an erasure takes the why."""
    return {
        "pair_id": pair.id,
        "program_id": pair.program_id,
        "mentor_id": pair.mentor_id,
        "mentee_id": pair.mentee_id,
        "state": pair.state.value,
        **(pair.created.model_dump(mode="json", include=_WHY) if pair.created else dict.fromkeys(sorted(_WHY))),
        "ended": pair.ended.model_dump(mode="json", include=_END) if pair.ended else None,
    }


def round_shown(round: Round, attempt: Attempt | None = None) -> dict[str, Any]:
    """How far a round is, and how good its plan is: the gap is 0 when no better one exists.

    attempt: of a round that is being planned, the newest.
    """
    wish = round.wish.model_dump(mode="json")
    return wish | {
        "round_id": round.round_id,
        "program_id": round.program_id,
        "state": round.state.value,
        "asked_at": _text(round.asked_at),
        "done_at": _text(round.done_at),
        "failure": round.failure,
        "progress": _progress(round, attempt),
        "value": round.value,
        "upper_bound": round.upper_bound,
        "gap": round.gap,
        "reasons": round.reasons,
        "refused_pins": round.refused_pins,
    }


def pair_found(pair: ProposedPair) -> dict[str, Any]:
    """A pair of a round's plan, which has no id until it is made."""
    return pair.model_dump(mode="json") | {"pair_id": None, "made": False}


def person_found(person: UnmatchedPerson) -> dict[str, Any]:
    """A person whom a round's plan leaves alone, with the reasons counted."""
    return person.model_dump(mode="json")


def _progress(round: Round, attempt: Attempt | None) -> dict[str, Any]:
    counted = attempt if attempt and round.state is RoundState.PLANNING else round
    return {
        "stage": _stage(round, attempt),
        "people": counted.people,
        "planned": counted.planned,
        "unmatched": counted.unmatched,
        "written": round.written,
        "made": round.made,
    }


def _stage(round: Round, attempt: Attempt | None) -> str | None:
    if round.state is RoundState.PLANNING:
        return (attempt.stage if attempt else Stage.QUEUED).value
    return Stage.MAKING.value if round.state is RoundState.WRITING else None


def _state(person: Person) -> str:
    if person.profile and not person.enrolled:
        return "withdrawn"
    if person.partners:
        return "paired"
    return "waiting" if person.seeking else "not_seeking"


def _text(time: datetime | None) -> str | None:
    return time.isoformat().replace("+00:00", "Z") if time else None
