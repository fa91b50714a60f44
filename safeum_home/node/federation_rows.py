"""The rows of other nodes by their names, which are sealed."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from secrets import token_bytes
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem
from safeum_home.ports import Key
from safeum_home.ports.outbox import SetAside
from safeum_home.sealing.blind import BlindIndex
from safeum_home.storage import peers

MOST_PEERS = 100_000
"""Nodes of which there are rows."""
FORGOTTEN = 1_000
"""Where there are as many so many are forgotten, so that nobody with many names keeps new nodes out."""
KEPT_IN_RAM = 10_000
"""Names of which it is remembered that there are rows."""


class _Aside(NamedTuple):
    ours: bool
    type: str
    code: str
    detail: str = ""


_aside = msgspec.json.Decoder(_Aside)


class PeerRows:
    """Rows of nodes by their names. What takes a connection is for the writer's thread."""

    def __init__(
        self, blinder: BlindIndex, key: Key, reaches: Callable[[str], bool], milliseconds: Callable[[], int]
    ) -> None:
        self._blinder = blinder
        self._key = key
        self._reaches = reaches
        self.milliseconds = milliseconds
        self._known: OrderedDict[str, bytes] = OrderedDict()

    def blind(self, name: str) -> bytes:
        found = self._known.get(name)
        return self._blinder.peer(name) if found is None else found

    def is_known(self, name: str) -> bool:
        """Whether there is a row of it, as far as is remembered."""
        return name in self._known

    def there(self, names: Iterable[str]) -> None:
        """These have rows, and they are committed."""
        for name in names:
            self._known[name] = self.blind(name)
            while len(self._known) > KEPT_IN_RAM:
                self._known.popitem(last=False)

    def reaches(self, name: str) -> bool:
        return self._reaches(name)

    def row(self, c: Connection, name: str) -> bytes:
        """The blind index of a node that has a row now; raises `limit_reached`."""
        if (known := self._known.get(name)) is not None:
            return known
        peer = self._blinder.peer(name)
        if not peers.is_there(c, peer):
            if peers.count(c) >= MOST_PEERS and not peers.forget_idle(c, FORGOTTEN, self._in_use()):
                raise Problem(Code.LIMIT_REACHED, "this node has to do with too many others")
            sealed = self._key.seal(name.encode(), b"peer" + peer)
            peers.add(c, peer, sealed, token_bytes(16), self.milliseconds())
        return peer

    def _in_use(self) -> frozenset[bytes]:
        """Those of which it is remembered that there are rows."""
        return frozenset(list(self._known.values()))  # it changes in the reactor's thread

    def name(self, peer: bytes, sealed: bytes) -> str:
        return self._key.open(sealed, b"peer" + peer).decode()

    def seal_keys(self, peer: bytes, octets: bytes) -> bytes:
        """What a node has published of its keys."""
        return self._key.seal(octets, b"keys" + peer)

    def open_keys(self, peer: bytes, sealed: bytes) -> bytes:
        """Raises `Tampered`."""
        return self._key.open(sealed, b"keys" + peer)

    def keep_aside(self, c: Connection, peer: bytes, ours: bool, what: Sequence[tuple[str, ...]]) -> None:
        """Types and codes of what was refused, and what is wrong with it, where that is known."""
        sealed = [
            self._key.seal(msgspec.json.encode(_Aside(ours, kind[:64], code[:64], *detail)), b"aside" + peer)
            for kind, code, *detail in what
        ]
        peers.keep_aside(c, peer, self.milliseconds(), sealed)

    def aside(self, c: Connection, limit: int) -> list[SetAside]:
        """What was refused, the newest first."""
        return undamaged(peers.aside(c, limit), self._opened, "refused objects")

    def _opened(self, row: tuple[bytes, bytes, int, bytes]) -> SetAside:
        peer, name, at, sealed = row
        return SetAside(self.name(peer, name), at, *_aside.decode(self._key.open(sealed, b"aside" + peer)))
