"""How many examples are drawn: always the same ones, and more of them by `DOORS_EXAMPLES`."""

import os

from hypothesis import HealthCheck, settings

_TIMES = max(1.0, int(os.environ.get("DOORS_EXAMPLES", "0")) / 4)


def many(examples: int) -> settings:
    """Deterministic and without a deadline: a busy machine is no defect."""
    return settings(
        max_examples=int(examples * _TIMES),
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    )
