"""What can break, as a table: a new kind adds its line."""

import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import TypeAlias

from deploy.local.processes import Server, wait_until
from tests.faults.driver.office import SERVICES, Office, service_of
from tests.faults.instruments.failpoints import DatabaseFault
from tests.faults.instruments.proxy import Proxy, Way
from tests.faults.instruments.servers import ServerFault, heal, strike
from tests.faults.struck.points import RELAY, Point

HOUR = 3600
CONFLICT_SHARE = 0.3
SLOW_SECONDS = 0.3
POINT_WITHIN, COMES_WITHIN = 20.0, 20.0
STEPS_DOWN_FOR = 5
# Where a point is not met by every service.
MEET = {
    Point.PREPARED: ("matching", "notifications"),
    Point.CLAIMED: ("matching", "notifications"),
}
VERBS: dict[str, Callable[[Proxy], None]] = {
    "cut": Proxy.cut,
    "refused": Proxy.refuse,
    "half-open": Proxy.half_open,
    "answers held": lambda proxy: proxy.half_open(Way.BACK),
    "slow": lambda proxy: proxy.slow(SLOW_SECONDS),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """`strike` and `end` return when it has happened. Two faults of one victim don't go together.

    `repeats` is how many mails it may repeat. `met` is for what waits for its moment, within `seconds`: it tells that
    the blow fell.
    """

    kind: str
    victim: str
    strike: Callable[[], None]
    end: Callable[[], None]
    seconds: float
    detail: str = ""
    repeats: int = 0
    met: Callable[[], bool] | None = None


Make: TypeAlias = Callable[[str, Office, Random], Fault]
PER_FAULT = 8
"""Mails that a fault may repeat at most: the turns of both replicas."""


def kill_replica(kind: str, office: Office, random: Random) -> Fault:
    return _of_replica(kind, office, random, partial(office.stop, kill=True), random.uniform(0, 3))


def terminate_replica(kind: str, office: Office, random: Random) -> Fault:
    return _of_replica(kind, office, random, office.stop, random.uniform(0, 3))


def freeze_replica(kind: str, office: Office, random: Random) -> Fault:
    """Long enough that others take its work, and it comes back as a zombie."""
    name = random.choice(list(office.replicas))
    stop, go_on = (partial(office.signal, name, number) for number in (signal.SIGSTOP, signal.SIGCONT))
    return Fault(kind, name, stop, go_on, random.uniform(15, 40), name, _repeats(name))


def shift_clock(kind: str, office: Office, random: Random) -> Fault:
    name, ahead = random.choice(list(office.replicas)), random.choice((-HOUR, HOUR))
    return _struck(kind, office, name, random.uniform(8, 15), "--clock", str(ahead))


def crash_at(point: Point) -> Make:
    """A replica kills itself at one point of the chassis's sequence."""

    def make(kind: str, office: Office, random: Random) -> Fault:
        name = random.choice([each for each in office.replicas if service_of(each) in MEET.get(point, SERVICES)])
        fault = _struck(kind, office, name, POINT_WITHIN, "--point", point.value)
        reigns = partial(_reign, office, name, fault.strike) if point in RELAY else fault.strike
        return replace(fault, strike=reigns, met=lambda: office.fell(name, point))

    return make


def of_broker(fault: ServerFault) -> Make:
    return lambda kind, office, random: _of_server(kind, random.choice(office.cluster.brokers), fault, random)


def of_mongod(fault: ServerFault) -> Make:
    return lambda kind, office, random: _of_server(kind, random.choice(office.cluster.mongods), fault, random)


def of_leader(kind: str, office: Office, random: Random) -> Fault:
    leader = office.cluster.leader_of("faults.participant-enrolled", random.randrange(6)) or office.cluster.brokers[0]
    return _of_server(kind, leader, ServerFault.KILL, random)


def of_primary(kind: str, office: Office, random: Random) -> Fault:
    return _of_server(kind, office.cluster.primary() or office.cluster.mongods[0], ServerFault.KILL, random)


def step_down(kind: str, office: Office, random: Random) -> Fault:
    """Who is alone has no successor: for so long there is no primary at all."""
    before = office.cluster.primary()

    def end() -> None:
        wait_until(lambda: office.cluster.primary() is not None, COMES_WITHIN, "a primary")

    def met() -> bool:
        return before is not None and office.cluster.primary() != before

    blow = partial(office.failpoints().step_down, STEPS_DOWN_FOR)
    return Fault(kind, "mongod", blow, end, STEPS_DOWN_FOR, repeats=PER_FAULT, met=met)


def abort_transactions(kind: str, office: Office, random: Random) -> Fault:
    return Fault(kind, "mongod", office.failpoints().abort_transactions, _nothing, 0, repeats=PER_FAULT)


def on_the_way(where: str, verb: str) -> Make:
    """A proxy's verb on the way to `broker`, `database` or `smtp`."""

    def make(kind: str, office: Office, random: Random) -> Fault:
        proxy = _proxy(office, where, random)
        seconds = 0 if verb == "cut" else random.uniform(2, 8)
        blow = partial(VERBS[verb], proxy)
        return Fault(kind, where, blow, proxy.heal, seconds, repeats=0 if where == "broker" else PER_FAULT)

    return make


def by_fail_point(fault: DatabaseFault) -> Make:
    def make(kind: str, office: Office, random: Random) -> Fault:
        points = office.failpoints()
        share = CONFLICT_SHARE if fault is DatabaseFault.WRITE_CONFLICT else None
        blow = partial(points.inflict, fault, share=share, delay_seconds=SLOW_SECONDS)
        return Fault(kind, "mongod", blow, points.heal, random.uniform(1, 6), repeats=PER_FAULT)

    return make


@dataclass(frozen=True, slots=True)
class Line:
    """How often a kind is in the deck, and for how many nodes it is made."""

    copies: int
    make: Make
    nodes: tuple[int, ...] = (1, 3)


KINDS: dict[str, Line] = {
    "kill -9 of a replica": Line(4, kill_replica),
    "SIGTERM of a replica": Line(2, terminate_replica),
    "SIGSTOP of a replica": Line(1, freeze_replica),
    "clock shifted": Line(1, shift_clock),
    "broker stopped": Line(1, of_broker(ServerFault.STOP)),
    "broker killed": Line(1, of_broker(ServerFault.KILL)),
    "broker frozen": Line(1, of_broker(ServerFault.FREEZE)),
    "broker's disk full": Line(1, of_broker(ServerFault.FULL_DISK)),
    "mongod stopped": Line(1, of_mongod(ServerFault.STOP)),
    "mongod killed": Line(1, of_mongod(ServerFault.KILL)),
    "mongod frozen": Line(1, of_mongod(ServerFault.FREEZE)),
    "mongod's disk full": Line(1, of_mongod(ServerFault.FULL_DISK)),
    "transactions aborted": Line(1, abort_transactions),
    "leader killed": Line(2, of_leader, (3,)),
    "primary killed": Line(2, of_primary, (3,)),
    "primary steps down": Line(1, step_down),
    **{f"{where} {verb}": Line(1, on_the_way(where, verb)) for where in ("broker", "smtp") for verb in VERBS},
    **{f"database {verb}": Line(1, on_the_way("database", verb), (1,)) for verb in VERBS},
    **{f"fail point {fault}": Line(1, by_fail_point(fault)) for fault in DatabaseFault},
    **{f"crash at {point}": Line(1, crash_at(point)) for point in Point},
}


def _of_replica(kind: str, office: Office, random: Random, blow: Callable[[str], None], seconds: float) -> Fault:
    name = random.choice(list(office.replicas))
    return Fault(kind, name, partial(blow, name), partial(office.launch, name), seconds, name, _repeats(name))


def _struck(kind: str, office: Office, name: str, seconds: float, *words: str) -> Fault:
    def strike() -> None:
        office.stop(name)
        office.launch(name, *words)

    def end() -> None:
        office.stop(name)
        office.launch(name)

    return Fault(kind, name, strike, end, seconds, f"{name} {' '.join(words)}", _repeats(name))


def _reign(office: Office, name: str, strike: Callable[[], None]) -> None:
    """Strike while the others of its service start anew: they give up the relay, and it is there to take it.

    They serve again before this returns, so that they are no part of what has to recover.
    """
    strike()
    office.comes(name, COMES_WITHIN)
    for other in office.replicas:
        if other != name and service_of(other) == service_of(name):
            office.stop(other)
            office.launch(other)
            office.comes(other, COMES_WITHIN)


def _of_server(kind: str, server: Server, fault: ServerFault, random: Random) -> Fault:
    which = server.process.name
    repeats = PER_FAULT if which == "mongod" else 0
    blow, end = partial(strike, server, fault), partial(heal, server)
    return Fault(kind, which, blow, end, random.uniform(2, 6), server.process.root.name, repeats)


def _proxy(office: Office, where: str, random: Random) -> Proxy:
    match where:
        case "broker":
            return random.choice(office.detours.brokers)
        case "smtp":
            return office.smtp
    assert office.detours.mongodb is not None
    return office.detours.mongodb


def _repeats(replica: str) -> int:
    return PER_FAULT if service_of(replica) == "notifications" else 0


def _nothing() -> None:
    """It is over by itself."""
