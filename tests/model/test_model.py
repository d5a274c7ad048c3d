"""The protocol keeps its promise in a small world, and every guard that is taken out costs it."""

from dataclasses import replace

import pytest

from tests.model.bounds import ONE_EACH, SMALL, shown_by
from tests.model.explore import explore
from tests.model.sabotage import Sabotage

TOLD_BY = {
    Sabotage.OFFSETS_FIRST: ["commits the offset behind x1", "crashes"],
    Sabotage.NO_INBOX: ["begins its transaction for x1", "begins its transaction for x1"],
    Sabotage.INBOX_OUTSIDE: ["finds x1 in the inbox, outside of a transaction", "elects another primary"],
    Sabotage.NO_VERSION_GUARD: ["begins its transaction for y1", "commits its transaction: d1", "transaction: y1"],
    Sabotage.MATCHED_IGNORED: ["commits its transaction: d1", "commits its transaction: y1"],
    Sabotage.NO_INCREMENT: ["commits its transaction: x1+", "commits its transaction: y1+"],
    Sabotage.DELETE_FIRST: ["relay A deletes x1", "relay A crashes"],
    Sabotage.POSITION_OUTSIDE: ["relay A crashes", "commit becomes visible", "position names: no page"],
    Sabotage.METADATA_IGNORED: ["commit becomes visible", "position names: no page"],
    Sabotage.MISSING_IS_NONE: ["no answer about the position, and takes that for none"],
    Sabotage.POSITION_FIRST: ["relay B reads which pages", "commit becomes visible", "relay B starts its producer"],
    Sabotage.NEXT_BEFORE_DELETE: ["hears that Kafka has committed", "reads the outbox: y1", "crashes"],
    Sabotage.DELETE_UNHELD: ["deletes x1 (tick 1, part 0); the primary alone", "elects another", "outbox: x1"],
    Sabotage.BY_ID: ["reads the outbox: x2 (tick 2"],
    Sabotage.RANDOM_KEY: ["sends x1 (tick 1, part 0), x2", "becomes visible: x2"],
    Sabotage.PLAIN_READ: ["begins to read the outbox: y1", "transaction: x1", "to its end: y1 (tick 1, part 0), x2"],
    Sabotage.STALE_READ: ["deletes x1", "reads the outbox: x1"],
    Sabotage.NOT_AWAITED: ["first send fails, and nobody awaits it"],
    Sabotage.RETRY_AFTER_TIMEOUT: ["waits too long for the commit, aborts and tries again", "sends x1"],
    Sabotage.LETTER_OUTSIDE: ["commits its transaction: no page"],
    Sabotage.READERS_UNCOMMITTED: ["sends x1", "crashes", "sends x1"],
    Sabotage.SWALLOWED: ["goes on as if nothing had happened", "commits the offset"],
    Sabotage.NO_LEASE: ["replica A claims", "replica B claims", "transaction: d1", "transaction: d1"],
}


@pytest.mark.parametrize("bound", SMALL)
def test_the_promise_holds_at_every_state_and_a_finished_one_is_always_in_reach(bound: str) -> None:
    verdict = explore(SMALL[bound])

    assert (verdict.broken, verdict.trace) == ("", ())
    assert verdict.states > 3_000


@pytest.mark.parametrize("sabotage", Sabotage)
def test_each_sabotage_has_a_counterexample_that_tells_the_step_it_spoils(sabotage: Sabotage) -> None:
    verdict = explore(shown_by(sabotage))

    assert verdict.broken
    assert _in_turn(TOLD_BY[sabotage], list(verdict.trace)) == [], verdict.trace


@pytest.mark.parametrize("sabotage", Sabotage)
def test_without_the_sabotage_its_world_keeps_the_promise(sabotage: Sabotage) -> None:
    assert explore(replace(shown_by(sabotage), off=None)).broken == ""


def test_a_protocol_that_gets_stuck_is_found_although_it_says_nothing_wrong() -> None:
    verdict = explore(replace(ONE_EACH, relays=1, pages_at_once=0))

    assert verdict.broken == "from here on nothing leads to a finished state"


def _in_turn(words: list[str], trace: list[str]) -> list[str]:
    """Those of the words that no sentence says after the former ones were said."""
    left = list(words)
    for sentence in trace:
        if left and left[0] in sentence:
            left.pop(0)
    return left
