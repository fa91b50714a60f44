"""A vault on its way to other keys of its owner: put as one of these, or again as it was."""

from collections.abc import Awaitable, Callable

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from safeum_home.client.errors import local
from safeum_home.client.methods.methods import Methods
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.secure.vault_content import Content
from safeum_home.client.unlocked.events import VaultRefused
from safeum_home.client.unlocked.vault_keeper import TRIES, Owner, VaultKeeper
from safeum_home.errors import Code

AGAIN = 3.0
"""Seconds until it is tried again to put it as one of other keys."""


class MovingVault(VaultKeeper):
    """The vault of somebody who may take another passphrase."""

    def __init__(self, client: Methods, clock: IReactorTime, own: UniqueKey, owner: Owner) -> None:
        super().__init__(client, clock, own, owner)
        self._moved: Callable[[Content], Content] | None = None
        self._unmoved = self._kept
        """What it held before it became one of other keys, as long as that may be taken back."""

    def _tell(self, refused: VaultRefused) -> None:
        if self._moved is None:  # else it is looked at with the keys before first
            super()._tell(refused)

    def _content(self) -> Content:
        content = super()._content()
        return content if self._moved is None else self._moved(content)

    async def rekey(
        self,
        own: UniqueKey,
        moved: Callable[[Content], Content],
        prepare: Callable[[Content], Awaitable[None]],
    ) -> None:
        """Put it as one of other keys, with what `moved` makes of it until `settle`; or as it was.

        `prepare` does before what takes its time. Without a connection it is waited for. Raises `Refused`
        where what the node has is not taken.
        """
        for _ in range(TRIES):
            await prepare(self._content())
            await self._idle()
            if self.refused is not None:
                raise Refused(self.refused.reason)
            if await self._put_as(own, moved):
                return
        raise local(Code.BUSY)

    async def _put_as(self, own: UniqueKey, moved: Callable[[Content], Content]) -> bool:
        """False where another program has put one meanwhile, with the keys of now: it is merged."""
        before, version = self._vault.rekey(own), self.version
        self._moved, self._unmoved, self._full = moved, self._kept, False
        while self.version == version and self.refused is None:
            self._writing.urgent()
            await self._at_rest()
            if self._full:
                self.back(before)
                raise Refused(Reason.TOO_LARGE)
            if self.version == version and self.refused is None:
                await deferLater(self._clock, AGAIN)
            if self._closed:
                raise Refused(Reason.TOO_MANY)
        if self.refused is None:
            return True
        self.back(before)
        self._trust()
        await self.load()
        return False

    async def _idle(self) -> None:
        """Until nothing is being written."""
        self._writing.press()
        await self._at_rest()
        if not self.version:
            await self.load()

    async def _at_rest(self) -> None:
        """When it is written, or has failed, and that has passed: what comes next may write again."""
        await self._core.wait()
        await deferLater(self._clock, 0.0)

    def back(self, own: UniqueKey) -> None:
        """These keys stay the ones, with what was kept under them."""
        self._kept = self._unmoved
        self.settle(own)

    def settle(self, own: UniqueKey) -> None:
        """These keys are the ones; what is known here is as they have it."""
        self._vault.rekey(own)
        self._moved = None
        self._writing.urgent()
