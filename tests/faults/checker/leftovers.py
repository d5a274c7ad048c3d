"""Once nothing moves any more nothing waits: no page, no due work, no open transaction."""

from collections.abc import Iterator
from datetime import timedelta

from libs.contracts.words import Mode, ProgramState
from tests.faults.checker.story import Story
from tests.faults.checker.violations import Kind, Violation

_LOOKS = {"arrivals": ("MatchWaiting", "PairsProposed"), "everybody": ("MatchEverybody", "EverybodyMatched")}
_ACTIVE = (ProgramState.OPEN, ProgramState.RUNNING)
# Longer than a lease, a sweep and the longest step of a backoff that a fault may have left behind.
_PATIENCE = timedelta(seconds=60)


def no_topic_hides_its_end(story: Story) -> Iterator[Violation]:
    for place, offsets in story.evidence.hidden.items():
        yield Violation(Kind.HIDDEN_END, place, f"{offsets} offsets are out of reach of committed readers")


def no_page_waits(story: Story) -> Iterator[Violation]:
    for service in story.evidence.documents:
        for page in story.rows(service, "outbox"):
            what = f"{len(page['records'])} records since {page['at']}, tick {page['tick']}.{page['part']}"
            yield Violation(Kind.STUCK_PAGE, f"{service} {page['_id']}", what)


def no_due_work_waits(story: Story) -> Iterator[Violation]:
    late = story.evidence.at - _PATIENCE
    for service in story.evidence.documents:
        for row in story.rows(service, "due"):
            if row["due_at"] < late:
                what = f"due at {row['due_at']}, tried {row.get('tries', 0)} times"
                yield Violation(Kind.STUCK_WORK, f"{service} {row['_id']}", what)


def each_planned_notice_has_its_work(story: Story) -> Iterator[Violation]:
    work = {id.partition(":")[2] for id in _work(story, "notifications")}
    for row in story.rows("notifications", "notices"):
        if row["state"] == "planned" and row["_id"] not in work:
            yield Violation(Kind.STUCK_WORK, f"notifications {row['_id']}", "a notice that nobody will send")


def each_planned_meeting_has_its_work(story: Story) -> Iterator[Violation]:
    """It is looked at when its grace period is over; a pair without one is looked at again."""
    work = _work(story, "scheduling")
    for row in story.rows("scheduling", "sessions"):
        if row["state"] == "planned" and f"NoShowCheck:{row['_id']}" not in work:
            yield Violation(Kind.STUCK_WORK, f"scheduling {row['_id']}", "a meeting that nobody will look after")
    busy = {fact["pair_id"] for fact in story.planned.values()}
    busy |= {fact["pair_id"] for fact in story["session-completed"] if fact["series_done"]}
    for fact in story.in_force if "scheduling" in story.evidence.documents else ():
        pair_id = fact["pair_id"]
        idle = pair_id not in busy and story.keeps_its_length(fact["program_id"])
        if idle and f"LookAgain:{pair_id}" not in work:
            yield Violation(Kind.STUCK_WORK, f"scheduling {pair_id}", "a pair that nobody will look at again")


def each_rolling_programme_has_its_work(story: Story) -> Iterator[Violation]:
    """Matching goes on looking for pairs as long as people may arrive."""
    if "matching" not in story.evidence.documents:
        return
    work = _work(story, "matching")
    for program_id, facts in story.policies.items():
        rolling = facts[-1]["policy"].mode is Mode.ROLLING and facts[-1]["state"] in _ACTIVE
        if not rolling or program_id in story.erased:
            continue
        for whom, kinds in _LOOKS.items():
            if work.isdisjoint(f"{kind}:{program_id}" for kind in kinds):
                what = f"a programme in which nobody will look at {whom}"
                yield Violation(Kind.STUCK_WORK, f"matching {program_id}", what, (facts[-1].record,))


def _work(story: Story, service: str) -> set[str]:
    return {row["_id"] for row in story.rows(service, "due")}
