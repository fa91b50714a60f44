"""When a device is woken: what is published reaches its sessions first, and those that sleep through this.

An event that is news for an account is looked at here in its publisher's turn: one look into a table, where
nobody is to be woken. Else the database is asked, off the reactor's thread, where the account's devices are
woken and whether it has muted the chat (`push.lookout`), and each device is woken once (`push.sleeper`).
A connection that breaks is looked after: what its device has not said to hold was told to nobody, perhaps.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from safeum_home.config_push import PushSection
from safeum_home.errors import Problem
from safeum_home.ids import AccountId, ChatId, DeviceId
from safeum_home.ports import Blinder, Bus, Database, Mutes, Owners, Published, Subscriber, Waking
from safeum_home.ports.push import Pushes, Wake
from safeum_home.push.dead import is_for_calls
from safeum_home.push.errands import Errand, Errands, not_stored
from safeum_home.push.known import NOBODY, Device, Known
from safeum_home.push.lookout import Asked, Lookout, Seen
from safeum_home.push.muted import Muted, is_silent
from safeum_home.push.sweep import Sweep, Told
from safeum_home.push.waiting import Read, Waiting
from safeum_home.rounds import Rounds
from safeum_home.spawn import spawn
from safeum_home.storage import push

_CALL = Wake.CALL
CALLING = Waking(Wake.CALL)
LEFT_SECONDS = 1.0
"""Who comes back within that was not away."""
LEFT_AT_ONCE = 100
"""Connections that are looked after in a tenth of a second."""


class Left(NamedTuple):
    """A device that is connected no more."""

    account: AccountId
    device: DeviceId


class Waker:
    """`ports.Waker` and `ports.Attendance`: knows who sleeps, and has them woken."""

    def __init__(
        self,
        clock: Any,
        database: Database,
        blinder: Blinder,
        owners: Owners,
        bus: Bus,
        mutes: Mutes,
        pushes: Pushes,
        section: PushSection,
        missed: Read,
        node: str,
    ) -> None:
        """`clock` provides IReactorTime; `missed` reads what a device has missed; `node` is its name."""
        self._clock = clock
        self._database = database
        self._blinder = blinder
        self._bus = bus
        self._home = f":{node}"
        self._known = Known(bus.connected, lambda: database.committed)
        self._get = self._known.get
        self._muted = Muted(clock.seconds)
        self._waiting = Waiting(database, blinder, owners, mutes, clock.seconds, missed)
        self._errands = Errands(clock, database, pushes, section, owners, self._dead)
        self.sweep = Sweep(clock, database, owners, self._look_at)
        about = (clock, database, blinder, owners, mutes, pushes)
        self._lookout = Lookout(*about, self._seen, self.sweep.begin)
        self._rounds = Rounds(clock)
        self._left = self._rounds.queue(LEFT_SECONDS, LEFT_AT_ONCE, self._is_away)
        self._held: dict[Left, int] = {}

    def news(self, account: AccountId, event: Published) -> None:
        known = self._get(account)
        if known is NOBODY or (wake := event.wake) is None:
            return
        if known is None and not account.endswith(self._home):
            return  # its node wakes its devices
        if known is not None:
            if known.newest < event.position:
                known.newest = event.position
            if not known.due and (wake.wake is not _CALL or not known.sleeps):
                return
            if self._muted.silences(account, wake):
                return
        self._lookout.ask(account, wake)

    def came(self, account: AccountId, subscriber: Subscriber) -> None:
        if (known := self._known.get(account)) is not None:
            known.attend(subscriber.device, connected=True)

    def left(self, account: AccountId, subscriber: Subscriber) -> None:
        known = self._known.get(account)
        if known is not None and subscriber.device not in known.devices:
            return
        if subscriber.device in self._bus.connected(account):
            return  # it has connected anew
        if known is not None:
            known.attend(subscriber.device, connected=False)
            self._note_held(subscriber.device, subscriber.held)
        left = Left(account, subscriber.device)
        self._held[left] = subscriber.held
        self._left.add(left, self._clock.seconds())

    def revoked(self, account: AccountId, which: Callable[[DeviceId], bool]) -> None:
        self._lookout.doubt(account)
        known = self._known.get(account)
        for device in filter(which, [] if known is None else list(known.devices)):
            self._known.changed(account, device, wakeable=False)

    def changed(self, account: AccountId, device: DeviceId, wakeable: bool) -> None:
        """A device can be woken elsewhere from now on, or not any more."""
        self._lookout.doubt(account)
        self._known.changed(account, device, wakeable)

    def mutes(self, account: AccountId, chat: ChatId) -> None:
        """An account has muted a chat, or not any more."""
        self._lookout.doubt(account)
        self._muted.changed(account, chat)

    def read(self, account: AccountId) -> None:
        """An account has read a chat: on other devices nobody is to be woken for that any more."""
        known = self._known.get(account)
        for device in [] if known is None else list(known.devices.values()):
            if device.waits_for_provider:
                spawn(self._settle(account, device), "looking whether a wake is needed still")

    def forget_account(self, account: AccountId) -> None:
        """The account was closed; `Forget` of ports tells when."""
        self._lookout.doubt(account)
        self._known.forget(account)

    def forget(self) -> None:
        """What is in memory may be older than what is in the database: all is looked at anew."""
        self._lookout.doubt_all()
        self._known.clear()
        self._muted.clear()
        self.sweep.begin()

    def stop(self) -> None:
        """Wake nobody any more."""
        self.sweep.stop()
        self._rounds.stop()
        self._errands.stop()

    # --- who is to be woken ----------------------------------------------------------------------

    def _seen(self, asked: Asked, seen: Seen) -> None:
        account = asked.account
        known = self._known.learn(account, list(seen.places))
        self._muted.learn(account, seen.muted)
        now = self._clock.seconds()

        def is_loud(reason: Waking) -> bool:
            return not is_silent(seen.muted, reason, account, now)

        wanted = asked.sure or any(map(is_loud, asked.reasons))
        called = asked.call or any(call.stands() and is_loud(call) for call in asked.calls)
        for device in list(known.devices.values()):
            place = seen.places[device.device]
            means = place, self._errands.make, self._look_again
            if called:
                device.wake(Wake.CALL, *means)
            if wanted or device.device in asked.devices:
                device.wake(Wake.MESSAGE, *means)

    def _dead(self, errand: Errand) -> None:
        device = errand.device
        known = self._known.get(device.account)
        if is_for_calls(errand.place, errand.wake):
            self._lookout.doubt(device.account)
            self._lookout.ask(device.account, CALLING)  # by the other token
        elif known is not None and known.devices.get(device.device) is device:
            self.changed(device.account, device.device, wakeable=False)

    # --- looking whether something waits ---------------------------------------------------------

    def _is_away(self, left: Left) -> None:
        """The connection of a device has broken a moment ago."""
        held = self._held.pop(left)
        if left.device not in self._bus.connected(left.account):
            spawn(self._look_after(left, held), "looking after a device that left")

    def _note_held(self, device: DeviceId, held: int) -> None:
        """Up to `held` it need not be woken for anything. Where that is not stored it may be, once."""
        told = self._blinder.device(device), held
        self._database.append(push.note_held, told).addErrback(not_stored)

    async def _look_after(self, left: Left, held: int) -> None:
        device = self._blinder.device(left.device)
        try:
            known = self._known.get(left.account)
            if known is None:
                if await self._database.read(lambda c: push.push_of(c, device)) is None:
                    return
                self._note_held(left.device, held)
            if known is None or known.newest > held:
                await self._look_at(Told(left.account, left.device, held))
        except Problem:
            self.sweep.begin()  # the storage says itself that it is unavailable

    def _look_again(self, account: AccountId, device: DeviceId) -> None:
        """A wake is of no use any more, and its device did not come."""
        spawn(self._look_behind(account, device), "looking whether to wake a device again")

    async def _look_behind(self, account: AccountId, device: DeviceId) -> None:
        blind = self._blinder.device(device)
        try:
            row = await self._database.read(lambda c: push.push_of(c, blind))
            if row is not None:
                await self._look_at(Told(account, device, row.told))
        except Problem:
            self.sweep.begin()  # the storage says itself that it is unavailable

    async def _look_at(self, told: Told) -> None:
        account, device, _ = told
        if device not in self._bus.connected(account) and await self._is_waiting(told):
            self._lookout.ask(account, None, device)

    async def _settle(self, account: AccountId, device: Device) -> None:
        """Take back a wake that no provider has taken, where nothing waits."""
        blind, known = self._blinder.device(device.device), self._known.get(account)
        newest = 0 if known is None else known.newest
        try:
            row = await self._database.read(lambda c: push.push_of(c, blind))
            if row is None or await self._is_waiting(Told(account, device.device, row.told)):
                return
        except Problem:
            return  # it may be woken for what was read, and that is all
        # What came meanwhile was no news for a device that is being woken.
        if known is not None and known.newest == newest and device.waits_for_provider:
            device.settled()

    async def _is_waiting(self, told: Told) -> bool:
        position = told.told
        return position < self._database.committed and await self._waiting.behind(told.account, position)
