"""Rounds of matching: each comes to an end, and made as many pairs as were said of it."""

from collections import Counter
from collections.abc import Iterator

from tests.faults.checker.story import Story
from tests.faults.checker.violations import Kind, Violation


def each_round_ends(story: Story) -> Iterator[Violation]:
    for row in story.rows("matching", "rounds"):
        if row["state"] not in ("done", "failed"):
            yield Violation(Kind.STUCK_WORK, f"matching rounds {row['_id']}", f"it is still {row['state']}")
    for row in story.rows("matching", "programs"):
        if row.get("round_id"):
            what = f"no other round can be asked for: {row['round_id']} is taken for running"
            yield Violation(Kind.STUCK_WORK, f"matching programs {row['_id']}", what)


def each_round_made_what_was_said(story: Story) -> Iterator[Violation]:
    said = Counter(f"{fact['program_id']}/{fact['round_id']}" for fact in story.created.values())
    for row in story.rows("matching", "rounds"):
        if row["made"] != said[row["_id"]]:
            what = f"it made {row['made']} pairs, the facts say {said[row['_id']]}"
            yield Violation(Kind.STATE_DIFFERS, f"matching rounds {row['_id']}", what)
        if row["state"] == "done" and row["written"] != (0 if row["wish"]["dry_run"] else row["planned"]):
            what = f"{row['written']} of {row['planned']} planned pairs had their turn"
            yield Violation(Kind.LOST_FACT, f"matching rounds {row['_id']}", what)
