"""When a person is told: quiet hours in the person's own zone, and the next try after a temporary refusal."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo

from libs.contracts.policy import QuietHours

FIRST_WAIT: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(hours=1)
GIVE_UP_AFTER: Final = timedelta(days=1)
# A meeting this close to the end of the quiet hours is told of at once.
URGENT: Final = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class GiveUp:
    """A day of tries is over."""

    attempts: int


def not_before(now: datetime, zone: str, quiet: QuietHours | None, meets_at: datetime | None = None) -> datetime:
    """`now`, or the end of the quiet hours that the person is in.

    `meets_at` is the start of the meeting that the notice is about: one that is near cannot wait. Quiet hours that pass
    midnight (20:00 to 07:00) are fine; an end that a clock change jumps over is that much later.
    """
    if quiet is None:
        return now
    end = _end_of_quiet(now.astimezone(ZoneInfo(zone)), quiet)
    return now if end is None or (meets_at is not None and meets_at < end + URGENT) else end


def next_try(notification_id: str, attempts: int, first_tried_at: datetime, now: datetime) -> datetime | GiveUp:
    """When to try again after `attempts` failures: waits double up to an hour, for a day, with a last try at its end.

    The jitter (half of the wait) comes from the id, so that many notices refused at once do not come back at once.
    """
    deadline = first_tried_at + GIVE_UP_AFTER
    if now >= deadline:
        return GiveUp(attempts)
    doublings = min(max(attempts, 1) - 1, 16)
    wait = min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)
    return min(now + wait * (0.5 + _fraction(f"{notification_id}/{attempts}") / 2), deadline)


def _end_of_quiet(local: datetime, quiet: QuietHours) -> datetime | None:
    start, clock, end = _minutes(quiet.start), local.hour * 60 + local.minute, _minutes(quiet.end)
    passes_midnight = start > end
    is_quiet = (clock >= start or clock < end) if passes_midnight else start <= clock < end
    if not is_quiet:
        return None
    return _at(local, end, days=1 if passes_midnight and clock >= start else 0)


def _at(local: datetime, minutes: int, days: int) -> datetime:
    midnight = datetime.combine(local.date() + timedelta(days=days), time(), tzinfo=local.tzinfo)
    return max((midnight + timedelta(minutes=minutes)).astimezone(UTC), local.astimezone(UTC))


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def _fraction(text: str) -> float:
    return int.from_bytes(sha256(text.encode()).digest()[:6], "big") / 2**48
