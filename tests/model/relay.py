"""The way out, as relay.py goes it: no step may move."""

from functools import cache
from itertools import pairwise, permutations

from tests.model.sabotage import Sabotage
from tests.model.world import TOPICS, Batch, Move, Moves, Page, Reign, Relay, Rules, World, named, with_relay

RELAYS = ("relay A", "relay B")


def relay_moves(rules: Rules, state: World, who: int) -> Moves:
    """Everything that the relay of one replica may do next."""
    phase = state.relays[who].phase
    if phase is Reign.IDLE and rules.off is Sabotage.POSITION_FIRST:
        early = Relay(Reign.EARLY, pages=state.position)
        yield (
            f"{RELAYS[who]} reads which pages the position names: {named(state.position)}",
            with_relay(state, who, early),
        )
    elif phase in (Reign.IDLE, Reign.EARLY):
        yield from _starts(state, who)
    elif phase is Reign.STARTED:
        yield from _reads_position(rules, state, who)
    elif phase in (Reign.POSITIONED, Reign.COMMITTED):
        current = state.relays[who].current
        yield from _deletes(rules, state, who, Relay(Reign.READY, True) if current else Relay())
        if phase is Reign.COMMITTED and rules.off is Sabotage.NEXT_BEFORE_DELETE:
            yield from _reads(rules, state, who)
    elif phase in (Reign.READY, Reign.SCANNING):
        yield from _reads(rules, state, who)
    elif phase is Reign.READ:
        yield from _sends(rules, state, who)
    elif phase in (Reign.SENT, Reign.GONE):
        yield from _commits(rules, state, who)
    elif phase is Reign.COMMITTING:
        yield from _hears(rules, state, who)
    elif phase is Reign.UNPLACED:
        yield _places(state, who)
    if phase is not Reign.IDLE:
        yield f"{RELAYS[who]} crashes or loses patience, and starts over", with_relay(state, who, Relay())


def _starts(state: World, who: int) -> Moves:
    """Kafka lets a producer start once what its predecessor left is over: committed if that was decided, else not."""
    if state.pending is not None:
        return
    mine = state.relays[who]
    phase = Reign.POSITIONED if mine.phase is Reign.EARLY else Reign.STARTED
    relays = [_fenced(other) for other in state.relays]
    relays[who] = mine._replace(phase=phase, current=True)
    yield f"{RELAYS[who]} starts its producer, which fences the other", state._replace(relays=tuple(relays))


def _fenced(relay: Relay) -> Relay:
    """A fenced relay may still delete. One that would send next is refused then, and starts over: why not now."""
    deletes = (Reign.STARTED, Reign.POSITIONED, Reign.COMMITTING, Reign.UNPLACED, Reign.COMMITTED)
    return relay._replace(current=False) if relay.phase in deletes else Relay()


def _reads_position(rules: Rules, state: World, who: int) -> Moves:
    current = state.relays[who].current
    ready = Relay(Reign.READY, True) if current else Relay()
    found = () if rules.off is Sabotage.METADATA_IGNORED else state.position
    then = Relay(Reign.POSITIONED, current, found) if found else ready
    yield f"{RELAYS[who]} reads which pages the position names: {named(found)}", with_relay(state, who, then)
    if rules.off is Sabotage.MISSING_IS_NONE:
        blind = with_relay(state, who, ready)
        yield f"{RELAYS[who]} gets no answer about the position, and takes that for none", blind


def _deletes(rules: Rules, state: World, who: int, then: Relay) -> Moves:
    mine = state.relays[who]
    gone = {*mine.pages, *mine.owed}
    left = tuple(page for page in state.base.pages if page not in gone)
    deleted = state._replace(base=state.base._replace(pages=left))
    if rules.off is Sabotage.STALE_READ:
        deleted = deleted._replace(stale=state.base.pages)
    label = f"{RELAYS[who]} deletes {named((*mine.owed, *mine.pages))}"
    unheld = then if rules.off is Sabotage.DELETE_UNHELD else Relay()
    if state.held is not None:
        yield f"{label}; no majority has that", with_relay(deleted, who, unheld)
        return
    yield label, with_relay(deleted, who, then)
    if state.elections < rules.elections and left != state.base.pages:
        yield f"{label}; the primary alone has that", with_relay(deleted, who, unheld)._replace(held=state.base)


def _reads(rules: Rules, state: World, who: int) -> Moves:
    """A majority must have what was read and what was deleted before, so nothing is heard until the election."""
    mine = state.relays[who]
    if state.held is not None:
        return
    if rules.off is Sabotage.PLAIN_READ:
        yield from _scans(state, who, mine)
        return
    sources = {state.base.pages, state.stale} if rules.off is Sabotage.STALE_READ else {state.base.pages}
    owed = (*mine.owed, *mine.pages) if mine.phase is Reign.COMMITTED else ()
    for source in sources:
        shown = tuple(page for page in source if page not in owed)
        for pages in _batches(rules, shown):
            then = with_relay(state, who, Relay(Reign.READ, mine.current, pages, owed=owed))
            yield f"{RELAYS[who]} reads the outbox: {named(pages)}", then


@cache
def _batches(rules: Rules, shown: tuple[Page, ...]) -> list[tuple[Page, ...]]:
    """Ids are chance, so pages of one tick and part come in any order; how many fit is anybody's guess."""
    orders = [order for order in permutations(shown) if rules.off is Sabotage.BY_ID or _by_tick(order)]
    sizes = range(1, min(rules.pages_at_once, len(shown)) + 1)
    return sorted({order[:size] for order in orders for size in sizes})


def _by_tick(pages: tuple[Page, ...]) -> bool:
    return all(one[:2] <= other[:2] for one, other in pairwise(pages))


def _scans(state: World, who: int, mine: Relay) -> Moves:
    """The cursor has passed the first page when somebody writes; the rest is read as it is then."""
    pages = state.base.pages
    if mine.phase is Reign.READY and pages:
        begun = Relay(Reign.SCANNING, mine.current, pages[:1])
        yield f"{RELAYS[who]} begins to read the outbox: {named(pages[:1])}", with_relay(state, who, begun)
    elif mine.phase is Reign.SCANNING:
        found = (*mine.pages, *(page for page in pages if page[:2] > mine.pages[0][:2]))
        then = with_relay(state, who, Relay(Reign.READ, mine.current, found))
        yield f"{RELAYS[who]} reads the outbox to its end: {named(found)}", then


def _sends(rules: Rules, state: World, who: int) -> Moves:
    mine = state.relays[who]
    then = with_relay(state, who, mine._replace(phase=Reign.SENT, sent=mine.pages))
    if rules.off is Sabotage.READERS_UNCOMMITTED:
        then = then._replace(log=_logged(state, mine.pages))
    yield f"{RELAYS[who]} sends {named(mine.pages)}, and the position with their names", then
    if rules.off is Sabotage.NOT_AWAITED:
        sent = mine.pages[1:]
        label = f"{RELAYS[who]} sends {named(mine.pages)}; the first send fails, and nobody awaits it"
        yield label, with_relay(state, who, mine._replace(phase=Reign.SENT, sent=sent))


def _commits(rules: Rules, state: World, who: int) -> Moves:
    mine = state.relays[who]
    if rules.off is Sabotage.DELETE_FIRST and mine.phase is Reign.SENT:
        yield from _deletes(rules, state, who, mine._replace(phase=Reign.GONE))
    elif state.pending is None:
        batch = Batch(mine.sent, None if rules.off is Sabotage.POSITION_OUTSIDE else mine.pages)
        then = with_relay(state, who, mine._replace(phase=Reign.COMMITTING, sent=()))
        yield f"{RELAYS[who]} asks Kafka to commit; Kafka decides for it", then._replace(pending=batch)


def _hears(rules: Rules, state: World, who: int) -> Moves:
    mine = state.relays[who]
    if state.pending is None:
        phase = Reign.UNPLACED if rules.off is Sabotage.POSITION_OUTSIDE else Reign.COMMITTED
        yield f"{RELAYS[who]} hears that Kafka has committed", with_relay(state, who, mine._replace(phase=phase))
    if rules.off is Sabotage.RETRY_AFTER_TIMEOUT:
        again = mine._replace(phase=Reign.READ)
        yield f"{RELAYS[who]} waits too long for the commit, aborts and tries again", with_relay(state, who, again)


def _places(state: World, who: int) -> Move:
    mine = state.relays[who]
    then = with_relay(state, who, mine._replace(phase=Reign.COMMITTED))
    return f"{RELAYS[who]} commits the position: {named(mine.pages)}", then._replace(position=mine.pages)


def broker_moves(rules: Rules, state: World) -> Moves:
    """A decided commit becomes visible, for `read_committed`: records and position at once."""
    if state.pending is not None:
        sent, names = state.pending
        position = state.position if names is None else names
        for shown in permutations(sent) if rules.off is Sabotage.RANDOM_KEY else [sent]:
            log = state.log if rules.off is Sabotage.READERS_UNCOMMITTED else _logged(state, shown)
            label = f"Kafka's commit becomes visible: {named(shown)}"
            yield label, state._replace(pending=None, log=log, position=position)


def _logged(state: World, pages: tuple[Page, ...]) -> tuple[tuple[str, ...], ...]:
    log = list(state.log)
    for page in pages:
        key = TOPICS[page.fact[0]]
        log[key] = (*log[key], page.fact)
    return tuple(log)
