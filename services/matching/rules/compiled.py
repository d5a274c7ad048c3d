"""The one place that knows numba."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile a function of numbers and arrays at its first call, let other threads run beside it, and keep it on disk.

    What is kept goes stale by the function's own file alone: a compiled function that it calls, and the constants that
    it reads, belong into the same file.
    """
    return cast(F, numba.njit(nogil=True, cache=True)(function))
