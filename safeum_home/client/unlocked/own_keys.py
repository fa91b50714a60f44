"""One's own keys at the directory: published after each connect, and never replaced without being asked."""

from collections.abc import Callable, Collection

from safeum_home.client.errors import ClientError, RemoteProblem
from safeum_home.client.methods.group import GroupMethods
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.unlocked.events import KeysMismatch
from safeum_home.errors import Code


class OwnKeys:
    """`mismatch` is set where the account has other keys; `tell` is told of it. `now` is in milliseconds.

    `in_force` is called each time that the directory has them.
    """

    def __init__(
        self,
        client: GroupMethods,
        now: Callable[[], int],
        tell: Callable[[KeysMismatch], None],
        in_force: Callable[[], None],
    ) -> None:
        self._client = client
        self._now = now
        self._tell = tell
        self._in_force = in_force
        self.mismatch: KeysMismatch | None = None
        self.published = False
        """Whether the directory has them, as far as is known."""

    async def publish(
        self, own: UniqueKey, before: str | None = None, followed: Collection[str] = ()
    ) -> None:
        """After each connect, as the node may have been started anew. It is done again with the next one.

        In place of those with the hash `before` where they have named these; so of others with one of the
        hashes `followed`, which the node has where it was put back to a backup.
        """
        self.published = False
        try:
            await self._client.publish_keys(own.identity(self._now()), before)
        except RemoteProblem as error:
            if error.of(Code.KEY_MISMATCH):
                detail = error.detail or ""
                if (known_hash := detail.partition(" ")[0]) in followed:
                    await self.publish(own, known_hash)
                    return
                known, self.mismatch = self.mismatch, KeysMismatch(known_hash, detail)
                if known is None or known.hash != self.mismatch.hash:
                    self._tell(self.mismatch)
        except ClientError:
            return
        else:
            self.taken()

    async def replace(self, own: UniqueKey, before: str) -> None:
        """Put these in force in place of those with the hash `before`; raises `ClientError`."""
        await self._client.publish_keys(own.identity(self._now()), before)
        self.taken()

    def taken(self) -> None:
        """The directory has the keys of now."""
        self.mismatch, self.published = None, True
        self._in_force()
