"""Accounts with phone numbers, and the client's finder in front of a world's node."""

import base64
import os
import shutil
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from msgspec import structs
from sqlalchemy import Connection, update
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.accounts.records import AccountRecord, seal, unseal
from safeum_home.client.abilities.contact_finder import ContactFinder
from safeum_home.client.errors import RemoteProblem
from safeum_home.config import ContactSyncSection
from safeum_home.ids import AccountId
from safeum_home.protocol import commands as c
from safeum_home.protocol import ristretto
from safeum_home.protocol.frames import ProblemDetails
from safeum_home.storage import accounts
from safeum_home.storage.schema import aliases
from tests.e2e.needs import apt, missing
from tests.world import HOST, NODE, Client, Refused, World
from tests.world_parts import InlinePool, _SameThread

R = TypeVar("R", bound=c.Result)
BOB = "+491511234567"
CAROL = "+491511234568"
NOBODY = "+491511234569"
DAY = 86_400
ORDER = 2**252 + 27742317777372353535851937790883648493
BASE = bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76")
"""The generator: RFC 9496, appendix A.1."""
METHOD_OF = {command.params: method for method, command in c.COMMANDS.items()}


def need_group() -> None:
    """Skip where the machine has no libsodium with ristretto255, and nobody here can install it."""
    if not ristretto.available() and os.geteuid() == 0 and shutil.which("apt-get"):
        apt("libsodium23")
    if not ristretto.available():
        missing("libsodium is not installed: apt-get install libsodium23")


class SyncPool(InlinePool):
    """A pool in the test's own thread, in which work may fail."""

    started = False

    def start(self) -> None:
        self.started = True

    def stop(self) -> None:
        self.started = False

    def callInThreadWithCallback(
        self, done: Callable[[bool, Any], None], function: Callable[..., Any], *args: Any
    ) -> None:
        def outcome() -> tuple[bool, Any]:
            try:
                return True, function(*args)
            except Exception:
                return False, Failure()

        super().callInThreadWithCallback(lambda _, pair: done(*pair), outcome)


def inline_pool(world: World, queue: int = 4) -> SyncPool:
    """Have the work of contact sync done in the test's own thread."""
    pool: Any = world.domain.findable._pool
    pool._reactor, pool._pool, pool._bound = _SameThread(), SyncPool(), 1 + queue
    threads: SyncPool = pool._pool
    return threads


def new_world(case: SynchronousTestCase, **options: Any) -> World:
    """A world whose set of those who can be found is not built yet; closed after the test."""
    world = World(**options)
    inline_pool(world)

    def close() -> None:
        world.domain.findable.stop()
        # Left to the collector, it may be closed in a thread of another test.
        world.database.connection.close()

    case.addCleanup(close)
    return world


def open_world(case: SynchronousTestCase, **options: Any) -> World:
    """A world whose set is built."""
    world = new_world(case, **options)
    world.domain.findable.start()
    return world


def sign_up(world: World, number: str, findable: bool = False, host: str = HOST) -> Client:
    """An account whose login is a phone number, logged in: it is renamed behind the node's back."""
    client = world.register(f"n{number[1:]}", host=host)
    account = AccountId(client.account)
    blind, keyring = world.vault.blinder.account(account), world.vault.keyring

    def rename(c: Connection) -> None:
        row = accounts.account(c, blind)
        assert row is not None
        key = keyring.unwrap(blind, row.key)
        record = structs.replace(unseal(key, AccountRecord, row.sealed, blind), username=number)
        accounts.update_account(c, blind, seal(key, record, blind))
        c.execute(
            update(aliases).where(aliases.c.account == blind).values(alias=world.vault.blinder.alias(number))
        )

    world.database.transact(rename)
    world.domain.directory._open[account].username = number
    client.address = f"{number}@{NODE}"
    if findable:
        client.call("account.findable", findable=True)
    return client


class Finder:
    """The real finder on a world's client; `heard` is all that reached the node, as it was sent."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.finder = ContactFinder()
        self.heard: list[bytes] = []
        self.waited: list[float] = []

    def find(self, *numbers: str) -> dict[str, c.ContactFound]:
        """Raises what the finder raises."""
        outcome: list[Any] = []
        finding = self.finder.find(self.ask, self.wait, self.client.account, numbers)
        Deferred.fromCoroutine(finding).addBoth(outcome.append)
        if not isinstance(outcome[0], dict):
            outcome[0].raiseException()
        found: dict[str, c.ContactFound] = outcome[0]
        return found

    def methods(self) -> list[str]:
        """What was asked since the last time."""
        heard, self.heard = self.heard, []
        return [msgspec.json.decode(frame)["method"] for frame in heard]

    def wait(self, seconds: float) -> Deferred[None]:
        self.waited.append(seconds)
        self.client.world.settle(seconds)
        return succeed(None)

    async def ask(self, params: c.Params, result: type[R], /) -> R:
        method = METHOD_OF[type(params)]
        frame = {"method": method, "params": params}
        self.heard.append(msgspec.json.encode(frame))
        try:
            answer = self.client.call(method, **msgspec.to_builtins(params))
        except Refused as refused:
            details = msgspec.convert(refused.error["data"], ProblemDetails)
            raise RemoteProblem(details, refused.error["code"]) from None
        return msgspec.convert(answer, result)


def text(octets: bytes) -> str:
    """Octets as they stand in a frame."""
    return base64.b64encode(octets).decode("ascii")


class SyncCase(SynchronousTestCase):
    """A node with Bob, who can be found, and Carol, who cannot; Ada looks for them."""

    section = ContactSyncSection()

    def setUp(self) -> None:
        need_group()
        self.world = open_world(self, contact_sync=self.section)
        self.ada = sign_up(self.world, "+491510000000")
        self.bob = sign_up(self.world, BOB, findable=True)
        self.carol = sign_up(self.world, CAROL)
        self.finder = Finder(self.ada)
        self.threads: SyncPool = self.world.domain.findable._pool._pool  # type: ignore[assignment]  # see inline_pool

    @property
    def period(self) -> int:
        served = self.world.domain.findable.served
        assert served is not None
        return served.period

    def points(self, amount: int) -> list[str]:
        """Elements, none twice, as blinded numbers are."""
        return [text(ristretto.from_hash(os.urandom(64))) for _ in range(amount)]

    def refused(self, client: Client, points: object, **others: object) -> Refused:
        """How `contacts.sync` with these points is refused."""
        try:
            client.call("contacts.sync", **{"period": self.period, "points": points, **others})
        except Refused as refusal:
            return refusal
        self.fail("it was not refused")
