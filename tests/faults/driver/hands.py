"""Does what the generator asks for, and remembers what came of it: `Told`, what the checker measures against."""

import queue
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Event, Lock, Thread
from typing import Any
from zlib import crc32

import httpx

from tests.faults.checker.told import Command, Told
from tests.faults.driver.listener import Listener
from tests.faults.driver.orders import Ask, Say, Step, Want, Wish, told
from tests.faults.driver.speaker import Speaker
from tests.faults.driver.timeline import Kind, Timeline

CALLERS = 6
TRIES_TO_FIND, FIND_PAUSE = 12, 1.0
REPEAT_PAUSE = 0.5
FACT = {
    "complete": "session-completed",
    "cancel": "session-cancelled",
    "move": "session-scheduled",
    "end": "pair-ended",
}


@dataclass(slots=True)
class Job:
    order: Ask | Want
    tries: int = 0
    not_before: float = 0.0


@dataclass(slots=True)
class Hands:
    """Callers repeat a request until its outcome is known.

    `addresses` gives the replicas of each service as they are now: one that starts anew may have another port.
    """

    speaker: Speaker
    listener: Listener
    addresses: Callable[[], Mapping[str, Sequence[str]]]
    timeline: Timeline
    told: Told
    outcomes: Counter[str] = field(default_factory=Counter)
    steps: Counter[str] = field(default_factory=Counter)
    """How often each action asked for something."""
    broken_answers: list[str] = field(default_factory=list)
    _jobs: "queue.Queue[Job]" = field(default_factory=queue.Queue)
    _left: int = 0
    _lock: Lock = field(default_factory=Lock)
    _stopped: Event = field(default_factory=Event)
    _threads: list[Thread] = field(default_factory=list)

    def start(self) -> None:
        self._threads = [Thread(target=self._work, name=f"caller {n}", daemon=True) for n in range(CALLERS)]
        for thread in self._threads:
            thread.start()

    def do(self, step: Step) -> None:
        self.steps[step.action] += bool(step.orders)
        for order in step.orders:
            self.timeline.note(Kind.ORDER, step=step.number, action=step.action, **told(order))
            if isinstance(order, Say):
                self.speaker.say(order)
            else:
                self._add(Job(order))

    @property
    def left(self) -> int:
        """Requests whose outcome is not known yet."""
        return self._left

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _add(self, job: Job) -> None:
        with self._lock:
            self._left += 1
        self._jobs.put(job)

    def _work(self) -> None:
        with httpx.Client(timeout=15) as client:
            while not self._stopped.is_set():
                try:
                    job = self._jobs.get(timeout=0.2)
                except queue.Empty:
                    continue
                if job.not_before > time.monotonic():
                    self._jobs.put(job)
                    self._stopped.wait(0.02)
                    continue
                if self._settled(client, job):
                    with self._lock:
                        self._left -= 1

    def _settled(self, client: httpx.Client, job: Job) -> bool:
        ask = job.order if isinstance(job.order, Ask) else self._found(job.order)
        if ask is None:
            return self._later(job, FIND_PAUSE, TRIES_TO_FIND)
        answer = self._call(client, ask, job.tries)
        if answer is None or answer.status_code >= 500:
            if answer is not None and answer.status_code != 503:
                self._broken(
                    f"{ask.method} {ask.path} {ask.key} was answered {answer.status_code}: {answer.text[:200]}"
                )
            job.order = ask
            return self._later(job, REPEAT_PAUSE)
        self._remember(ask, answer)
        if ask.again and job.tries == 0:
            self._ask_again(client, ask, answer)
        if ask.then and answer.is_success:
            self._add(Job(replace(ask, key=f"{ask.key}-then", body=ask.then, then=None)))
        return True

    def _later(self, job: Job, pause: float, most: int | None = None) -> bool:
        job.tries, job.not_before = job.tries + 1, time.monotonic() + pause
        if most is not None and job.tries > most:
            self.outcomes["nothing to wish for"] += 1
            return True
        self._jobs.put(job)
        return False

    def _found(self, want: Want) -> Ask | None:
        """The request for the meeting or the pair that the person has now."""
        who = f"{want.program_id}/{want.participant_id}"
        if want.wish is Wish.END:
            pair = self.listener.pairs.get(who)
            return pair and Ask("matching", "POST", f"/pairs/{pair}/end", want.key, want.body)
        session = self.listener.planned.get(who)
        return session and Ask(
            "scheduling", "POST", f"/sessions/{session}/{want.wish}", want.key, want.body, then=want.then
        )

    def _call(self, client: httpx.Client, ask: Ask, tries: int) -> httpx.Response | None:
        addresses = self.addresses()[ask.service]
        url = f"http://{addresses[(crc32(ask.key.encode()) + tries) % len(addresses)]}{ask.path}"
        try:
            return client.request(ask.method, url, json=ask.body, headers={"Idempotency-Key": ask.key})
        except httpx.TransportError:
            return None

    def _ask_again(self, client: httpx.Client, ask: Ask, first: httpx.Response) -> None:
        second = self._call(client, ask, tries=1)
        if second is not None and second.status_code < 500 and _said(second) != _said(first):
            self._broken(f"{ask.method} {ask.path} {ask.key}: {first.status_code} and then {second.status_code}")

    def _remember(self, ask: Ask, answer: httpx.Response) -> None:
        self.outcomes[str(answer.status_code)] += 1
        self.timeline.note(Kind.ORDER, key=ask.key, asked=f"{ask.method} {ask.path}", answered=answer.status_code)
        if answer.is_success:
            self.told.accepted.append(_command(ask, answer.status_code, self.listener))

    def _broken(self, what: str) -> None:
        self.broken_answers.append(what)
        self.timeline.note(Kind.VIOLATION, what=what)


def _said(answer: httpx.Response) -> tuple[int, bytes]:
    return answer.status_code, answer.content


def _command(ask: Ask, status: int, listener: Listener) -> Command:
    """The fact that has to follow; a round may find nobody."""
    name, parts = f"{ask.method} {ask.path} {ask.key}", ask.path.split("/")
    if parts[-1] == "rounds":
        return Command(name, status=status)
    if parts[1] == "programs":
        topic = "participant-enrolled" if ask.method == "PUT" else "participant-withdrawn"
        fields: dict[str, Any] = {"location": ask.body["location"]} if ask.body else {}
        return Command(name, topic, f"{parts[2]}/{parts[4]}", fields, status)
    if parts[1] == "pairs":
        return Command(name, FACT[parts[3]], parts[2], {}, status)
    pair_id = listener.pair_of.get(parts[2], "")
    return Command(name, FACT[parts[3]], pair_id, {"session_id": parts[2]}, status)
