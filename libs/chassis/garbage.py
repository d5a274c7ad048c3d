"""How seldom a process looks for garbage."""

import gc


def collect_rarely() -> None:
    """A batch is tens of thousands of young objects without cycles; walking them again and again cost half the CPU."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
