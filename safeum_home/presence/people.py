"""Accounts that are connected, with their devices, and a bounded number of those that have left."""

from collections import OrderedDict
from collections.abc import Iterable
from enum import Enum

from safeum_home.ids import AccountId, DeviceId
from safeum_home.ports import Blinder, Subscriber
from safeum_home.presence.peers import Peers
from safeum_home.protocol.presence import Presence, PresenceState, Privacy

MINUTE = 60
MOST_PENDING = 32
"""Of how many it is noted, for each device, that it is to be told of them."""


class Activity(Enum):
    """Whether a device is in use."""

    USED = "used"
    IDLE = "idle"
    """Nothing was asked of it for a while: with the next command it is in use."""
    WOKEN = "woken"
    """Its node has woken it, and nobody is there: it is told nothing until the next command."""
    PUT_AWAY = "put away"
    """Its client has said so: until it says otherwise."""


UNATTENDED = (Activity.WOKEN, Activity.PUT_AWAY)
"""Of a device that is told nothing of others."""


class Device:
    """A connection, what its user is to be told, and whether there is one."""

    __slots__ = ("activity", "pending", "person", "reset", "rest", "subscriber", "whole")

    def __init__(self, person: "Person", subscriber: Subscriber) -> None:
        self.person = person
        self.subscriber = subscriber
        self.activity = Activity.WOKEN if subscriber.woken else Activity.USED
        self.pending: dict[Person, None] = {}
        """Of whom it is to be told; how it is with them is looked up when it is."""
        self.whole = False
        """Whether it is to be told of everybody that it may see, from the first one on."""
        self.rest: list[Person] = []
        """Of whom of these it was not told yet, the next one last."""
        self.reset = False
        """Whether what it was told before is to be forgotten first."""

    def note(self, person: "Person") -> None:
        """It is to be told of one; where these become too many, of everybody instead, anew."""
        if self.whole:
            return
        self.pending[person] = None
        if len(self.pending) > MOST_PENDING:
            self.begin(reset=True)

    def begin(self, reset: bool) -> None:
        """It is to be told of everybody."""
        self.pending, self.rest = {}, []
        self.whole = True
        self.reset = self.reset or reset

    @property
    def connected(self) -> bool:
        return self.person.devices.get(self.subscriber.device) is self

    @property
    def looks(self) -> bool:
        """Whether it is told how it is with others."""
        return self.person.shown and self.activity not in UNATTENDED and self.connected


class Person:
    """An account that is connected, or was. `peers` and `privacy` are None until they were read."""

    __slots__ = ("account", "asleep", "blind", "devices", "peers", "privacy", "seen", "told", "watching")

    def __init__(self, account: AccountId, blind: bytes) -> None:
        self.account = account
        self.blind = blind
        self.devices: dict[DeviceId, Device] = {}
        self.asleep: frozenset[DeviceId] = frozenset()
        """Those that have left to sleep, and can be woken."""
        self.peers: Peers | None = None
        self.privacy: Privacy | None = None
        self.seen: float | None = None
        """When a device of it was in use last, where none is now."""
        self.told = Presence(account, PresenceState.UNKNOWN)
        """What its contacts were told last, when that had settled: at first nothing, which is this."""
        self.watching = False
        """Whether other nodes were told that it looks."""

    @property
    def shown(self) -> bool:
        """Whether others see it, and it sees them."""
        return self.privacy is not None and not self.privacy.hide_presence

    @property
    def seen_by(self) -> Iterable[bytes]:
        """Who is told of it: blind indexes."""
        return self.peers or Peers()

    @property
    def state(self) -> PresenceState:
        if any(device.activity is Activity.USED for device in self.devices.values()):
            return PresenceState.ONLINE
        return PresenceState.AWAY if self.devices or self.asleep else PresenceState.OFFLINE

    def presence(self) -> Presence:
        """How it is with the account at this moment, for its contacts."""
        state = self.state
        if not self.shown or (self.seen is None and state is PresenceState.OFFLINE):
            return Presence(self.account, PresenceState.UNKNOWN)
        if state is PresenceState.ONLINE or self.seen is None:
            return Presence(self.account, state)
        return Presence(self.account, state, int(self.seen // MINUTE) * MINUTE * 1000)

    @property
    def public(self) -> Presence:
        """What is told of it: how it was when that had settled."""
        return self.told if self.shown else Presence(self.account, PresenceState.UNKNOWN)

    def was_used(self, at: float) -> None:
        """A device of it was in use until then."""
        self.seen = at if self.seen is None else max(self.seen, at)


class People:
    """Everybody of whom something is known; of those who have left the last `remembered`."""

    def __init__(self, blinder: Blinder, remembered: int) -> None:
        self._blinder = blinder
        self._remembered = remembered
        self._here: dict[AccountId, Person] = {}
        self._gone: OrderedDict[AccountId, Person] = OrderedDict()
        self._by_blind: dict[bytes, Person] = {}

    def __len__(self) -> int:
        return len(self._by_blind)

    def here(self, account: AccountId) -> Person | None:
        """One that is connected, or was a moment ago."""
        return self._here.get(account)

    def everybody_here(self) -> list[Person]:
        return list(self._here.values())

    def behind(self, blind: bytes) -> Person | None:
        """One that is connected, or has left."""
        return self._by_blind.get(blind)

    def put(self, person: Person) -> None:
        """One that does not connect here."""
        self._by_blind[person.blind] = person

    def take_out(self, person: Person) -> None:
        """The same one is of no matter any more."""
        if self._by_blind.get(person.blind) is person:
            del self._by_blind[person.blind]

    def blind(self, account: AccountId) -> bytes:
        return self._blinder.account(account)

    def enter(self, account: AccountId) -> Person:
        """An account has a device that is connected."""
        person = self._here.get(account)
        if person is None:
            person = self._gone.pop(account, None) or Person(account, self.blind(account))
            self._here[account] = self._by_blind[person.blind] = person
        return person

    def hide(self, account: AccountId) -> None:
        """One that has left wants to be seen no more."""
        if account in self._gone:
            self.forget(account)

    def leave(self, person: Person) -> None:
        """Its last device has gone; it is remembered for a while, unless it hides or is not known."""
        del self._here[person.account]
        person.peers = None
        if not person.shown or person.seen is None:
            del self._by_blind[person.blind]
            return
        self._gone[person.account] = person
        if len(self._gone) > self._remembered:
            del self._by_blind[self._gone.popitem(last=False)[1].blind]

    def forget(self, account: AccountId) -> None:
        """The account was closed."""
        person = self._here.pop(account, None) or self._gone.pop(account, None)
        if person is not None:
            del self._by_blind[person.blind]
            person.devices, person.asleep = {}, frozenset()
            person.privacy = person.peers = None
