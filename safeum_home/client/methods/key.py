"""Public keys as typed methods, for the Twisted client and the asyncio client alike.

Private keys are the program's own affair: it signs what `protocol.key_types` says.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Iterable
from typing import TypeVar

from safeum_home.protocol import commands as c
from safeum_home.protocol.key_types import Identity

R = TypeVar("R", bound=c.Result)


class KeyMethods(ABC):
    """Publishing and asking. Changes are told as `protocol.events.KeysChanged`."""

    @abstractmethod
    def _ask(self, params: c.Params, result: type[R]) -> Awaitable[R]:
        """Give a command of an open session."""

    def publish_keys(self, identity: Identity, replaces: str | None = None) -> Awaitable[c.KeysPublished]:
        """Publish this account's keys: after each `LinkChanged` to online, as the node may have restarted.

        Others than are in force raise `key_mismatch`, with the hash in force and its time in `detail`. Ask
        the account's owner before giving that hash as `replaces`: all who are in chats with it are told.
        """
        return self._ask(c.KeysPublish(identity, replaces), c.KeysPublished)

    def keys_of(self, accounts: Iterable[str], launches: bool = False) -> Awaitable[c.KeyList]:
        """The keys of up to 100 accounts, in their order; with `launches` of up to 4, and of their devices.

        Of one that is `unavailable` wait for them, or use those with its hash that were kept.
        """
        return self._ask(c.KeysQuery(list(accounts), launches), c.KeyList)

    def key_history(
        self, account: str, before: int | None = None, limit: int = 50
    ) -> Awaitable[c.KeyHistory]:
        """Which keys an account had, by their hashes, the newest first; `before` the last number for more."""
        return self._ask(c.KeysLog(account, before, limit), c.KeyHistory)

    def launch_keys(self, sign: str, box: str, at: int, signature: str | None = None) -> Awaitable[c.Done]:
        """Publish keys of this device, until it has gone: again after each `LinkChanged` to online.

        `at` is now, in milliseconds. `signature` is of `key_types.launch_octets`, and binds for 24 hours:
        sign anew each time, and every 12 hours. Raises `bad_keys`, also where this device's clock is far off.
        """
        return self._ask(c.KeysLaunch(sign, box, at, signature), c.Done)
