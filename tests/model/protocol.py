"""The delivery protocol of libs/chassis as a machine that can be explored to its last state.

Two replicas take records of two partitions (two keys) and due work, and publish what they say. Every move is one that a
process, MongoDB, Kafka or a fault can make; `intake.py` and `relay.py` here follow the chassis's modules of that kind.

Faults have no budget, but for the election: processes die at any step and as often as they like, outcomes of both
commits stay unknown, records come again, leases run out. What makes that finite, and why nothing is missed:

* A process that died has forgotten; it is as if it were idle. A zombie is a process that has not moved for long, and
  any process may. So crashes and zombies need no states of their own. Intake and relay of a replica die each for
  itself, which allows more than both at once.
* There is no lease of the relay: both may always try, which allows more than the lease does.
* Two owners of a partition overlap for ever, as in a rebalance that never ends: any record up to the committed offset
  may be taken by anybody. This covers repeating senders, refused offset commits, and offsets that fall back.
* A commit that arrives after its process gave up waiting is the other owner's commit, made by a slow zombie.
* A write that is not yet held by a majority matters only if an election undoes it. So a write is held at once, or it
  begins a time in which the primary is alone: what waits for a majority then waits until the election, and is told
  nothing. A process that waits is as one that starts over. Only a claim of due work is not tried in that time.
* MongoDB refuses the second of two writers of a document when it writes, here as soon as the first has committed. It
  starts over in both. In the same way a fenced relay that can only be refused starts over at once (`_tidied`).
* Replicas are alike, and so are relays: states that differ by an exchange are one (`canonical`).
* Names of pages, epochs and the running number of the position are compared for equality only, and are left out where
  a flag says the same. After an election facts carry a mark, as a fact that is said anew has a new id.

Not in the model: loss of Kafka's own data, expiry of the position, answers to commands (an inbox row more), sizes of
pages. The mail window is no part of the promise.
"""

from collections.abc import Iterator

from tests.model.intake import REPLICAS, intake_moves, refused
from tests.model.relay import broker_moves, relay_moves
from tests.model.world import Intake, Moves, Page, Reign, Relay, Rules, Worker, World


def moves(rules: Rules, state: World) -> Moves:
    """Everything that can happen next, with a sentence that tells it."""
    for label, after in _raw_moves(rules, state):
        yield label, after if after.base is state.base else _tidied(rules, after)


def _raw_moves(rules: Rules, state: World) -> Moves:
    for who in range(len(REPLICAS)):
        yield from intake_moves(rules, state, who)
    for who in range(len(state.relays)):
        yield from relay_moves(rules, state, who)
    yield from broker_moves(rules, state)
    yield from _election(state)


def _election(state: World) -> Moves:
    """The new primary has what a majority had; the transactions of the old one are gone."""
    if state.held is not None:
        workers = tuple(Worker() if each.phase is Intake.READ else each for each in state.workers)
        label = "MongoDB elects another primary: what no majority had is undone"
        yield label, state._replace(base=state.held, held=None, elections=state.elections + 1, workers=workers)


def _tidied(rules: Rules, state: World) -> World:
    """Forgets what can change nothing any more: names of pages that are gone, transactions that will be refused."""
    there = {*state.base.pages, *(state.held.pages if state.held else ())}
    position = tuple(page for page in state.position if page in there)
    workers = tuple(Worker() if refused(rules, state.base, each) else each for each in state.workers)
    relays = tuple(_remembering(relay, there) for relay in state.relays)
    return state._replace(position=position, workers=workers, relays=relays)


def _remembering(relay: Relay, there: set[Page]) -> Relay:
    if relay.phase not in (Reign.POSITIONED, Reign.COMMITTED):
        return relay
    pages = tuple(page for page in relay.pages if page in there)
    return relay._replace(pages=pages) if pages or relay.current else Relay()


def canonical(state: World) -> World:
    """One of the states that are the same but for who is who."""
    return state._replace(workers=tuple(sorted(state.workers)), relays=tuple(sorted(state.relays)))


def tell(rules: Rules, path: list[World]) -> Iterator[str]:
    """The sentences of a path of canonical states, in which everybody keeps the name."""
    state = rules.start()
    for wanted in path[1:]:
        label, state = next(move for move in moves(rules, state) if canonical(move[1]) == wanted)
        yield label
