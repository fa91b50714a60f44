"""Closing an account for ever, with one of its PINs: nothing of it is left, and its name stays taken.

1. one commit: what it has a claim to is forfeited, the account, its devices, contacts and keys and those of
   its chats are dropped, its name becomes a tombstone, its contacts see that it is closed, and it is noted
   for the nodes of those that are of others;
2. in the same turn of the reactor: memory is cleaned, sessions are closed, contacts are told;
3. it leaves its groups, in which it was no member since 1; one in which nobody is left is erased;
4. the keyring's epoch is turned: no old copy of the database opens any of it; only now comes the answer;
5. the rows of its messages, which nobody can open any more, are swept away.

A crash after 1 is made good at the next start: 4 by `node.turning`, 3 (with a turn of its own) and 5 by
`sweep`.
"""

from collections.abc import Awaitable, Callable

from sqlalchemy import Connection
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from safeum_home import ids
from safeum_home.accounts.contact_rows import ContactSide
from safeum_home.accounts.devices import Devices
from safeum_home.accounts.directory import AccountDirectory, Credentials
from safeum_home.accounts.foreign_closing import Farewells
from safeum_home.accounts.login_limits import LoginLimits
from safeum_home.accounts.pins import PinVerifier, is_pin
from safeum_home.accounts.records import AccountRecord, unseal
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, DeviceId
from safeum_home.jobs import Jobs, again
from safeum_home.limits import network
from safeum_home.ports import Bus, Caller, Committed, Database, EpochTurns, Forfeits, Forget
from safeum_home.protocol.commands import AccountBlock, Done, SessionBlock
from safeum_home.protocol.types import Contact
from safeum_home.spawn import AWAY
from safeum_home.storage import accounts
from safeum_home.storage.erasure import erase_account, sweep

SWEPT_AT_ONCE = 500
"""Messages in one transaction: others do not wait for more of them than that."""
SAME_SECONDS = 1.0
"""How long a login waits after the hash, whether or not it was a PIN: closing an account with chats takes
longer than closing none (measured on an SQLite file: 0.03 s for 500 contacts, 0.35 s for 5,000)."""
_log = Logger()


class Closing:
    """The commands `account.block` and `session.block`, and a PIN in place of a password."""

    def __init__(
        self,
        clock: IReactorTime,
        jobs: Jobs,
        database: Database,
        directory: AccountDirectory,
        devices: Devices,
        side: ContactSide,
        bus: Bus,
        verifier: PinVerifier,
        limits: LoginLimits,
        turns: EpochTurns,
        forget: Forget,
        forfeits: Forfeits,
        leave_groups: Callable[[], Awaitable[None]],
        farewells: Farewells,
    ) -> None:
        """`leave_groups`: accounts that were closed leave their groups.

        `farewells` tells other nodes.
        """
        self._clock = clock
        self._database = database
        self._directory = directory
        self._devices = devices
        self._side = side
        self._bus = bus
        self._verifier = verifier
        self._limits = limits
        self._turns = turns
        self._forget = forget
        self._forfeits = forfeits
        self._leave_groups = leave_groups
        self._farewells = farewells
        self.sweeping = jobs.job("erasing what was closed", self.sweep)
        self._rows = jobs.job("sweeping up", self._sweep_rows)

    async def by_name(self, caller: Caller, params: AccountBlock) -> Done:
        tried = params.username.lower()
        peer = network(caller.host)
        self._limits.take(peer, tried)
        self._limits.pins.take(peer, tried)
        try:
            alias = ids.alias(tried)
        except Problem:
            alias = ""
        found = await self._directory.credentials(alias)
        verifier = await self._verifier.match(None if found is None else found.pins, params.pin)
        if not await self._close(None if found is None else found.account, verifier):
            raise Problem(Code.WRONG_PIN)
        self._limits.pins.right(peer, tried)
        await self.erased()
        return Done()

    async def own(self, caller: Caller, params: SessionBlock) -> Committed[Done]:
        account, device = caller.account, caller.device
        self._limits.own_pins.take(account)
        owner = await self._directory.need(account)
        if not await self._close(account, await self._verifier.match(owner.pins, params.pin), device):
            raise Problem(Code.WRONG_PIN)
        await self.erased()
        return Committed(Done(), lambda: self._bus.close_account(account))

    async def instead_of_password(
        self, found: Credentials | None, peer: str, username: str, text: str
    ) -> None:
        """What was not the password of `username` may be a PIN. The caller answers as for any other text.

        The answer waits for the commit, whose like is made where nothing is closed, and not for the turn; and
        it waits for longer than any of them takes. A fault of the node is no other answer either.
        """
        if not is_pin(text):
            return
        try:
            self._limits.pins.take(peer, username)
        except Problem:
            return
        verifier = await self._verifier.match(None if found is None else found.pins, text)
        pause: Deferred[None] = deferLater(self._clock, SAME_SECONDS)
        try:
            if await self._close(None if found is None else found.account, verifier):
                # It counts as a wrong one: how many tries are left would tell.
                self.sweeping.ask()
        except Problem:
            raise
        except Exception as error:
            # Its own answer would tell that this was a PIN. Its text may hold rows.
            _log.error("An account could not be closed ({kind}).", kind=type(error).__name__)
        finally:
            await pause

    async def sweep(self) -> None:
        """Let closed accounts leave their groups, turn the keyring where that is due for anything that was
        erased, and have deleted what closed accounts and erased chats have left.

        Raises `storage_unavailable`, with the rest left: an account that is in its groups still is not swept
        away.
        """
        await self._left_groups()
        await self._turns.if_due()
        self._rows.ask()

    async def _sweep_rows(self) -> None:
        """By itself: there may be many, and what is erased meanwhile is not to be opened for so long."""
        hour = int(self._clock.seconds() // 3600)
        while await self._database.transact(lambda c: sweep(c, SWEPT_AT_ONCE, hour)):
            pass

    async def _left_groups(self) -> None:
        """Let closed accounts leave their groups; raises `storage_unavailable`, and what ends it."""
        try:
            await self._leave_groups()
        except CancelledError:
            raise
        except Exception as error:
            if isinstance(error, Problem) and error.code in (*AWAY, Code.SHUTTING_DOWN):
                raise
            # The rest is erased all the same. Its text may hold rows.
            _log.error("Closed accounts could not leave their groups ({kind}).", kind=type(error).__name__)

    async def _close(
        self, account: AccountId | None, verifier: bytes | None, skip: DeviceId | None = None
    ) -> bool:
        """Close the account if `verifier` is that of a PIN of it, still. One commit, also where it is not."""
        owner = None
        if account is not None and verifier is not None:
            owner = await self._directory.get(account)
        if owner is None:
            await self._database.transact(_nothing)
            return False
        # A number is its operator's, who gives it to somebody else: a name is for ever.
        keep_name = not ids.is_number(owner.username)
        position = self._database.next_position()

        def close(c: Connection) -> tuple[set[str], list[tuple[AccountId, Contact]]] | None:
            row = accounts.account(c, owner.blind)
            record = None if row is None else unseal(owner.key, AccountRecord, row.sealed, owner.blind)
            if record is None or record.pins is None or verifier not in record.pins.verifiers:
                return None  # closed, or the PIN was removed, since it was read
            for forfeit in self._forfeits:
                forfeit(c, owner.blind)
            nodes = self._farewells.note(c, owner)
            told = self._side.close(c, owner.blind, position)
            erase_account(c, owner.blind, self._turns.epoch, keep_name)
            return nodes, told

        closed = await self._database.transact(close)
        if closed is None:
            return False
        nodes, told = closed
        self._farewells.wake(nodes)
        self._forget(owner.account, owner.username)
        self._devices.closed(owner.account, skip)
        for contact_of, contact in told:
            self._bus.publish(contact_of, self._side.farewell(contact, position))
        _log.info("An account was closed.")
        return True

    async def erased(self) -> None:
        """Something was erased: it is when an epoch has begun, and its rows are swept away after that.

        Fails with `Problem(shutting_down)` alone.
        """
        await again(self._clock, "leaving groups", self._left_groups)
        await self._turns.turned()
        self.sweeping.ask()


def _nothing(c: Connection) -> None:
    """A change that changes nothing."""
