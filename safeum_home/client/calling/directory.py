"""Whose launch keys these are: what the directory of keys says of the other device, and what was pinned."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from twisted.internet.defer import Deferred

from safeum_home.client.calling.handshake import Tampered
from safeum_home.client.errors import BadAnswer
from safeum_home.protocol.commands import KeyList
from safeum_home.protocol.key_types import AccountKeys, hash_of, is_bound
from safeum_home.protocol.signing import encode_octets

Pins = Callable[[str], str | None]
"""The signing key (base64url) of an account that somebody has compared; None where nobody has."""


MOST_EXPECTED = 16


class Keys(Protocol):
    """What is asked of a client."""

    def keys_of(self, accounts: Iterable[str], launches: bool = False) -> Awaitable[KeyList]: ...


def check(keys: AccountKeys, account: str, device: str, sign: bytes, pin: str | None, now: int) -> None:
    """Raise `Tampered` unless `sign` is the launch key of a device, and bound to its account.

    An account that has an identity, or that was pinned, has no launch keys that are not bound to it. Of one
    that has none, the directory's word is all there is: then people compare words.
    """
    launch = next((each for each in keys.launches if each.device == device), None)
    if keys.account != account or launch is None:
        raise Tampered("the directory has no keys of this device")
    if launch.sign != encode_octets(sign):
        raise Tampered("the directory has other keys of this device")
    identity, known = keys.identity, pin
    if identity is not None:
        if keys.hash is None or hash_of(account, identity) != keys.hash:
            raise Tampered("an identity that is not signed")
        if pin is not None and identity.sign != pin:
            raise Tampered("another identity than the one that was pinned")
        known = identity.sign
    elif pin is None and (keys.hash is not None or keys.unavailable):
        raise Tampered("the account's identity is not to be had")
    if known is not None and not is_bound(account, launch, known, now):
        raise Tampered("launch keys that are not bound to the account's identity")


class Directory:
    """Asks and checks. `milliseconds` says what time it is."""

    def __init__(self, keys: Keys, pins: Pins | None, milliseconds: Callable[[], float]) -> None:
        self._keys = keys
        self._pins = pins
        self._milliseconds = milliseconds
        self._expected: dict[str, Deferred[AccountKeys | None]] = {}

    def expect(self, account: str) -> None:
        """A device of this account will have to be checked soon: ask now."""
        if account not in self._expected and len(self._expected) < MOST_EXPECTED:
            asked = Deferred.fromCoroutine(self._ask(account))
            self._expected[account] = asked.addErrback(lambda _: None)

    def forget(self, account: str) -> None:
        """It will not."""
        self._expected.pop(account, None)

    async def check(self, account: str, device: str, sign: bytes) -> None:
        """Raise `Tampered` where this is not a launch key of that device; `ClientError` where nobody says."""
        expected = self._expected.pop(account, None)
        keys = None if expected is None else await expected
        if keys is None or all(each.device != device for each in keys.launches):
            keys = await self._ask(account)  # it has come since
        pin = None if self._pins is None else self._pins(account)
        check(keys, account, device, sign, pin, int(self._milliseconds()))

    async def _ask(self, account: str) -> AccountKeys:
        found = (await self._keys.keys_of([account], launches=True)).keys
        if len(found) != 1:
            raise BadAnswer("The directory has answered something else.")
        return found[0]
