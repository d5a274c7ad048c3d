"""Work that would hold this process up for long runs in a process of its own, with an interpreter of its own."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any, ParamSpec, TypeVar

from libs.chassis.errors import Conflict, EndedAside, Transient, told
from libs.chassis.garbage import collect_rarely

P = ParamSpec("P")
T = TypeVar("T")

_SPAWN = get_context("spawn")


async def aside(function: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a coroutine function of a module gives, run in a process that ends with this call and with this process.

    Arguments and result are pickled. Raises Transient and Conflict as the function does, and EndedAside for all else.
    """
    receiver, sender = _SPAWN.Pipe(duplex=False)
    process = _SPAWN.Process(target=_run, args=(sender, function, args, kwargs), daemon=True)
    process.start()
    sender.close()
    try:
        done, answer = await asyncio.to_thread(_received, receiver)
    finally:
        process.kill()
        await asyncio.shield(asyncio.to_thread(process.join))
    if answer is None and not done:
        raise EndedAside(f"the process ended without an answer, with exit code {process.exitcode}")
    if not done:
        raise answer
    result: T = answer
    return result


def _received(receiver: Connection) -> tuple[bool, Any]:
    with receiver:
        try:
            answer: tuple[bool, Any] = receiver.recv()
        except EOFError:
            return False, None
        return answer


def _run(sender: Connection, function: Callable[..., Coroutine[Any, Any, Any]], args: Any, kwargs: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is for the parent, which ends this process
    Thread(target=_end_with_parent, daemon=True).start()
    collect_rarely()
    try:
        answer = True, asyncio.run(function(*args, **kwargs))
    except (Transient, Conflict) as error:
        answer = False, type(error)(str(error))
    except Exception as error:
        answer = False, EndedAside(told(error))
    sender.send(answer)


def _end_with_parent() -> None:
    if parent := parent_process():
        parent.join()
    os._exit(1)
