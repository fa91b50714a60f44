"""Whose launch keys these are: what the directory of keys says of the other device, and what was pinned."""

from collections.abc import Awaitable, Callable, Iterable
from enum import Enum
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from safeum_home.client.calling.handshake import Refused, Tampered, Unproven
from safeum_home.client.errors import BadAnswer
from safeum_home.protocol.commands import KeyList
from safeum_home.protocol.key_types import AccountKeys, binds, hash_of, is_bound
from safeum_home.protocol.signing import encode_octets

Pins = Callable[[str], str | None]
"""The signing key (base64url) of an account that somebody has compared; None where nobody has."""


MOST_EXPECTED = 16
ASK_AGAIN = 2.0
"""Seconds until a directory that cannot say now whose keys these are is asked once more."""


class Bound(Enum):
    """What says whose launch keys these are."""

    PINNED = "pinned"
    """An identity that was compared before: nobody is in between, whatever the words are."""
    IDENTITY = "identity"
    """One that the directory shows: compare words once, and pin it."""
    NONE = "none"
    """The word of the directory alone."""


class _Missing(Tampered):
    """The directory does not know the device, or not yet: its node may have been started anew."""


class Keys(Protocol):
    """What is asked of a client."""

    def keys_of(self, accounts: Iterable[str], launches: bool = False) -> Awaitable[KeyList]: ...


def check(keys: AccountKeys, account: str, device: str, sign: bytes, pin: str | None, now: int) -> Bound:
    """Raise `Tampered` unless `sign` is the launch key of a device, and bound to its account.

    An account that has an identity, or that was pinned, has no launch keys that are not bound to it. Of one
    that has none, the directory's word is all there is: then people compare words. Where the directory does
    not know now, or one of the two clocks is off, it is `Unproven`.
    """
    if keys.account != account:
        raise Tampered("the directory has answered for another account")
    launch = next((each for each in keys.launches if each.device == device), None)
    if launch is None and keys.unavailable:
        raise Unproven("their node cannot be asked for their keys just now")
    if launch is None:
        raise _Missing("the directory has no keys of this device")
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
        raise Unproven("the account's identity is not to be had just now")
    if known is None:
        return Bound.NONE
    if not is_bound(account, launch, known, launch.at):
        raise Tampered("launch keys that are not bound to the account's identity")
    if not binds(launch.at, now):
        raise Unproven("launch keys that were bound at another time: this clock, or theirs, is wrong")
    return Bound.IDENTITY if pin is None else Bound.PINNED


class Directory:
    """Asks and checks. `milliseconds` says what time it is."""

    def __init__(
        self, keys: Keys, pins: Pins | None, milliseconds: Callable[[], float], clock: IReactorTime
    ) -> None:
        self._keys = keys
        self._pins = pins
        self._milliseconds = milliseconds
        self._clock = clock
        self._expected: dict[str, Deferred[AccountKeys | None]] = {}

    def expect(self, account: str) -> None:
        """A device of this account will have to be checked soon: ask now."""
        if account not in self._expected and len(self._expected) < MOST_EXPECTED:
            asked = Deferred.fromCoroutine(self._ask(account))
            self._expected[account] = asked.addErrback(lambda _: None)

    def forget(self, account: str) -> None:
        """It will not."""
        self._expected.pop(account, None)

    async def check(self, account: str, device: str, sign: bytes) -> Bound:
        """Raise `Refused` where this is not a launch key of that device; `ClientError` where nobody says."""
        expected = self._expected.pop(account, None)
        keys = None if expected is None else await expected
        if keys is not None:
            try:
                return self._check(keys, account, device, sign)
            except Refused:
                pass  # it has come, or was started anew, since: what is true now counts
        try:
            return self._check(await self._ask(account), account, device, sign)
        except (Unproven, _Missing):
            await deferLater(self._clock, ASK_AGAIN)
        return self._check(await self._ask(account), account, device, sign)

    def _check(self, keys: AccountKeys, account: str, device: str, sign: bytes) -> Bound:
        pin = None if self._pins is None else self._pins(account)
        return check(keys, account, device, sign, pin, int(self._milliseconds()))

    async def _ask(self, account: str) -> AccountKeys:
        found = (await self._keys.keys_of([account], launches=True)).keys
        if len(found) != 1:
            raise BadAnswer("The directory has answered something else.")
        return found[0]
