"""The keys that a node signs with towards other nodes: one after another, each derived by its number.

They are not the key that clients pin (`Vault.signer`): replacing one alarms nobody.
"""

from safeum_home.errors import Erased
from safeum_home.sealing.keys import derive
from safeum_home.sealing.memory import Slot
from safeum_home.sealing.signing import Ed25519Signer

_PURPOSE = b"safeum fed key"


class FederationKeys:
    """Ed25519 keys by number (1, 2, …) out of a key in a slot, which it owns.

    A key is there as long as this is: a thread may be signing with the one that was just replaced.
    """

    __slots__ = ("_signers", "_slot")

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self._signers: dict[int, Ed25519Signer] = {}

    def signer(self, number: int) -> Ed25519Signer:
        """`ports.NodeSigner` of a key; each time the same. Raises `Erased` after `wipe`."""
        signer = self._signers.get(number)
        if signer is None:
            signer = self._signers[number] = self._derived(number)
        return signer

    def public_key(self, number: int) -> bytes:
        """The public half of a key (32 octets); the secret one is wiped. Raises `Erased` after `wipe`."""
        if number in self._signers:
            return self._signers[number].public_key
        signer = self._derived(number)
        signer.wipe()
        return signer.public_key

    def wipe(self) -> None:
        """Zero all of them, and what they come from; twice is harmless."""
        self._slot.wipe()
        for signer in self._signers.values():
            signer.wipe()
        self._signers.clear()

    def _derived(self, number: int) -> Ed25519Signer:
        if self._slot.pointer is None:
            raise Erased
        if number < 1:
            raise ValueError("keys are counted from one")
        seed = derive(self._slot, _PURPOSE, data=number.to_bytes(8, "big"))
        try:
            return Ed25519Signer(seed)
        finally:
            seed.wipe()
