"""Public keys meanwhile: everybody publishes, sometimes others than before, and all are told of it."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from itertools import pairwise

import msgspec

from safeum_home.client import ClientError, RemoteProblem, SessionEnded
from safeum_home.client.session import Client
from safeum_home.protocol.events import KeysChanged
from safeum_home.protocol.key_types import Identity
from tests.keys_case import Pair

MOST = 8
"""Changes of one person: a node takes ten at once (`limits.key_changes_per_account`)."""

Heard = dict[str, list[tuple[str, str]]]
"""Hashes before and after, of each account."""


class Keys:
    """The keys of somebody, and what is heard of those of others."""

    def __init__(
        self, client: Client, pause: Callable[[float], Awaitable[None]], login: str, seed: int
    ) -> None:
        self._client = client
        self._pause = pause
        self._name = f"{login} {seed}"
        self.account = ""
        self.hashes: list[str] = []
        """Those that the node has acknowledged, one after the other."""
        self.heard: Heard = defaultdict(list)

    async def change(self) -> None:
        """Publish the first keys, or others; until the node has said that it has them.

        Where nobody knows whether it has, the same again does no harm. Fails where the session ends.
        """
        if len(self.hashes) > MOST:
            return
        seed = int.from_bytes(sha256(f"{self._name} {len(self.hashes)}".encode()).digest(), "big")
        pair = Pair(seed)
        identity = msgspec.convert(pair.identity(self.account), Identity)
        while True:
            try:
                await self._client.publish_keys(identity, self.hashes[-1] if self.hashes else None)
            except RemoteProblem as problem:
                if not problem.passing:
                    raise
                await self._pause(problem.retry_after or 0.5)
            except SessionEnded:
                raise
            except ClientError:
                await self._pause(0.5)
            else:
                break
        self.hashes.append(pair.hash)

    def take(self, event: KeysChanged) -> None:
        self.heard[event.account].append((event.before, event.after))


def key_faults(names: Sequence[tuple[str, Keys]]) -> list[str]:
    """Who was not told of every change of everybody, once and in order. All are in a chat with each other."""
    found = []
    for owner, keys in names:
        changes = list(pairwise(keys.hashes))
        for name, other in names:
            heard = other.heard.get(keys.account, [])
            if heard != changes:
                found.append(f"{name} has heard of {len(heard)} of {len(changes)} changes of {owner}'s keys")
    return found
