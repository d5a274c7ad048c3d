"""Planning: from a pair that wants a meeting to a meeting, a warning sign, or a pair that waits."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Final

from libs.chassis.documents import Read, peek
from libs.chassis.state import State
from libs.chassis.words import Facts, Later, Reads
from libs.contracts.ids import PairId
from libs.contracts.policy import Policy
from libs.contracts.words import Sign
from services.scheduling.rules.diaries import Diary as Calendar
from services.scheduling.rules.diaries import Slot
from services.scheduling.rules.local_days import local_day, to_minute
from services.scheduling.rules.series import no_show_at
from services.scheduling.rules.slots import NoSlot, earliest_common_slot, next_slot_after
from services.scheduling.store.pairs import Pair
from services.scheduling.store.people import Diary, OfAPair, Person, Program, keys_of
from services.scheduling.store.sessions import Session
from services.scheduling.work import LookAgain, NoShowCheck

LOOK_AGAIN_AFTER: Final = timedelta(days=7)


def around(pair: OfAPair) -> list[Read[Diary] | Read[Person] | Read[Program]]:
    """What planning looks at. Profiles may be peeked at: who changes one writes its diary as well."""
    keys = keys_of(pair)
    return [*map(Diary.by_id, keys), *(peek(Person.by_id(key)) for key in keys), peek(Program.by_id(pair.program_id))]


def next_meeting(pair: Pair, named: OfAPair, state: State, *, news: str = "", held: int = 0) -> Reads:
    """The meeting that planning would fill, or the programme that the pair would wait for.

    `news` is the id of the programme or person that the message brings; `held` counts the meetings it says were held.
    """
    program = state[Program, named.program_id]
    if pair.ended_at:
        return []
    if program.policy is None and news != program.id:
        return [Program.by_id(program.id)]
    if program.policy and pair.held + held >= program.policy.sessions_per_pair:
        return []
    known = all(key == news or state[Person, key].active for key in keys_of(named))
    return [Session.by_id(pair.next_session_id)] if known else []


def diaries(pair: OfAPair, state: State) -> tuple[Diary, Diary]:
    mentor, mentee = keys_of(pair)
    return state[Diary, mentor], state[Diary, mentee]


def calendars(pair: OfAPair, state: State, *, but: str = "") -> tuple[Calendar, Calendar] | None:
    """When the two can meet; None where one of them is not known, or left."""
    found = [
        state[Diary, key].calendar(person.profile, but=but)
        for key in keys_of(pair)
        if (person := state[Person, key]).active and person.profile
    ]
    return (found[0], found[1]) if len(found) == 2 else None


def plan_next(pair: Pair, state: State, now: datetime) -> Facts:
    """Plan the next meeting of a pair that wants one; what is missing will wake it."""
    if not pair.wants_a_session:
        return
    program = state[Program, pair.program_id]
    if program.policy is None:
        program.wait(pair.id)
        yield _look_again(pair, now)
    elif pair.held >= program.policy.sessions_per_pair:
        return
    elif both := calendars(pair, state):
        yield from _plan(pair, state, program.policy, both, now)
    else:
        _wait(pair, state)
        yield _look_again(pair, now)


def plan_all(pair_ids: Iterable[str], state: State, now: datetime) -> Facts:
    """Wake pairs; those that still miss something wait on."""
    for pair_id in pair_ids:
        yield from plan_next(state[Pair, pair_id], state, now)


def waiting_pairs(pair_ids: Iterable[str], state: State) -> Iterator[Pair]:
    return (pair for pair_id in pair_ids if (pair := state[Pair, pair_id]).wants_a_session)


def day_after(start: datetime, zone: str) -> date:
    """The local day after the one on which a meeting starts."""
    return date.fromordinal(local_day(zone, to_minute(start)) + 1)


def _plan(pair: Pair, state: State, policy: Policy, both: tuple[Calendar, Calendar], now: datetime) -> Facts:
    match _slot(pair, policy, both, now):
        case Slot() as slot:
            session = state[Session, pair.next_session_id]
            yield pair.book(session, slot, diaries(pair, state), now)
            yield no_show_check(session, policy)
        case NoSlot() as none:
            _wait(pair, state)
            yield from pair.warn(Sign.NO_COMMON_SLOT, none.why, now)
            yield _look_again(pair, now)


def _slot(pair: Pair, policy: Policy, both: tuple[Calendar, Calendar], now: datetime) -> Slot | NoSlot:
    if pair.lost:
        replacement = day_after(pair.lost, both[0].zone)
        return earliest_common_slot(*both, minutes=policy.session_minutes, after=now, on_or_after=replacement)
    if pair.previous:
        return next_slot_after(
            pair.previous, *both, cadence_days=policy.cadence_days, minutes=policy.session_minutes, after=now
        )
    return earliest_common_slot(*both, minutes=policy.session_minutes, after=now)


def no_show_check(session: Session, policy: Policy) -> Later:
    check = NoShowCheck(session_id=session.facts()["session_id"], revision=session.revision)
    return Later(check, no_show_at(session.slot.ends_at, policy))


def _look_again(pair: Pair, now: datetime) -> Later:
    return Later(LookAgain(pair_id=PairId(pair.id)), now + LOOK_AGAIN_AFTER)


def _wait(pair: Pair, state: State) -> None:
    for diary in diaries(pair, state):
        diary.wait(pair.id)
