"""Who is there: devices come, are used, are put away and go; contacts are told."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred, succeed

from safeum_home.ids import AccountId, DeviceId
from safeum_home.ports import Acquaintance, Acquaintances, Blinder, Caller, Subscriber
from safeum_home.ports.expiring import ExpiringKind, SayNow
from safeum_home.presence.elsewhere import Elsewhere
from safeum_home.presence.kinds import LookingKind, PresenceKind
from safeum_home.presence.loading import Loading
from safeum_home.presence.peers import Peers
from safeum_home.presence.people import UNATTENDED, Activity, Device, People, Person
from safeum_home.presence.telling import Telling
from safeum_home.protocol.commands import Done, PresenceGet, PresenceList, PresenceSet
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.presence import NOTHING_HIDDEN, Presence, PresenceState, Privacy
from safeum_home.rounds import Rounds

IDLE_SECONDS = 180.0
_LOOK_EVERY = 15.0
"""How often it is looked whether a device is still in use, in seconds."""
_LOOKS_AT_ONCE = 1000
REMEMBERED = 100_000
"""Of how many accounts that have left it is known when they were seen last."""


class OtherNodes(NamedTuple):
    """Contacts of accounts of other nodes, and how these nodes are told."""

    mutual: Acquaintances
    say: SayNow


class _Nobody:
    """`ports.Acquaintances` of nobody."""

    def of(self, accounts: Sequence[AccountId]) -> "Deferred[list[Acquaintance | None]]":
        return succeed([None] * len(accounts))


NOBODY = OtherNodes(_Nobody(), lambda node, type, subject: None)


class WhoIsThere:
    """`ports.Attendance`, `ports.RelationWatch`, `ports.TypingPrivacy`, and the commands `presence.*`.

    All of it is in memory, and nothing of it is ever written anywhere. `clock` provides IReactorTime.
    """

    def __init__(
        self,
        clock: Any,
        blinder: Blinder,
        acquaintances: Acquaintances,
        remembered: int = REMEMBERED,
        others: OtherNodes = NOBODY,
    ) -> None:
        """`others` are accounts of other nodes."""
        self._clock = clock
        self._people = People(blinder, remembered)
        self._rounds = Rounds(clock)
        mutual, say = others
        self._telling = telling = Telling(clock, self._rounds, self._people, say)
        self.elsewhere = Elsewhere(clock, self._rounds, self._people, telling, mutual, say)
        telling.leaving = self.elsewhere.gone
        self._looking = self._rounds.queue(_LOOK_EVERY, _LOOKS_AT_ONCE, self._look)
        self._loading = Loading(clock, acquaintances, self._read)
        self._asking: dict[Person, list[Deferred[Person]]] = {}

    def kinds(self, node: str) -> tuple[ExpiringKind, ...]:
        """What `node`, which is this one, and others tell each other of presence."""
        about = (node, self._people, self.elsewhere, self._clock.seconds)
        return (PresenceKind(*about), LookingKind(*about))

    def __len__(self) -> int:
        """Of how many accounts something is known."""
        return len(self._people)

    # --- devices

    def came(self, account: AccountId, subscriber: Subscriber) -> None:
        person = self._people.enter(account)
        device = person.devices[subscriber.device] = Device(person, subscriber)
        person.asleep -= {subscriber.device}
        if device.activity is Activity.WOKEN:
            subscriber.on_use = lambda: self._use(device)
        else:
            self._looking.add(device, self._clock.seconds())
        if person.peers is None:
            self._loading.want(person)
        else:
            self._begin(device)
            self.elsewhere.look(person)
        self._telling.changed(person)

    def left(self, account: AccountId, subscriber: Subscriber) -> None:
        person = self._people.here(account)
        device = None if person is None else person.devices.get(subscriber.device)
        if person is None or device is None or device.subscriber is not subscriber:
            return
        del person.devices[subscriber.device]
        # Who was woken and has done nothing sleeps on, however that connection ended.
        if subscriber.asleep or device.activity is Activity.WOKEN:
            person.asleep |= {subscriber.device}
        self._looking.drop(device)
        subscriber.on_use = None
        if device.activity is Activity.USED:
            now, used_at = self._clock.seconds(), subscriber.used_at
            person.was_used(now if now - used_at < IDLE_SECONDS else used_at)
        if not person.devices:
            self._loading.drop(person)
            self._answer(person)
        self.elsewhere.look(person)
        self._telling.changed(person)

    def revoked(self, account: AccountId, which: Callable[[DeviceId], bool]) -> None:
        """They are not connected any more, and do not sleep. Who has revoked them is there, or about to come:
        only when that one has gone it makes a difference to contacts."""
        person = self._people.behind(self._people.blind(account))
        if person is None:
            return
        for device in [device for id, device in person.devices.items() if which(id)]:
            self.left(account, device.subscriber)
        person.asleep = frozenset(device for device in person.asleep if not which(device))

    def set(self, caller: Caller, params: PresenceSet) -> Done:
        person = self._people.here(caller.account)
        device = None if person is None else person.devices.get(caller.device)
        if device is None:
            return Done()  # the device has connected anew, and this is its connection before
        if not params.active:
            self._rest(device, Activity.PUT_AWAY)
            device.pending, device.rest, device.whole = {}, [], False
            self.elsewhere.look(device.person)
            return Done()
        device.subscriber.used_at = self._clock.seconds()
        self._use(device)
        return Done()

    def _use(self, device: Device) -> None:
        device.subscriber.on_use = None
        if not device.connected or device.activity is Activity.USED:
            return
        unattended = device.activity in UNATTENDED
        device.activity = Activity.USED
        self._looking.add(device, self._clock.seconds())
        self._telling.changed(device.person)
        if unattended:
            self._telling.begin(device, reset=True)
            self.elsewhere.look(device.person)

    def _rest(self, device: Device, activity: Activity) -> None:
        """It is in use no more; when it was last is what its client has said, or its last command."""
        if device.activity is Activity.USED:
            said = activity is Activity.PUT_AWAY
            device.person.was_used(self._clock.seconds() if said else device.subscriber.used_at)
        device.activity = activity
        device.subscriber.on_use = None
        self._looking.drop(device)
        self._telling.changed(device.person)

    def _look(self, device: Device) -> None:
        now = self._clock.seconds()
        # Where the clock was set back, a device was used now at the latest.
        if now - min(device.subscriber.used_at, now) < IDLE_SECONDS:
            self._looking.add(device, now)
            return
        self._rest(device, Activity.IDLE)
        device.subscriber.on_use = lambda: self._use(device)

    # --- who sees whom

    def _read(self, person: Person, acquaintance: Acquaintance) -> None:
        person.privacy = acquaintance.privacy
        self.elsewhere.read(person, Peers(acquaintance.peers), acquaintance.elsewhere)
        for device in person.devices.values():
            self._begin(device)
        self._telling.changed(person)
        self._answer(person)

    def _begin(self, device: Device) -> None:
        privacy = device.person.privacy
        if privacy is not None and privacy != NOTHING_HIDDEN:
            self._telling.privacy(device, privacy)
        self._telling.begin(device)

    def related(self, first: AccountId, second: AccountId, accepted: bool) -> None:
        if node_of(first) != node_of(second):
            if (person := self._people.here(first)) is not None:
                self._loading.changed(person)
            self.elsewhere.related(first, second, accepted)
            return
        one, other = self._people.here(first), self._people.here(second)
        for person, peer in ((one, second), (other, first)):
            if person is None:
                continue
            self._loading.changed(person)
            if person.peers is not None:
                change = person.peers.add if accepted else person.peers.discard
                change(self._people.blind(peer))
        if accepted:
            self._telling.met(*(self._people.behind(self._people.blind(each)) for each in (first, second)))

    def privacy_changed(self, account: AccountId, privacy: Privacy) -> None:
        person = self._people.here(account)
        if person is None:
            if privacy.hide_presence:
                self._people.hide(account)
            return
        self._loading.changed(person)
        before, person.privacy = person.shown, privacy
        for device in person.devices.values():
            self._telling.privacy(device, privacy)
            if before != person.shown:
                self._telling.begin(device, reset=True)
        if before != person.shown:
            self._telling.at_once(person)
            self.elsewhere.look(person)

    def tells_typing(self, account: AccountId) -> bool:
        person = self._people.here(account)
        return person is not None and person.privacy is not None and not person.privacy.hide_typing

    def is_known(self, account: AccountId) -> bool:
        return self.elsewhere.matters(account)

    def are_contacts(self, one: AccountId, other: AccountId) -> bool:
        first, second = self._people.here(one), self._people.here(other)
        if first is None:
            first, second, other = second, first, one
        if first is not None and second is None:
            second = self.elsewhere.find(other)
        return first is not None and second is not None and second.blind in (first.peers or ())

    def forget_account(self, account: AccountId) -> None:
        """The account was closed; `Forget` of ports tells when."""
        if (person := self._people.here(account)) is not None:
            self._loading.drop(person)
            for device in person.devices.values():
                self._looking.drop(device)
                device.subscriber.on_use = None
            self._answer(person)
            self.elsewhere.gone(person)
        self.elsewhere.forget(account)
        self._people.forget(account)

    def read_anew(self) -> None:
        """What is in memory may be older than what is in the database."""
        for person in self._people.everybody_here():
            self._loading.want(person)

    def stop(self) -> None:
        """Do nothing any more."""
        self._rounds.stop()
        self._loading.stop()
        self.elsewhere.stop()

    # --- asking

    def get(self, caller: Caller, params: PresenceGet) -> "Deferred[PresenceList]":
        """Whoever is no contact is not looked up at all: nothing tells whether there is one."""
        person = self._people.here(caller.account)
        if person is None or person.peers is not None:
            return succeed(self._list(person, params))
        waiting: Deferred[Person] = Deferred()
        self._asking.setdefault(person, []).append(waiting)
        return waiting.addCallback(self._list, params)

    def _answer(self, person: Person) -> None:
        for waiting in self._asking.pop(person, []):
            waiting.callback(person)

    def _list(self, person: Person | None, params: PresenceGet) -> PresenceList:
        return PresenceList([self._seen(person, AccountId(account)) for account in params.accounts])

    def _seen(self, looker: Person | None, account: AccountId) -> Presence:
        blind = self._people.blind(account)
        looks = looker is not None and looker.shown and blind in (looker.peers or ())
        if looks and (seen := self._people.behind(blind)) is not None:
            return seen.presence()
        return Presence(account, PresenceState.UNKNOWN)
