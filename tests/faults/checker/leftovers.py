"""Once nothing moves any more nothing waits: no page, no due work, no open transaction."""

from collections.abc import Iterator
from datetime import timedelta

from tests.faults.checker.story import Story
from tests.faults.checker.violations import Kind, Violation

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
    late = story.evidence.at - _PATIENCE - story.evidence.told.skew
    for service in story.evidence.documents:
        for row in story.rows(service, "due"):
            if row["due_at"] < late:
                what = f"due at {row['due_at']}, tried {row.get('tries', 0)} times"
                yield Violation(Kind.STUCK_WORK, f"{service} {row['_id']}", what)


def what_waits_for_its_time_has_its_work(story: Story) -> Iterator[Violation]:
    """A planned notice is sent by work that is due, a planned meeting is looked at when its grace period is over."""
    documents = story.evidence.documents
    if "notifications" in documents:
        work = {row["_id"].partition(":")[2] for row in story.rows("notifications", "due")}
        for row in story.rows("notifications", "notices"):
            if row["state"] == "planned" and row["_id"] not in work:
                yield Violation(Kind.STUCK_WORK, f"notifications {row['_id']}", "a notice that nobody will send")
    if "scheduling" in documents:
        work = {row["_id"] for row in story.rows("scheduling", "due")}
        for row in story.rows("scheduling", "sessions"):
            if row["state"] == "planned" and f"NoShowCheck:{row['_id']}" not in work:
                yield Violation(Kind.STUCK_WORK, f"scheduling {row['_id']}", "a meeting that nobody will look after")
