"""The garbage collector of a busy node."""

import gc

_THRESHOLDS = (50_000, 20, 20)
"""A busy node makes thousands of short-lived objects in each turn, and with Python's default of 700 a sixth
of the reactor's time went into looking for cycles among them."""


def look_seldom() -> None:
    """Look for cycles no more often than is worth it."""
    gc.set_threshold(*_THRESHOLDS)


def leave_what_is() -> None:
    """What is there now stays: the collector need not look at it again."""
    gc.collect()
    gc.freeze()
