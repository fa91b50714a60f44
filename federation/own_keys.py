"""The keys that this node signs with, and the document in which it publishes them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from safeum_home.ports import NodeSigner
from safeum_home.protocol.federation.keys import MOST_OLD, VerifyKeys, write_document

VALID = 24 * 3600 * 1000
"""Milliseconds for which a document is good: so long a key that was replaced is believed at the most."""
REWRITE = 3600 * 1000
"""Milliseconds after which it is written anew."""


@dataclass(frozen=True, slots=True)
class KeyInUse:
    """The key that the node signs with; `key_id` is its name, `ed25519:2`."""

    key_id: str
    signer: NodeSigner


class OwnKeys:
    """What is signed with, and what is published of it. For the reactor's thread; the signer may leave it."""

    def __init__(
        self,
        node: str,
        milliseconds: Callable[[], int],
        in_use: KeyInUse,
        old: Mapping[str, tuple[bytes, int]],
    ) -> None:
        """`old` are public keys (32 octets) and when each expired (milliseconds since 1970)."""
        self._node = node
        self._milliseconds = milliseconds
        self.replace(in_use, old)

    @property
    def in_use(self) -> KeyInUse:
        """What to sign with now: ask each time, since it is replaced at times."""
        return self._in_use

    def replace(self, in_use: KeyInUse, old: Mapping[str, tuple[bytes, int]]) -> None:
        """Sign with another key from now on; the newest `MOST_OLD` of the others stay published."""
        newest = sorted(old.items(), key=lambda each: each[1][1], reverse=True)[:MOST_OLD]
        self._in_use, self._old = in_use, dict(newest)
        self._document, self._written = b"", -REWRITE

    def document(self) -> bytes:
        """The document (canonical JSON), good for 23 hours or more. About 100 us once an hour."""
        now = self._milliseconds()
        if not 0 <= now - self._written < REWRITE:  # also where the clock was set back
            self._document = write_document(
                self._node, now + VALID, {self._in_use.key_id: self._in_use.signer}, self._old
            )
            self._written = now
        return self._document

    def verify_keys(self) -> VerifyKeys:
        """As others see them: for events of this node that come back to it."""
        current = {self._in_use.key_id: self._in_use.signer.public_key}
        return VerifyKeys(self._node, self._milliseconds() + VALID, current, self._old)
