"""Looking at words and shares without a node: whether what stands on paper is still good."""

from pathlib import Path

from safeum_home.errors import Code, Problem
from safeum_home.sealing.memory import Arena, Slot
from safeum_home.sealing.root import HeldShare, combine, parse
from safeum_home.sealing.vault import open_vault


class ShareCheck:
    """Takes words or shares one by one. With a state directory it tries whether they open it."""

    def __init__(self, arena: Arena, state_dir: Path | None) -> None:
        self._arena = arena
        self._state_dir = state_dir
        self._shares: list[HeldShare] = []
        self.complete = False
        """A whole root secret was there, and opened the state directory where one was given."""

    def take(self, text: str) -> str:
        """What is to be said of words or of a share. Blocks.

        Raises `invalid_words`, `foreign_share`, `repeated_share`; with a state directory also
        `wrong_root_secret`, `not_initialised` and OSError.
        """
        found = parse(self._arena, text)
        if isinstance(found, Slot):
            return f"These words are well-formed{self._opened(found)}."
        return self._take_share(found)

    def _take_share(self, share: HeldShare) -> str:
        held = self._shares
        if held and not share.fits(held[0]):
            raise Problem(Code.FOREIGN_SHARE)
        if any(share.index == other.index for other in held):
            raise Problem(Code.REPEATED_SHARE)
        name, missing = f"Share {share.index + 1}", share.threshold - len(held) - 1
        if missing > 0:
            held.append(share)
            return f"{name} is well-formed. Any {share.threshold} of its set are enough: {missing} more."
        # Each share beyond is tried with those that came first.
        root = combine(self._arena, [*held[: share.threshold - 1], share])
        opened = self._opened(root)
        held.append(share)
        return f"{name} is well-formed and fits to the others{opened}."

    def _opened(self, root: Slot) -> str:
        try:
            if self._state_dir is not None:
                open_vault(root, self._state_dir).wipe()
        finally:
            root.wipe()
        self.complete = True
        return "" if self._state_dir is None else f": {self._state_dir} can be opened"
