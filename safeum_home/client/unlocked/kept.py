"""What programs keep in the vault: of two devices the later word stays."""

from collections.abc import Callable
from typing import Generic, TypeVar

from msgspec import Struct

from safeum_home.client.secure.vault_content import Draft, Setting

K = TypeVar("K", Draft, Setting)


class Kept(Generic[K]):
    """`tell` is told what other devices have kept, `changed` of what is new here. `now`: in milliseconds.

    `check_open` raises what `set` does once they are locked.
    """

    def __init__(
        self,
        now: Callable[[], int],
        tell: Callable[[Struct], None],
        changed: Callable[[], None],
        check_open: Callable[[], None],
    ) -> None:
        self._now = now
        self._check_open = check_open
        self._tell = tell
        self._changed = changed
        self.kept: dict[str, K] = {}
        """All of it, and traces of what was dropped."""

    def wipe(self) -> None:
        """Nothing of it is held any more."""
        self.kept = {}

    def _at(self, before: K | None) -> int:
        """When it is kept: later than what it takes the place of, though clocks of devices differ."""
        return self._now() if before is None else max(self._now(), before.at + 1)


def is_text(text: str) -> bool:
    """Whether it can be written in UTF-8."""
    return text.isascii() or not any("\ud800" <= each <= "\udfff" for each in text)
