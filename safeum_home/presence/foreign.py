"""Accounts of other nodes: what their nodes have told of them, and whether they look at ours."""

from collections.abc import Callable, Iterable

from safeum_home.ids import AccountId, DeviceId
from safeum_home.ports import Published
from safeum_home.presence.people import Device, People, Person
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.presence import NOTHING_HIDDEN, Presence, PresenceState


class Foreign(Person):
    """One of another node: it is here while a contact of it is connected, or while it looks.

    `told` is what its node has told. Where it looks, it has one device, and `peers` are all contacts of it.
    """

    __slots__ = ("doubted", "here", "looked_at", "told_at")

    def __init__(self, account: AccountId, blind: bytes) -> None:
        super().__init__(account, blind)
        # What it hides its own node keeps to itself: it is not told of then, and does not look.
        self.privacy = NOTHING_HIDDEN
        self.here: set[bytes] = set()
        """Blind indexes of its contacts that are connected."""
        self.told_at = 0
        """The time of what was told last, by its node's clock; `looked_at` of whether it looks."""
        self.looked_at = 0
        self.doubted = False
        """Whether its node may have forgotten that it has told it."""

    @property
    def node(self) -> str:
        return node_of(self.account)

    @property
    def looking(self) -> bool:
        return bool(self.devices)

    @property
    def seen_by(self) -> Iterable[bytes]:
        return tuple(self.here)

    def presence(self) -> Presence:
        return self.told

    def forget_told(self) -> None:
        """Nothing is known of it any more."""
        self.told, self.told_at, self.doubted = Presence(self.account, PresenceState.UNKNOWN), 0, False


class _Way:
    """`ports.Subscriber` of one that looks: it is told through its node, in `Telling`."""

    device = DeviceId("elsewhere")
    host = ""
    keeps_up = True
    woken = asleep = False

    def __init__(self) -> None:
        self.held = 0
        self.used_at = 0.0
        self.on_use: Callable[[], None] | None = None

    def deliver(self, event: Published) -> None:
        """What goes to devices of this node does not go this way."""

    def replaced(self) -> None:
        """There is nothing to close; the same holds for `revoked` and `account_closed`."""

    revoked = account_closed = replaced


WAY = _Way()


class Looker(Device):
    """One that looks, as `Telling` sees it."""

    __slots__ = ()

    def __init__(self, person: Foreign) -> None:
        super().__init__(person, WAY)

    def note(self, person: Person) -> None:
        """However many there are: its node has to hear of each that is to be seen no more."""
        self.pending[person] = None

    def begin(self, reset: bool) -> None:
        """What is noted stays noted: among everybody are those alone that are to be seen."""
        self.rest, self.whole = [], True


class Others:
    """Those that matter here, with `People`: while a contact of them is connected, or they look."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._by_node: dict[str, dict[Foreign, None]] = {}
        self.released: Callable[[str], None] = lambda node: None
        """Called where none of a node matters any more."""

    def find(self, account: AccountId) -> Foreign | None:
        found = self._people.behind(self._people.blind(account))
        return found if isinstance(found, Foreign) else None

    def need(self, account: AccountId) -> Foreign:
        """It begins to matter; `release` it where it does not after all."""
        if (foreign := self.find(account)) is None:
            foreign = Foreign(account, self._people.blind(account))
            self._people.put(foreign)
            self._by_node.setdefault(foreign.node, {})[foreign] = None
        return foreign

    def release(self, foreign: Foreign) -> None:
        """It is forgotten where it is of no matter any more."""
        if foreign.here or foreign.looking:
            return
        self._people.take_out(foreign)
        others = self._by_node.get(foreign.node, {})
        others.pop(foreign, None)
        if not others and self._by_node.pop(foreign.node, None) is not None:
            self.released(foreign.node)

    def of(self, node: str) -> tuple[Foreign, ...]:
        return tuple(self._by_node.get(node, ()))

    def contacts(self, person: Person) -> list[Foreign]:
        """Those that are contacts of one of ours."""
        found = map(self._people.behind, person.peers or ())
        return [each for each in found if isinstance(each, Foreign)]
