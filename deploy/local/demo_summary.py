"""What the demo's run came to, recomputed from the topics and from the mails that arrived."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from statistics import quantiles

from rich.table import Table
from rich.text import Text

from deploy.local.audit import audit, read
from deploy.local.demo_facts import Fact, Facts
from deploy.local.demo_owed import Mailbox, doubled, missing

Seconds = tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """`.local/demo.json`. The latency is that from a fact's `ce_time` until the mail server had the mail about it."""

    participants: int
    pairs: int
    pairs_completed: int
    sessions: int
    completed: int
    mails: int
    dead_letters: int
    lost: int
    doubled: int
    out_of_order: int
    seconds: float
    latency_p50_ms: float
    latency_p99_ms: float
    latency_api_p50_ms: float
    latency_api_p99_ms: float
    latency_fact_p50_ms: float
    latency_fact_p99_ms: float
    breaches: tuple[str, ...]
    """A line for everything that was lost, doubled or out of order."""

    @property
    def clean(self) -> bool:
        return not (self.breaches or self.dead_letters)

    def data(self) -> dict[str, object]:
        return asdict(self)


def summary(bootstrap: str, prefix: str, mails: Path, asked_at: Mapping[str, datetime], seconds: float) -> Summary:
    """Reads every topic once more from its beginning."""
    records = list(read(bootstrap, prefix))
    said, facts, arrived = audit(records), Facts().add(records), Mailbox(mails).look()
    lost, twice = [*said.lost, *missing(facts, arrived)], [*said.doubled, *doubled(facts, arrived)]
    waits, asked = tuple(waits_for_mails(facts)), tuple(waits_of_callers(facts, asked_at))
    steps = tuple(waits_between_services(facts))
    return Summary(
        participants=len(facts.by("participant-enrolled", "participant_id")),
        pairs=len(facts.by("pair-created", "pair_id")),
        pairs_completed=sum(fact["reason"] == "completed" for fact in facts["pair-ended"]),
        sessions=len(facts.by("session-scheduled", "session_id")),
        completed=len(facts.by("session-completed", "session_id")),
        mails=arrived.count,
        dead_letters=facts.dead_letters,
        lost=len(lost),
        doubled=len(twice),
        out_of_order=len(said.reordered),
        seconds=round(seconds, 1),
        latency_p50_ms=percentile(waits, 50),
        latency_p99_ms=percentile(waits, 99),
        latency_api_p50_ms=percentile(asked, 50),
        latency_api_p99_ms=percentile(asked, 99),
        latency_fact_p50_ms=percentile(steps, 50),
        latency_fact_p99_ms=percentile(steps, 99),
        breaches=(*lost, *twice, *said.reordered),
    )


def waits_for_mails(facts: Facts) -> Iterator[float]:
    """Milliseconds from each fact to each mail about it."""
    said = {fact.id: fact for topic in list(facts.said) for fact in facts[topic]}
    for sent in facts["notification-sent"]:
        if cause := said.get(sent["about"]["event_id"]):
            yield _milliseconds(cause.time, sent)


def waits_of_callers(facts: Facts, asked_at: Mapping[str, datetime]) -> Iterator[float]:
    """Milliseconds from a call to complete a meeting to the mail that asks the other side how it was."""
    said = {fact.id: fact for fact in facts["session-completed"]}
    for sent in facts["notification-sent"]:
        cause = said.get(sent["about"]["event_id"])
        if cause and cause["session_id"] in asked_at:
            yield _milliseconds(asked_at[cause["session_id"]], sent)


def waits_between_services(facts: Facts) -> Iterator[float]:
    """Milliseconds from a fact to the one that another service said because of it: a pair's first meeting, its end."""
    said = {fact.id: fact for topic in ("pair-created", "session-completed") for fact in facts[topic]}
    for fact in (*facts["session-scheduled"], *facts["pair-ended"]):
        if cause := said.get(fact.cause):
            yield (fact.time - cause.time).total_seconds() * 1000


def percentile(waits: Seconds, percent: int) -> float:
    """0 where there is nothing to measure."""
    if len(waits) < 2:
        return round(sum(waits), 1)
    return round(quantiles(waits, n=100, method="inclusive")[percent - 1], 1)


def shown(found: Summary) -> Table:
    table = Table(title="Summary", title_justify="left", title_style="bold", show_header=False)
    table.add_column()
    table.add_column(justify="right", style="bold")
    table.add_column(style="dim")
    for row in _rows(found):
        table.add_row(*row)
    return table


def where_to_look(root: Path, values: Mapping[str, str], keep: bool) -> Text:
    """Places and command lines to try."""
    services = ("MATCHING", "SCHEDULING", "NOTIFICATIONS")
    docs = ", ".join(f"{values[f'VICEVERSA_{service}']}/docs" for service in services)
    tries = ("pairs digital-sparring", "sessions digital-sparring --state completed", "flows", "dead-letters list")
    live = [
        f"API         {docs}",
        *(f"try         .venv/bin/viceversa {each}" for each in tries),
        "stop it     make down",
    ]
    places = [f"mails       {values['VICEVERSA_MAILS']}", f"logs        {root}/log", f"numbers     {root}/demo.json"]
    return Text("\n".join([*places, *(live if keep else ["stays up    make demo KEEP=1"])]))


def _rows(found: Summary) -> Iterator[tuple[str, str, str]]:
    yield "participants", f"{found.participants}", "enrolled from the CSV file"
    yield "pairs", f"{found.pairs}", f"{found.pairs_completed} of them have met to the end of their series"
    yield "sessions", f"{found.sessions}", "planned"
    yield "completed", f"{found.completed}", "through the API, by both sides"
    yield "mails", f"{found.mails}", "arrived at the mail server"
    yield "dead letters", f"{found.dead_letters}", "on the topics that end in .dlq"
    yield "lost", f"{found.lost}", "gaps in ce_sequence, and what had to follow"
    yield "doubled", f"{found.doubled}", "by ce_id, Message-ID, person and fact"
    yield "out of order", f"{found.out_of_order}", "by ce_sequence within a topic"
    yield (
        "fact to fact",
        _both(found.latency_fact_p50_ms, found.latency_fact_p99_ms),
        "ce_time: pair to its meeting or its end",
    )
    yield (
        "call to mail",
        _both(found.latency_api_p50_ms, found.latency_api_p99_ms),
        "meeting completed by HTTP, mail sent",
    )
    yield (
        "fact to mail",
        _both(found.latency_p50_ms, found.latency_p99_ms),
        "ce_time, mail sent; all at once, mails one by one",
    )
    yield "seconds", f"{found.seconds:.0f}", "from the first line until here"


def _both(p50: float, p99: float) -> str:
    return f"p50 {p50:.0f} ms\np99 {p99:.0f} ms"


def _milliseconds(start: datetime, sent: Fact) -> float:
    return (datetime.fromisoformat(sent["sent_at"].replace("Z", "+00:00")) - start).total_seconds() * 1000
