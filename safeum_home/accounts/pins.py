"""PINs: short, entered in need, and final. What one may be, and the commands that set and remove them.

An account's PINs have one salt and one cost, so that one run of Argon2id tells whether something is any of
them; what is compared is compared with all of them, whatever matches.
"""

import re
from collections.abc import Callable
from hmac import compare_digest
from itertools import pairwise
from secrets import token_bytes

import msgspec
from sqlalchemy import Connection

from safeum_home.accounts.directory import AccountDirectory, OpenAccount
from safeum_home.accounts.login_limits import LoginLimits
from safeum_home.accounts.own_record import check_hash
from safeum_home.accounts.passwords import PasswordHasher
from safeum_home.accounts.records import PinRecord, seal
from safeum_home.errors import Code, Problem
from safeum_home.ids import RandomBytes
from safeum_home.limits import network
from safeum_home.ports import Caller, Database
from safeum_home.protocol.commands import (
    AccountPinList,
    AccountPinRemove,
    AccountPinSet,
    Done,
    PinCount,
    PinSet,
)
from safeum_home.protocol.commands.closing import MOST_PINS
from safeum_home.storage import accounts

_PIN = re.compile(r"[0-9]{6,12}")
_COMMON = frozenset(("112233", "123321", "121314", "102030", "101010", "159753", "147258", "147258369"))
_LONGEST_PATTERN = 3
_NOBODY = (b"\0" * 32,) * MOST_PINS


def is_pin(text: str) -> bool:
    """Whether this could be a PIN at all."""
    return _PIN.fullmatch(text) is not None


def check_pin(pin: str, password: str) -> None:
    """Raise `weak_pin` for what anybody would try: one digit, digits in a row, a pattern, or the password."""
    digits = [int(digit) for digit in pin]
    steps = {(after - before) % 10 for before, after in pairwise(digits)}
    in_a_row = len(steps) == 1 and steps <= {0, 1, 9}
    repeated = any(pin == (pin[:length] * len(pin))[: len(pin)] for length in range(1, _LONGEST_PATTERN + 1))
    if in_a_row or repeated or pin in _COMMON or pin == password:
        raise Problem(Code.WEAK_PIN)


class PinVerifier:
    """Looks whether something is a PIN of an account, at the same cost for one without, and for nobody."""

    def __init__(self, hasher: PasswordHasher, random: RandomBytes = token_bytes) -> None:
        self._hasher = hasher
        self._dummy = random(16)

    async def match(self, pins: PinRecord | None, pin: str) -> bytes | None:
        """What is kept of the PIN that this is; None where it is none of them."""
        if pins is None:
            salt, (operations, memory), verifiers = self._dummy, self._hasher.pin_cost(), ()
        else:
            salt, operations, memory, verifiers = msgspec.structs.astuple(pins)
        found = await self._hasher.pin_verifier(pin, salt, operations, memory)
        # All three, whatever matches and however many there are.
        same = [compare_digest(found, one) for one in (*verifiers, *_NOBODY)[:MOST_PINS]]
        return found if any(same) else None


class Pins:
    """The commands `account.pin.*`."""

    def __init__(
        self,
        database: Database,
        directory: AccountDirectory,
        hasher: PasswordHasher,
        verifier: PinVerifier,
        limits: LoginLimits,
        random: RandomBytes = token_bytes,
    ) -> None:
        self._database = database
        self._directory = directory
        self._hasher = hasher
        self._verifier = verifier
        self._limits = limits
        self._random = random

    async def set(self, caller: Caller, params: AccountPinSet) -> PinSet:
        owner = await self._directory.need(caller.account)
        # Whether a PIN is good is told only to whoever knows the password.
        proved = await self._prove(caller, owner, params.password)
        check_pin(params.pin, params.password)
        if await self._verifier.match(owner.pins, params.pin) is not None:
            raise Problem(Code.WEAK_PIN, "it is set already")
        empty = PinRecord(self._random(16), *self._hasher.pin_cost(), ())
        known = owner.pins or empty
        verifier = await self._hasher.pin_verifier(params.pin, known.salt, known.operations, known.memory)

        def add(pins: PinRecord | None) -> PinRecord:
            pins = pins or empty
            if pins.salt != known.salt:
                raise Problem(Code.BUSY, "another device changes the PINs", retry_after=1.0)
            if len(pins.verifiers) >= MOST_PINS:
                raise Problem(Code.LIMIT_REACHED, "PINs")
            return msgspec.structs.replace(pins, verifiers=(*pins.verifiers, verifier))

        return PinSet(await self._change(owner, proved, add))

    async def list(self, caller: Caller, params: AccountPinList) -> PinCount:
        owner = await self._directory.need(caller.account)
        return PinCount(0 if owner.pins is None else len(owner.pins.verifiers))

    async def remove(self, caller: Caller, params: AccountPinRemove) -> Done:
        owner = await self._directory.need(caller.account)
        proved = await self._prove(caller, owner, params.password)

        def drop(pins: PinRecord | None) -> PinRecord | None:
            if pins is None or params.ordinal > len(pins.verifiers):
                raise Problem(Code.NOT_FOUND)
            left = (*pins.verifiers[: params.ordinal - 1], *pins.verifiers[params.ordinal :])
            return msgspec.structs.replace(pins, verifiers=left) if left else None

        await self._change(owner, proved, drop)
        return Done()

    async def _prove(self, caller: Caller, owner: OpenAccount, password: str) -> str:
        """The hash that `password` fits.

        A device that was left open must not let others change PINs, nor guess the password.
        """
        peer, known = network(caller.host), owner.password_hash
        self._limits.take(peer, owner.username)
        if not await self._hasher.verify(password, known):
            raise Problem(Code.BAD_CREDENTIALS)
        self._limits.proved(peer, owner.username)
        return known

    async def _change(
        self, owner: OpenAccount, known: str, change: Callable[[PinRecord | None], PinRecord | None]
    ) -> int:
        """Store what `change` makes of the PINs, while the password has the hash `known`; their number."""

        def store(c: Connection) -> PinRecord | None:
            record = check_hash(c, owner, known)
            record = msgspec.structs.replace(record, pins=change(record.pins))
            accounts.update_account(c, owner.blind, seal(owner.key, record, owner.blind))
            return record.pins

        owner.pins = pins = await self._database.transact(store)
        self._directory.keep(owner)
        return 0 if pins is None else len(pins.verifiers)
