"""Transfers that are under way, and bars that show how far they are."""

from collections.abc import Callable

from safeum_home.client.words.file_text import size_text
from safeum_home.client.words.text import fit, safe, width

BAR = 16
"""Columns of a bar."""


class Transfer:
    """One of them. Times are in milliseconds."""

    def __init__(self, label: str, began: int, chat: str = "") -> None:
        self.label = label
        self.chat = chat
        self.wiped = False
        """Whether it was given up because its chat was erased."""
        self.done = 0
        self.total = 0
        self.cancel: Callable[[], object] = lambda: None
        self._began = began
        self._first: int | None = None

    def moved(self, done: int, total: int) -> None:
        """How far it is now: `file_transfer.Progress`."""
        if self._first is None:
            self._first = done
        self.done, self.total = done, total

    def line(self, now: int, columns: int) -> str:
        """`↑ name  [####----]  34 %  3.4 of 10.0 MB  1.2 MB/s`, as much of it as fits."""
        if self._first is None:  # how much it is is not known, as of what is being heard
            return fit(safe(self.label), columns)
        share = self.done / self.total if self.total else 0.0
        filled = round(share * BAR)
        bar = f"[{'#' * filled}{'-' * (BAR - filled)}] {int(share * 100):3} %"
        seconds = (now - self._began) / 1000
        moved = self.done - self._first
        speed = f"  {size_text(int(moved / seconds))}/s" if seconds >= 1 and moved else ""
        rest = f"  {size_text(self.done)} of {size_text(self.total)}{speed}"
        room = columns - width(bar) - 1
        if room < 8:
            return fit(bar, columns)
        shown = safe(self.label)
        if width(shown) + width(rest) > room:
            rest = ""
        return fit(f"{fit(shown, min(width(shown), room - width(rest)))} {bar}{rest}", columns)


class Transfers:
    """Those of one desk."""

    def __init__(self) -> None:
        self._under_way: list[Transfer] = []

    def begin(self, label: str, now: int, chat: str = "") -> Transfer:
        """One more, of a chat."""
        transfer = Transfer(label, now, chat)
        self._under_way.append(transfer)
        return transfer

    def end(self, transfer: Transfer) -> None:
        """It is over."""
        self._under_way.remove(transfer)

    def under_way(self) -> list[Transfer]:
        """All of them."""
        return list(self._under_way)

    def cancel(self) -> int:
        """Give up all; how many there were."""
        given_up = list(self._under_way)
        for transfer in given_up:
            transfer.cancel()
        return len(given_up)

    def wipe(self, chat: str) -> None:
        """The chat, or its past, is gone: so are its files, and nothing tells of them."""
        for transfer in [each for each in self._under_way if each.chat == chat]:
            transfer.wiped, transfer.label = True, ""
            transfer.cancel()

    def line(self, now: int, columns: int) -> str:
        """The one that began last, and how many there are besides; "" where there is none."""
        if not self._under_way:
            return ""
        others = len(self._under_way) - 1
        more = f" (+{others})" if others else ""
        return self._under_way[-1].line(now, columns - len(more)) + more
