"""What waits for other nodes, and how far what comes from them got: durable, one commit for each step."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.errors import Problem


class Waiting(NamedTuple):
    """An object of which a node is to be told: see `Noted`."""

    position: int
    type: str
    pointer: bytes


class Batch(NamedTuple):
    """The transaction `number` of a `stream` (16 octets), and what it tells of. It was committed as such."""

    stream: bytes
    number: int
    rows: tuple[Waiting, ...]


class Trim(NamedTuple):
    """What of a batch is not sent in it after all."""

    gone: Sequence[Waiting] = ()
    """Of which there is nothing to tell any more."""
    poison: Sequence[tuple[Waiting, str]] = ()
    """Of which nothing can be told, and the code that says why."""
    later: Sequence[Waiting] = ()
    """For which there is no room: they wait on."""


class PeerState(NamedTuple):
    """A node that this one has to do with. `failing`: since when it cannot be told, in milliseconds, or 0."""

    name: str
    waiting: int
    failing: int
    seen: int


class Refused(NamedTuple):
    """An event of a transaction that was set aside, or, with `retry_after` (seconds), can be told later.

    `detail` is what is wrong with it.
    """

    place: int
    code: str
    retry_after: int | None = None
    detail: str = ""


class SetAside(NamedTuple):
    """What was refused, by this node (`ours` is False: it came from there) or by the other."""

    name: str
    at: int
    ours: bool
    type: str
    code: str
    detail: str = ""


class Outbox(Protocol):
    """Of each node the rows that wait. What is not answered fails with `Problem(storage_unavailable)`."""

    def next(self, node: str) -> "Deferred[Batch | None]":
        """What is to be sent now: the batch that was fixed before, or a new one; None where nothing waits.

        Where something urgent waits behind that batch, all of it is sorted, and counted, anew.
        """

    def trim(self, node: str, batch: Batch, trim: Trim) -> "Deferred[Batch]":
        """The batch as it is sent, committed. It may have no rows left: then its number is used again."""

    def delivered(
        self, node: str, batch: Batch, refused: Sequence[Refused], ahead: Batch | None = None
    ) -> "Deferred[Batch | None]":
        """The node has it. What comes next, as of `next`. What it cannot take now may be held back.

        `ahead` is what was made of the batch that `ahead` has fixed, if it was: it is not read again.
        """

    def followed(self, node: str, batch: Batch, following: Batch) -> "Deferred[None]":
        """The node has all of it, and `following`, which `ahead` has fixed, is on its way to it already."""

    def hurries(self, node: str) -> bool:
        """Whether something urgent may have come since a batch was fixed that is not on its way yet."""

    def ahead(self, node: str, batch: Batch, least: int) -> "Deferred[Batch | None]":
        """Fix what is sent behind `batch`, which is under way: the batch that `delivered` then gives.

        None where fewer than `least` rows wait. `delivered` gives another one where something urgent has come
        meanwhile, or `batch` was trimmed after all.
        """

    def new_stream(self, node: str) -> "Deferred[Batch | None]":
        """Begin to count anew, with what was not delivered. What comes next, as of `next`."""

    def failing(self, node: str, since: int) -> "Deferred[int]":
        """It cannot be told, since then (milliseconds). What waits too long is dropped: how many rows."""

    def peers(self, after: bytes, limit: int) -> "Deferred[tuple[list[PeerState], bytes]]":
        """A page of all nodes, and what to ask for the next one with: b"" for the first, and behind the last.

        Those whose names cannot be opened any more are left out.
        """


class Reached(NamedTuple):
    """How far a node's stream got here: all up to `last`, and `done` events of the transaction after that.

    `digest` (SHA-256) is of the body of the newer of the two, `refused` what was set aside of it.
    """

    stream: bytes | None
    last: int
    done: int
    digest: bytes
    refused: tuple[Refused, ...]


Store = Callable[[Connection], object]


class InBulk(NamedTuple):
    """What does at once what the stores at some places do; False, or a `Problem`, where it cannot."""

    places: Sequence[int]
    store: Callable[[Connection], bool]


class Inbox(Protocol):
    """How far each node's stream got."""

    async def reached(self, node: str) -> Reached:
        """The present state, as far as it is committed."""

    async def apply(
        self,
        node: str,
        stores: Sequence[Store],
        reached: Callable[[Sequence[Problem | None]], Reached],
        aside: Callable[[Sequence[Problem | None]], Sequence[tuple[str, str]]],
        bulks: Sequence[InBulk] = (),
    ) -> Sequence[Problem | None]:
        """Run `stores` in one commit, each undone by itself where it raises a `Problem`, and say which did.

        First `bulks`, and then the stores that are in none of them, or in one that could not be run.

        `reached` and `aside` (type and code of what is set aside) are made of these answers, and stored in
        that commit. What else is raised undoes all of it.
        """
