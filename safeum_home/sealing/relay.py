"""The secrets of the relay of calls, in locked memory: one for each period of time."""

from safeum_home.errors import Erased
from safeum_home.sealing.keys import derive
from safeum_home.sealing.memory import Slot


class DerivedRelaySecrets:
    """`grants.turn.RelaySecrets` out of a key in a slot, which it owns.

    None of them leads to another one, nor to the root.
    """

    __slots__ = ("_slot",)

    def __init__(self, slot: Slot) -> None:
        self._slot = slot

    def of(self, period: int) -> bytes:
        """Raises `Erased` where they were wiped."""
        if self._slot.pointer is None:
            raise Erased
        slot = derive(self._slot, b"period", data=period.to_bytes(8, "big"))
        try:
            return slot.view().hex().encode()
        finally:
            slot.wipe()

    def wipe(self) -> None:
        """Zero the key that they come from; twice is harmless."""
        self._slot.wipe()
