"""What became of an attempt to send: said as a fact, tried again, or dropped."""

from datetime import datetime, timedelta
from typing import Final

from libs.chassis.state import State
from libs.chassis.words import Facts, Later, reads
from services.notifications.rules.timing import GIVE_UP_AFTER, LONGEST_WAIT, GiveUp
from services.notifications.store.notices import KeptNotice
from services.notifications.store.people import Person
from services.notifications.work import Delivered, Fate, SendNotice

_SHORTEST_WAIT: Final = timedelta(seconds=1)


@reads(lambda result: [KeptNotice.by_id(result.notification_id), Person.by_id(result.person)])
def record_what_became_of_the_notice(result: Delivered, state: State, now: datetime) -> Facts:
    kept = state[KeptNotice, result.notification_id]
    if not kept.is_open:
        return
    match result.fate:
        case Fate.SENT:
            yield kept.sent(now)
        case Fate.REFUSED:
            kept.attempts += 1
            yield kept.failed(result.why, now)
        case Fate.REFUSED_FOR_NOW:
            yield from _again_or_give_up(kept, result, now)
        case Fate.TOO_EARLY:
            yield from _wait_for_facts(kept, result, now)
        case Fate.UNTRUE:
            kept.drop(result.why, now)
        case Fate.SETTLED:
            pass


def _again_or_give_up(kept: KeptNotice, result: Delivered, now: datetime) -> Facts:
    match kept.next_try(now):
        case GiveUp():
            yield kept.failed(result.why, now)
        case datetime() as at:
            yield Later(SendNotice(notification_id=kept.id, person=result.person), at)


def _wait_for_facts(kept: KeptNotice, result: Delivered, now: datetime) -> Facts:
    waited = now - (kept.planned_at or now)
    if waited >= GIVE_UP_AFTER:
        yield kept.failed(result.why, now)
    else:
        wait = min(max(waited, _SHORTEST_WAIT), LONGEST_WAIT)
        yield Later(SendNotice(notification_id=kept.id, person=result.person), now + wait)
