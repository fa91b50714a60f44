"""Other nodes: what they are told, what they tell, and what they are asked. docs/federation.md narrates it.

What nodes tell each other is the present state of objects, never the steps to it: so it may be told again,
and what has changed twice is told once.
"""

from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

from msgspec import Struct
from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.ports.files import Intake, Reading
from safeum_home.protocol.federation.events import Event
from safeum_home.protocol.federation.files import FetchFile

R = TypeVar("R", bound=Struct)


def _nothing() -> None:
    """Nothing is to be done."""


class Noted(NamedTuple):
    """A node is to be told what an object is now.

    `type` names the kind of the object (`SharedKind.type`), and `pointer` which one it is: octets without a
    name in them, of which its kind makes the event when it is sent (at most 128). Of what waits for a node
    each object is there once. `urgent`: before all that is not, as erasures are.
    """

    node: str
    type: str
    pointer: bytes
    urgent: bool = False


class Applied(NamedTuple):
    """What an event of another node comes to.

    `store` is called in the writer's thread, in the transaction that notes that the event was received;
    `publish` once that is committed; `ended` in any case, at last. `placed` is called in the turn in which
    the transaction is handed to the database: positions are taken then. `store` may raise `Problem` as
    `SharedKind.apply` does, and then nothing of it is stored. `row` is what `Bulky.store_rows` takes.
    """

    store: Callable[[Connection], object]
    publish: Callable[[], None]
    ended: Callable[[], None]
    placed: Callable[[], None] = _nothing
    row: Any = None


class SharedKind(Protocol):
    """A kind of object of which other nodes are told. Telling again what was told changes nothing.

    What a node cannot take now, which `apply` and `store` say with `busy` and `rate_limited`, is told again
    later, and all that is of the same chat behind it: the pointer of what is told of a chat begins with its
    blind index. It may have `together`: that many of its events may be stored in one transaction; and
    `may_wait`: that its objects are of no chat, and it is of no matter whether one is told before or behind
    others. And `late`: with which codes an object that was refused is told again later, though others were
    told meanwhile, which otherwise come behind it. And `lasting`: that its objects wait for as long as it
    takes, also where others are given up after 30 days.
    """

    @property
    def type(self) -> str:
        """The type of its events."""

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        """What is to be told of an object, not signed yet; None where there is nothing to tell any more.

        On a reading connection and in its thread.
        """

    async def apply(self, node: str, event: Event) -> Applied:
        """What an event means that `node` has sent, and that was signed by the node of its sender.

        Raises `Problem` where it is refused for good, such as `not_a_contact`; what passes (`busy`,
        `storage_unavailable`) is asked again.
        """


@runtime_checkable
class Hopeful(Protocol):
    """A `SharedKind` may be one as well: what its objects are where they will never be told."""

    async def untold(self, node: str, pointer: bytes) -> Applied:
        """`node` will never be told of an object: it was away for too long, or has refused it for good."""


class Bulky(Protocol):
    """A `SharedKind` may be one as well: much of it costs less than one after the other does."""

    def building(self, c: Connection, pointers: Sequence[bytes]) -> Callable[[bytes], Event | None]:
        """`build` for each of these, on this connection: what they need is read together."""

    def store_rows(self, c: Connection, rows: Sequence[Any]) -> bool:
        """Do what `store` of all that these are the `Applied.row` of would do.

        False, or a `Problem`, where they cannot be stored so: it is undone, and each is stored for itself.
        """


@runtime_checkable
class Founding(Protocol):
    """A `SharedKind` may be one as well: others rest on it, and are refused without, as chats on contacts."""

    def doubted(self, c: Connection, node: str, chat: bytes) -> None:
        """`node` has refused what it was told of a direct chat (blind index): its members had not agreed.

        In a transaction: where they have, as far as is known here, `node` is told that anew; it may have been
        put back from a backup.
        """


class Peers(Protocol):
    """The other nodes."""

    def reaches(self, node: str) -> bool:
        """Whether this node has to do with `node` at all."""

    def note(self, c: Connection, rows: Sequence[Noted]) -> None:
        """In the transaction of a change: tell other nodes of it."""

    def to_be_told(
        self, c: Connection, node: str, objects: Sequence[tuple[str, bytes]]
    ) -> Sequence[tuple[str, bytes]]:
        """Those of some objects (types and pointers) of which a node is still to be told.

        On any connection.
        """

    def withdraw(self, c: Connection, node: str, types: Sequence[str], first: bytes, end: bytes) -> None:
        """In the transaction that erases objects: a node is not told any more that they were there.

        They are those of some types whose pointers are from `first` on, and before `end`. What is on its way
        to the node just now is looked at before it is sent again.
        """

    def room(self, c: Connection, node: str) -> int:
        """How many more messages may wait for a node; in the writer's thread."""

    def wake(self, nodes: Iterable[str]) -> None:
        """Something was noted for these nodes, and is committed now."""

    def tell_now(self, node: str, type: str, subject: Hashable) -> bool:
        """Tell a node soon what is of use for a moment alone, as it is then; or not at all.

        `type` is that of an `ExpiringKind`, which makes the event of `subject` when it is sent. What waits
        is told once. False: it is known already that the node will not be told, as it is away, nothing is to
        do with it, or too much waits.
        """

    def ask(self, node: str, question: Struct, result: type[R]) -> "Deferred[R]":
        """Ask a node, which must be one of `protocol.federation.questions`.

        Fails with what it answers, as a `Problem`; `node_unreachable` where it does not answer, and
        `federation_refused` where this node has nothing to do with it.
        """

    def fetch(self, node: str, file: FetchFile) -> "Deferred[Intake]":
        """A file that `node` has, from `file.offset` on; `stop` it, whatever happens.

        Its body is as long as `file` says, or breaks off. Fails with what the node answers, as a `Problem`;
        `node_unreachable` where it does not answer, or with something else; `federation_refused` as `ask`.
        """

    def verified(self, origin: str, event: Mapping[str, Any]) -> "Deferred[Event]":
        """An event, out of JSON, of another node than `origin`, which passes it on; of whichever node.

        Fails with `malformed_event`, `wrong_sender_node`, `bad_signature`, `unknown_key` or
        `federation_refused`; and with `node_unreachable` or `busy` where the keys cannot be had now.
        """


Answer = Callable[[str, Struct], Awaitable[Struct]]
"""Answers a question of a node. Raises `Problem`."""

OpenFile = Callable[[str, FetchFile], Awaitable[Reading]]
"""Opens a file that a node asks for. Raises `Problem`."""
