"""The words in which a handler speaks to the chassis."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict

from libs.chassis.documents import Read
from libs.chassis.state import State
from libs.contracts.events import Event


class Command(BaseModel):
    """A wish that arrives by HTTP and may be refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def about(self) -> str:
        """The key whose erasure takes the kept answer too; `` where the answer tells of nobody."""
        return ""


class Work(BaseModel):
    """Something that is due at a time. Work with the same type and key replaces what was planned before."""

    model_config = ConfigDict(frozen=True)

    preparing_seconds: ClassVar[float] = 45.0
    """After which a preparation that is not done is given up and tried again. Its lease is renewed until then."""

    @property
    def key(self) -> str:
        raise NotImplementedError

    @property
    def work_id(self) -> str:
        return f"{type(self).__name__}:{self.key}"


@dataclass(frozen=True, slots=True)
class Erased:
    """A null value on the compacted topic of `event`: forget what this key said."""

    event: type[Event]
    key: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Not allowed, as a value: an event becomes a dead letter with this reason, a command is answered with `status`."""

    reason: str
    detail: str
    status: int = 409
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller of a command gets once the transaction is done."""

    body: dict[str, Any]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Later:
    """Plan `work` for the time `at`, in the same transaction."""

    work: Work
    at: datetime


Facts: TypeAlias = Iterator[Event | Later | Answer | Refused]
M = TypeVar("M", contravariant=True)
Reads: TypeAlias = Iterable[Read[Any]]


@dataclass(frozen=True, slots=True)
class Handler(Generic[M]):
    """A pure function with the reads that it declares, in stages."""

    handle: Callable[[M, State, datetime], Facts]
    first: Callable[[M], Reads]
    then: tuple[Callable[[M, State], Reads], ...] = ()

    def __call__(self, message: M, state: State, now: datetime) -> Facts:
        return self.handle(message, state, now)

    @property
    def depth(self) -> int:
        """How many stages its reads have."""
        return 1 + len(self.then)

    def stage(self, depth: int, message: M, state: State) -> Reads:
        """The reads of one stage; none beyond the last."""
        if depth == 0:
            return self.first(message)
        return self.then[depth - 1](message, state) if depth < self.depth else ()

    @property
    def __name__(self) -> str:
        return self.handle.__name__


def reads(
    first: Callable[[Any], Reads], *then: Callable[[Any, State], Reads]
) -> Callable[[Callable[[M, State, datetime], Facts]], Handler[M]]:
    """Declare what a handler reads: `first` from the message alone, each of `then` from what was read so far."""
    return lambda handle: Handler(handle, first, then)
