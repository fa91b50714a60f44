"""The keys of vouchers, in locked memory: one for each value of money, with which blinded tokens are made."""

from safeum_home.protocol import ristretto, voprf
from safeum_home.sealing.keys import derive
from safeum_home.sealing.libc import ffi, sodium
from safeum_home.sealing.memory import Slot


class VoucherKey:
    """`ports.VoucherKey`: a scalar in a slot, which it owns."""

    __slots__ = ("_slot", "public")

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        with slot.view() as key:
            self.public = ristretto.multiply_base(key)

    def evaluate(self, element: bytes, random: bytes | None = None) -> tuple[bytes, bytes]:
        """`BlindEvaluate` (RFC 9497, section 3.3.2): the element and the proof. `random` is for tests alone.

        Raises `protocol.ristretto.NotAnElement`.
        """
        with self._slot.view() as key:
            [evaluated] = ristretto.multiply(key, [element])
            factor = voprf.composite(self.public, element, evaluated)
            [m] = ristretto.multiply(factor, [element])
            [z] = ristretto.multiply(key, [m])
        once = self._slot.arena.slot()
        try:
            with once.view() as view:
                view[:] = ristretto.random_scalar() if random is None else random
                t2 = ristretto.multiply_base(view)
                [t3] = ristretto.multiply(view, [m])
            c = voprf.challenge(self.public, m, z, t2, t3)
            return evaluated, c + self._response(c, once)
        finally:
            once.wipe()

    def output(self, message: bytes) -> bytes:
        """The function of a message, 64 octets."""
        with self._slot.view() as key:
            [element] = ristretto.multiply(key, [voprf.hash_to_group(message)])
        return voprf.output(message, element)

    def wipe(self) -> None:
        """Zero the scalar."""
        self._slot.wipe()

    def _response(self, c: bytes, once: Slot) -> bytes:
        """`r - c * k`: the order is the same as that of edwards25519 (RFC 9496, section 4.4)."""
        product = self._slot.arena.slot()
        response = ffi.new("unsigned char[32]")
        sodium.crypto_core_ed25519_scalar_mul(product.pointer, c, self._slot.pointer)
        sodium.crypto_core_ed25519_scalar_sub(response, once.pointer, product.pointer)
        product.wipe()
        return bytes(ffi.buffer(response))


class VoucherKeys:
    """`ports.VoucherKeys` out of a key in a slot, which it owns."""

    __slots__ = ("_slot",)

    def __init__(self, slot: Slot) -> None:
        self._slot = slot

    def of(self, currency: str, amount: int) -> VoucherKey:
        """The key of a value: each time the same. Wipe it after use."""
        wide = derive(self._slot, b"voucher", 64, f"{currency}\0{amount}".encode())
        scalar = self._slot.arena.slot()
        sodium.crypto_core_ed25519_scalar_reduce(scalar.pointer, wide.pointer)
        wide.wipe()
        return VoucherKey(scalar)

    def wipe(self) -> None:
        """Zero the key that the others come from; twice is harmless."""
        self._slot.wipe()
