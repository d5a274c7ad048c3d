"""What a person reads after a run: a table, the story of the first violation, and `.local/faults.json`."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from deploy.local.processes import LOCAL, write_atomically
from tests.faults.checker.evidence import Evidence
from tests.faults.checker.violations import Kind as Broken
from tests.faults.checker.violations import Violation
from tests.faults.driver.actions import WRONGS
from tests.faults.driver.campaign import Outcome
from tests.faults.driver.nemesis import TOGETHER
from tests.faults.driver.timeline import Kind, Line, read

FILE, STORY = LOCAL / "faults.json", "story.txt"
GOAL_SECONDS = 30.0
"""From the end of a single fault until a fact goes the whole way."""
AROUND_SECONDS = 40.0
MOST_LINES = 60
NAMES = re.compile(r"[\w.~:@-]*\d[\w.~:@-]{3,}")
COUNTED: Mapping[str, Sequence[Broken]] = {
    "lost": (Broken.LOST_FACT, Broken.GAP, Broken.MAIL_MISSING, Broken.MISSING_DEAD_LETTER),
    "doubled": (Broken.DOUBLED_FACT, Broken.DOUBLED_EFFECT, Broken.MAIL_DOUBLED),
    "out_of_order": (Broken.OUT_OF_ORDER,),
    "stuck": (Broken.STUCK_PAGE, Broken.STUCK_WORK, Broken.HIDDEN_END),
}


def data(outcome: Outcome) -> dict[str, Any]:
    """The figures of a run."""
    kinds = Counter(violation.kind for violation in outcome.violations)
    counts = {name: sum(kinds[kind] for kind in counted) for name, counted in COUNTED.items()}
    counts["stuck"] += len(outcome.stalls)
    return {
        "seed": outcome.plan.seed,
        "minutes": outcome.plan.minutes,
        "seconds": round(outcome.seconds, 1),
        "quiet_s": round(outcome.quiet_seconds, 1),
        "check_s": round(outcome.check_seconds, 1),
        "faults": dict(outcome.nemesis.struck),
        "not_met": dict(outcome.nemesis.unmet),
        "wrong_facts": {action: outcome.hands.steps[action] for action in WRONGS},
        "facts": outcome.facts,
        **counts,
        "violations": [*map(str, outcome.violations), *outcome.unseen],
        "lag_after_recovery": spread(lags_after_recovery(read(outcome.plan.place))),
        "recovery_s": {kind: spread(taken) for kind, taken in sorted(outcome.nemesis.recovery.items())},
        "late": late(outcome.nemesis.recovery),
        "restarted": dict(Counter(outcome.nemesis.restarted)),
        "memory_mb": {name: course(seen) for name, seen in outcome.samples.by_process("memory_mb").items()},
        "connections": {name: course(seen) for name, seen in outcome.samples.by_process("connections").items()},
        "answers": dict(outcome.hands.outcomes),
        "command": outcome.plan.command,
    }


def write(outcome: Outcome, file: Path = FILE) -> None:
    """What others wrote there, such as `mutations`, stays."""
    known = json.loads(file.read_text()) if file.exists() else {}
    write_atomically(file, json.dumps(known | data(outcome), indent=2) + "\n")


def spread(taken: Sequence[float]) -> dict[str, float]:
    return {"n": len(taken), "p50": round(median(taken), 2), "max": round(max(taken), 2)} if taken else {"n": 0}


def lags_after_recovery(lines: Iterable[Line]) -> list[int]:
    """How many records the services were behind at the first look after each recovery."""
    found, recovered = [], False
    for line in lines:
        if line.kind is Kind.RECOVERED:
            recovered = True
        elif line.kind is Kind.SAMPLE and recovered and line.what["lag"] is not None:
            found.append(line.what["lag"])
            recovered = False
    return found


def late(taken: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The longest recovery of each kind that missed the goal; for several at once there is none."""
    longest = {kind: max(each) for kind, each in taken.items() if kind != TOGETHER}
    return {kind: round(seconds, 2) for kind, seconds in longest.items() if seconds > GOAL_SECONDS}


def course(seen: Sequence[float]) -> dict[str, float]:
    """Whether it grows: at the start, after a quarter and at the end, each the middle of a twentieth."""
    span = max(1, len(seen) // 20)
    parts = {"start": seen[:span], "quarter": seen[len(seen) // 4 :][:span], "end": seen[-span:]}
    return {name: round(median(part), 1) for name, part in parts.items()} | {"max": max(seen)}


def show(outcome: Outcome, console: Console) -> None:
    found = data(outcome)
    for table in (_recoveries(found), _courses(found)):
        console.print(table)
    lag = found["lag_after_recovery"]
    console.print(f"records behind after a recovery: {lag.get('p50', '')} (p50), {lag.get('max', '')} (max)")
    counts = "  ".join(f"{name} {found[name]}" for name in COUNTED)
    console.print(f"{sum(found['faults'].values())} faults  {counts}  violations {len(found['violations'])}")
    if found["not_met"]:
        console.print(f"waited for a moment that never came, and do not count: {found['not_met']}", markup=False)
    if found["late"]:
        console.print(f"later than {GOAL_SECONDS:g} s: {found['late']}", markup=False)
    if not outcome.clean:
        lines = [*story(outcome.plan.place, outcome.violations, outcome.unseen, outcome.evidence)]
        lines.append(f"again: {outcome.plan.command}")
        (outcome.plan.place / STORY).write_text("\n".join(lines) + "\n")
        for line in lines:
            console.print(line, markup=False, highlight=False)


def _recoveries(found: Mapping[str, Any]) -> Table:
    title = f"{found['facts']} facts, seed {found['seed']}"
    table = Table("fault", "times", "recovery p50 s", "max s", title=title)
    for kind in sorted({*found["faults"], *found["recovery_s"]}):
        took = found["recovery_s"].get(kind, {"p50": "", "max": ""})
        table.add_row(kind, str(found["faults"].get(kind, "")), str(took["p50"]), str(took["max"]))
    return table


def _courses(found: Mapping[str, Any]) -> Table:
    columns = ("start", "quarter", "end", "max")
    table = Table("process", *columns, "connections", title="memory, MB, and most connections")
    for name, seen in sorted(found["memory_mb"].items()):
        most = found["connections"].get(name, {}).get("max", "")
        table.add_row(name, *(str(seen[column]) for column in columns), str(most))
    return table


def story(folder: Path, violations: Sequence[Violation], unseen: Sequence[str], evidence: Evidence) -> Iterator[str]:
    """All that was broken, and for the first violation what was asked, struck and written around it; where there is
    none, what was struck around what the checker can't see."""
    yield from (f"BROKEN  {each}" for each in (*map(str, violations[:30]), *unseen))
    if len(violations) > 30:
        yield f"        and {len(violations) - 30} more"
    lines = list(read(folder))
    if not violations:
        yield "\nFaults around it"
        moments = [line.at for line in lines if line.kind in (Kind.VIOLATION, Kind.RESTART)]
        yield from (f"  {line}" for line in _near(lines, moments)[:MOST_LINES])
        return
    first = violations[0]
    names = {first.subject, *NAMES.findall(f"{first.subject} {first.what}")}
    names |= {part for name in set(names) for part in name.split("/") if any(map(str.isdigit, part))}
    yield f"\nAbout {first}"
    yield "\nOrders and faults"
    yield from (f"  {line}" for line in _around(lines, names, first, evidence))
    yield "\nRecords"
    yield from (f"  {each}" for each in _records(evidence, names))
    yield "\nDocuments"
    yield from (f"  {each}" for each in _documents(evidence, names))


def _around(lines: Sequence[Line], names: set[str], first: Violation, evidence: Evidence) -> Iterable[Line]:
    named = [line for line in lines if line.kind is Kind.ORDER and _speaks(line.what, names)]
    moments = [line.at for line in named] + list(_moments(lines, first, evidence))
    return sorted([*named, *_near(lines, moments)], key=lambda line: line.at)[:MOST_LINES]


def _near(lines: Iterable[Line], moments: Sequence[float]) -> list[Line]:
    """What was struck and what came of it within a while of these moments."""
    return [
        line
        for line in lines
        if line.kind in (Kind.STRIKE, Kind.END, Kind.RECOVERED, Kind.RESTART, Kind.VIOLATION)
        and any(abs(line.at - moment) < AROUND_SECONDS for moment in moments)
    ]


def _moments(lines: Sequence[Line], first: Violation, evidence: Evidence) -> Iterator[float]:
    """When the violation's records were written, in seconds of the run; its end is when the evidence was gathered."""
    end = next((line.at for line in reversed(lines) if line.kind is Kind.SAMPLE), 0.0)
    for record in first.records:
        yield end - (evidence.at - datetime.fromtimestamp(record.timestamp / 1000, UTC)).total_seconds()


def _records(evidence: Evidence, names: set[str]) -> Iterator[str]:
    found = [record for record in evidence.records if _speaks((record.name, record.value or b""), names)]
    for record in sorted(found, key=lambda record: record.timestamp)[:MOST_LINES]:
        at = datetime.fromtimestamp(record.timestamp / 1000, UTC).isoformat(timespec="milliseconds")
        value = (record.value or b"null").decode(errors="replace")
        yield f"{at} {record.place} key={record.name} seq={record.text('ce_sequence')} {value[:300]}"


def _documents(evidence: Evidence, names: set[str]) -> Iterator[str]:
    found = [
        f"{service}.{collection} {str(row)[:500]}"
        for service, collections in evidence.documents.items()
        for collection, rows in collections.items()
        for row in rows
        if _speaks(row, names)
    ]
    yield from found[:MOST_LINES]


def _speaks(what: Any, names: set[str]) -> bool:
    text = str(what)
    return any(name in text for name in names)
