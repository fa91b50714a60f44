"""Who is to be woken: asked for many accounts in one read, one read at a time, off the reactor's thread.

What comes meanwhile is gathered, once for each account. Where something changes for an account that is being
read, that account alone is read once more: the others are not held up by it. Beyond `MOST` accounts none is
noted any more: then `overflowed` is called, and all devices are looked at (`push.sweep`), so that nothing is
lost.
"""

from collections.abc import Callable, Container, Sequence
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Connection
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from safeum_home.damage import undamaged
from safeum_home.errors import Problem
from safeum_home.ids import AccountId, ChatId, DeviceId
from safeum_home.ports import Blinder, Database, Mutes, Owners, Waking
from safeum_home.ports.push import Pushes, Wake
from safeum_home.push.record import WHAT, unseal
from safeum_home.push.sleeper import Place
from safeum_home.storage import push
from safeum_home.storage.rows import PushRow

_log = Logger()

MOST = 50_000
AT_ONCE = 200
"""Accounts in one read."""
MOST_REASONS = 64
"""Messages, and calls, of an account that are looked at in one read: where there are more one is a reason."""


class Asked:
    """Why devices of an account may have to be woken."""

    __slots__ = ("account", "call", "calls", "devices", "reasons", "sure")

    def __init__(self, account: AccountId) -> None:
        self.account = account
        self.reasons: list[Waking] = []
        """Messages of chats that may be muted."""
        self.sure = False
        """There is something in no chat, which cannot be muted."""
        self.call = False
        """Somebody calls; there are more than are looked at."""
        self.calls: list[Waking] = []
        self.devices: set[DeviceId] = set()
        """For these something waits."""

    @property
    def doubtful(self) -> list[Waking]:
        """What is of no matter where its chat is muted."""
        messages = [] if self.sure else self.reasons
        return messages if self.call else [*messages, *self.calls]

    def add(self, waking: Waking) -> None:
        if waking.wake is Wake.CALL:
            calls = [*(each for each in self.calls if each.stands()), waking]
            self.call |= len(calls) > MOST_REASONS
            self.calls = [] if self.call else calls
        elif waking.chat is None or len(self.reasons) >= MOST_REASONS:
            self.sure = True
        else:
            self.reasons.append(waking)


class Seen(NamedTuple):
    """Where devices of an account are woken, and until when chats are muted (milliseconds)."""

    places: dict[DeviceId, Place]
    muted: dict[ChatId, int]


class Lookout:
    """Gathers questions, reads, and hands the answers on."""

    def __init__(
        self,
        clock: Any,
        database: Database,
        blinder: Blinder,
        owners: Owners,
        mutes: Mutes,
        pushes: Pushes,
        seen: Callable[[Asked, Seen], None],
        overflowed: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._database = database
        self._blinder = blinder
        self._owners = owners
        self._mutes = mutes
        self._pushes = pushes
        self._seen = seen
        self._overflowed = overflowed
        self._asked: dict[AccountId, Asked] = {}
        self._reading = False
        self._under_way: dict[AccountId, Asked] = {}
        """What is being read, but for what is in doubt."""
        self._alone: list[Asked] = []
        """These are read one by one: for several at once it failed."""

    def ask(self, account: AccountId, waking: Waking | None, device: DeviceId | None = None) -> None:
        """There is something for an account's devices, or what was there waits for one of them."""
        asked = self._asked.get(account)
        if asked is None:
            if len(self._asked) >= MOST:
                self._overflowed()
                return
            asked = self._asked[account] = Asked(account)
        if waking is not None:
            asked.add(waking)
        if device is not None:
            asked.devices.add(device)
        if not self._reading:
            self._reading = True
            self._clock.callLater(0, self._read)

    def doubt(self, account: AccountId) -> None:
        """What is being read of an account may be of before something that has changed now."""
        asked = self._under_way.pop(account, None)
        if asked is None:
            return
        later = self._asked.setdefault(account, asked)
        if later is not asked:
            later.sure |= asked.sure
            later.call |= asked.call
            later.devices |= asked.devices
            for reason in (*asked.reasons, *asked.calls):
                later.add(reason)

    def doubt_all(self) -> None:
        """The same of all accounts."""
        for account in list(self._under_way):
            self.doubt(account)

    def _read(self) -> None:
        if self._alone:
            some = [self._alone.pop()]
        else:
            some = [self._asked.pop(account) for account in list(islice(self._asked, AT_ONCE))]
        self._under_way = {asked.account: asked for asked in some}

        def begin() -> Deferred[list[Seen]]:
            names = self._pushes.names
            return self._database.read(lambda c: self._look(c, some, names))

        def read(seen: list[Seen]) -> None:
            for asked, found in zip(some, seen, strict=True):
                if asked.account in self._under_way:
                    self._seen(asked, found)
                    self._under_way.pop(asked.account, None)

        def failed(failure: Failure) -> None:
            if failure.check(Problem) is None:
                _log.failure("it could not be looked who is to be woken", failure=failure)
                if len(some) > 1:  # it may be one of them that is at fault
                    self._alone = list(self._under_way.values())
                    return
            # The storage says itself that it is unavailable; all devices are looked at once it is there.
            self._overflowed()

        def go_on(_: object) -> None:
            self._under_way = {}
            self._reading = bool(self._asked or self._alone)
            if self._reading:
                self._clock.callLater(0, self._read)

        reading = maybeDeferred(begin)
        reading.addCallback(read).addErrback(failed).addCallback(go_on)

    # --- in the reader's thread ------------------------------------------------------------------

    def _look(self, c: Connection, some: Sequence[Asked], names: Container[str]) -> list[Seen]:
        blinds = [self._blinder.account(asked.account) for asked in some]
        rows: dict[bytes, list[PushRow]] = {blind: [] for blind in blinds}
        for row in push.pushes_of(c, blinds):
            rows[row.account].append(row)
        return [self._one(c, asked, rows[blind], names) for asked, blind in zip(some, blinds, strict=True)]

    def _one(self, c: Connection, asked: Asked, rows: list[PushRow], names: Container[str]) -> Seen:
        accounts = [row.account for row in rows[:1]]
        owners = undamaged(accounts, lambda blind: self._owners.behind(c, blind), "accounts")
        if not owners or (owner := owners[0]) is None:
            return Seen({}, {})
        places = {
            record.device: Place(row.device, row.address, row.call_address, record.provider, record.address)
            for row, record in undamaged(rows, lambda row: (row, unseal(owner.key, row)), WHAT)
            if record.provider in names
        }
        chats = {reason.chat for reason in asked.doubtful if reason.chat is not None}
        return Seen(places, self._mutes.muted_until(c, owner, chats) if chats else {})
