"""The keys of the oblivious pseudorandom function, in locked memory: one for each period of time."""

from collections.abc import Sequence

from safeum_home.protocol import oprf
from safeum_home.sealing.keys import derive
from safeum_home.sealing.libc import sodium
from safeum_home.sealing.memory import Slot


class SlotElementKey:
    """`ports.ElementKey`: a scalar in a slot, which it owns."""

    __slots__ = ("_slot",)

    def __init__(self, slot: Slot) -> None:
        self._slot = slot

    def evaluate(self, elements: Sequence[bytes]) -> list[bytes]:
        with self._slot.view() as key:
            return oprf.blind_evaluate(key, elements)

    def output(self, message: bytes) -> bytes:
        with self._slot.view() as key:
            return oprf.evaluate(key, message)

    def wipe(self) -> None:
        """Zero the scalar; nothing is evaluated afterwards. Not while another thread evaluates."""
        self._slot.wipe()


class PeriodKeys:
    """`ports.ElementKeys` out of a key in a slot, which it owns.

    They are derived and not random, so that all workers of a node have the same, and a restart
    does not make every client ask for its whole address book again.
    """

    __slots__ = ("_slot",)

    def __init__(self, slot: Slot) -> None:
        self._slot = slot

    def of(self, period: int) -> SlotElementKey:
        """The key of a period: 64 octets derived for it, reduced modulo the order of the group.

        That is 2**252 + …, and the same for ristretto255 as for edwards25519: RFC 9496, section 4.4.
        """
        wide = derive(self._slot, b"period" + period.to_bytes(8, "big"), 64)
        scalar = self._slot.arena.slot()
        sodium.crypto_core_ed25519_scalar_reduce(scalar.pointer, wide.pointer)
        wide.wipe()
        return SlotElementKey(scalar)

    def wipe(self) -> None:
        """Zero the key that the others come from; twice is harmless."""
        self._slot.wipe()
