"""Launch keys: what a program signs with in calls, for as long as it runs. They are written nowhere."""

from collections.abc import Callable

from safeum_home.client.secret import Secret, Signing
from safeum_home.protocol.key_types import launch_octets
from safeum_home.protocol.signing import encode_octets

RENEW = 12 * 60 * 60.0
"""Seconds after which the account's key signs them anew."""

Sign = Callable[[bytes], bytes | None]
"""Signs octets by `sign` of the account's identity: 64 octets (RFC 8032); None while that is locked."""


class LaunchKeys:
    """An Ed25519 and an X25519 key. `sign_with` binds them to the account's identity, where it has one."""

    def __init__(self, sign_with: Sign | None = None) -> None:
        self.signing = Signing()
        self._box = Secret.random()
        self._sign_with = sign_with

    @property
    def sign(self) -> str:
        return encode_octets(self.signing.public)

    @property
    def box(self) -> str:
        return encode_octets(self._box.public())

    def bound(self, account: str, device: str, at: int) -> str | None:
        """The signature of them that is published, as of `at` (milliseconds)."""
        if self._sign_with is None:
            return None
        signature = self._sign_with(launch_octets(account, device, self.sign, self.box, at))
        return None if signature is None else encode_octets(signature)

    def wipe(self) -> None:
        """The program ends, or takes part in calls no more."""
        self.signing.wipe()
        self._box.wipe()
