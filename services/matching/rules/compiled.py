"""The one place that knows numba."""

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile a function of numbers and arrays at its first call, let other threads run beside it, and keep it on disk.

    What is kept goes stale when any compiled function of the same folder changes, so those that it calls, and the
    constants that it reads, belong into files of that folder with compiled functions.
    """
    return _kept(numba.njit(nogil=True, cache=True)(function), function)


def compiled_in_place(function: F) -> F:
    """The same for a function that makes no arrays and copies no slices, but writes into those that it is given.

    Nothing counts references then, which costs more than the work where many arrays are handed over, and which threads
    wait for each other to do.
    """
    options: dict[str, Any] = {"nogil": True, "cache": True, "_nrt": False}
    return _kept(numba.njit(**options)(function), function)


def _kept(dispatcher: Any, function: F) -> F:
    # numba looks at the function's own file alone and would keep an old copy of what is called from another one
    dispatcher._cache._cache_file._source_stamp = _stamp(Path(function.__code__.co_filename).parent)
    return cast(F, dispatcher)


@lru_cache
def _stamp(folder: Path) -> str:
    """Changes with each file of the folder that holds compiled functions."""
    sources = (path.read_bytes() for path in sorted(folder.glob("*.py")))
    return sha256(b"".join(source for source in sources if b"@compiled" in source)).hexdigest()
