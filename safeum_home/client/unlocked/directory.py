"""Keys of others, from the directory: asked for in batches, and again as long as some are missing."""

from collections.abc import Callable, Iterable

from safeum_home.client.errors import ClientError
from safeum_home.client.methods.group import GroupMethods
from safeum_home.client.secure.public_keys import PublicKeys
from safeum_home.protocol.key_types import MOST_QUERIED
from safeum_home.spawn import spawn


class KeysUnavailable(ClientError):
    """The keys of these accounts are not to be had now (`key_unavailable`): nothing was begun with them."""

    def __init__(self, accounts: tuple[str, ...]) -> None:
        super().__init__("key_unavailable: their keys are not to be had now")
        self.accounts = accounts


class Directory:
    """`told` is given what it has, where that is signed by itself and is of whom was asked for."""

    def __init__(self, client: GroupMethods, told: Callable[[str, PublicKeys], None]) -> None:
        self._client = client
        self._told = told
        self._wanted: dict[str, None] = {}
        self._busy = self._closed = False
        self.missing: set[str] = set()
        """Those that it does not have now: `key_unavailable`."""

    def need(self, accounts: Iterable[str]) -> None:
        """Ask for these, as soon as that can be."""
        self._wanted.update(dict.fromkeys(accounts))
        if self._wanted and not self._busy:
            spawn(self._run(), "asking for keys")

    def again(self) -> None:
        """Ask for those that were missing."""
        self.need(tuple(self.missing))

    def came(self, account: str) -> None:
        """Who comes into a chat has keys, so those that were missing are there by now."""
        if account in self.missing:
            self.need([account])

    def close(self) -> None:
        self._closed = True
        self._wanted.clear()

    async def ask(self, accounts: Iterable[str]) -> None:
        """Ask now; raises `ClientError`. What is not there is among the `missing` then."""
        named = list(accounts)
        for first in range(0, len(named), MOST_QUERIED):
            batch = named[first : first + MOST_QUERIED]
            found = {each.account: each for each in (await self._client.keys_of(batch)).keys}
            for account in batch:
                each = found.get(account)
                identity = None if each is None else each.identity
                keys = None if identity is None else PublicKeys.of(account, identity)
                if keys is None:
                    self.missing.add(account)
                    continue
                self.missing.discard(account)
                if not self._closed:
                    self._told(account, keys)

    async def _run(self) -> None:
        self._busy = True
        try:
            while self._wanted:
                batch = list(self._wanted)[:MOST_QUERIED]
                for account in batch:
                    del self._wanted[account]
                try:
                    await self.ask(batch)
                except ClientError:
                    self.missing.update(batch)
                    return
        finally:
            self._busy = False
