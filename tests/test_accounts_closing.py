"""Closing an account with a PIN: what is gone at once, for its owner and for everybody."""

from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection
from twisted.internet.defer import Deferred
from twisted.logger import formatEvent

from safeum_home.accounts import closing
from safeum_home.accounts.closing import SAME_SECONDS
from safeum_home.ids import AccountId
from safeum_home.node.turning import LEAST_SECONDS
from safeum_home.sealing.keys import SealedKey
from safeum_home.sealing.libc import ffi
from tests.closing_case import OTHER, PIN, ClosingCase
from tests.sms import logged
from tests.world import CONSENT, LAPTOP, PASSWORD, Client, Refused, World


class OwnerTests(ClosingCase):
    def test_from_any_device(self) -> None:
        """The answer is a plain one, and the stranger's phone can go on to log somebody else in."""
        phone = Client(self.world)
        self.assertEqual(phone.call("account.block", username="alice", pin=PIN), {})
        phone.login("carol")

    def test_own_session(self) -> None:
        """The answer comes, then the connection is closed with a code that says why."""
        self.assertEqual(self.alice.call("session.block", pin=PIN), {})
        self.assertEqual(self.alice.connection.close_code, 4011)
        self.refused(
            "bad_credentials",
            Client(self.world),
            "session.login",
            username="alice",
            password=PASSWORD,
            device=LAPTOP,
        )

    def test_all_sessions_are_closed(self) -> None:
        second, third = self.world.login("alice"), self.world.login("alice")
        third.drop()
        self.block()
        self.assertEqual([self.alice.connection.close_code, second.connection.close_code], [4011, 4011])
        for client in (self.alice, second, third):
            again = Client(self.world)
            self.refused("bad_token", again, "session.resume", token=client.token, since=client.cursor)
        self.assertEqual(self.world.late, [])

    def test_under_duress(self) -> None:
        """A PIN as a password is answered as a wrong one is, to the octet; and the account is closed."""
        wrong, forced = Client(self.world), Client(self.world)
        about = {"username": "alice", "device": LAPTOP}
        wrong.ask("session.login", password=OTHER, **about)
        forced.ask("session.login", password=PIN, **about)
        # However long closing takes, both are answered at the same time.
        self.world.settle(SAME_SECONDS * 0.75)
        self.assertEqual(forced.connection.written + wrong.connection.written, [])
        self.world.settle(SAME_SECONDS * 0.75)
        self.assertEqual(len(forced.connection.written), 1)
        self.assertEqual(forced.connection.written, wrong.connection.written)
        self.assertIsNone(forced.connection.close_code)
        self.assertEqual(self.alice.connection.close_code, 4011)
        self.refused("bad_credentials", forced, "session.login", password=PASSWORD, **about)

    def test_a_fault_is_not_told(self) -> None:
        """Where closing fails by a fault of the node it is answered as a wrong password is, and logged."""
        events = logged(self)
        before = self.rows()
        with patch.object(closing, "erase_account", side_effect=LookupError(f"row {PIN}")):
            self.login_refused(Client(self.world), PIN)
        self.assertEqual(self.rows(), before)
        lines = [formatEvent(event) for event in events]
        self.assertEqual(lines.count("An account could not be closed (LookupError)."), 1)
        self.assertNotIn(PIN, "".join(lines))

    def test_duress_is_answered_before_the_turn(self) -> None:
        """Else the time until the answer would tell; the account is closed on the disk by then."""
        held: list[Any] = []

        def in_thread(call: Any) -> Deferred[Any]:
            held.append(call)
            return Deferred()

        with patch.object(self.world.domain.turns, "_in_thread", in_thread):
            self.login_refused(Client(self.world), PIN)
            self.assertEqual(len(held), 1)
            self.assertEqual(self.world.database.count("tombstones"), 1)

    def test_the_answer_waits_for_the_turn(self) -> None:
        held: list[tuple[Any, Deferred[Any]]] = []

        def in_thread(call: Any) -> Deferred[Any]:
            held.append((call, Deferred()))
            return held[-1][1]

        phone = Client(self.world)
        with patch.object(self.world.domain.turns, "_in_thread", in_thread):
            asked = phone.ask("account.block", username="alice", pin=PIN)
            for step in range(2):
                self.assertIsNone(phone.answer(asked), step)
                call, done = held[step]
                done.callback(call())
        self.assertEqual(phone.answer(asked), {})
        self.assertFalse(self.world.vault.keyring.pending_turn)

    def test_the_name_stays_taken(self) -> None:
        """Nobody can sign up with it, and at the door it is as unknown as any other."""
        self.block()
        stranger = Client(self.world)
        for name in ("alice", "ALICE"):
            hashed = self.world.pool.hashed
            self.refused(
                "username_taken",
                stranger,
                "account.register",
                username=name,
                password=PASSWORD,
                device=LAPTOP,
                consent=CONSENT,
            )
            self.assertEqual(self.world.pool.hashed, hashed, "no sooner than for a name that is in use")
        self.refused("not_found", self.carol, "contact.find", address="alice")
        self.refused("wrong_pin", stranger, "account.block", username="alice", pin=PIN)
        world = World(self.world.database, self.world.vault)
        self.assertRaises(Refused, world.register, "alice")

    def test_the_name_is_taken_in_the_commit(self) -> None:
        """A sign-up that looked before the account was closed comes too late all the same."""
        self.world.database.hold_reads = True
        thief = Client(self.world)
        asked = thief.ask(
            "account.register", username="alicf", password=PASSWORD, device=LAPTOP, consent=CONSENT
        )
        self.world.database.hold_reads = False
        self.world.database.execute(
            "INSERT INTO tombstones VALUES (?)", self.world.vault.blinder.alias("alicf")
        )
        self.world.database.answer_reads()
        self.assertEqual(self.assertRaises(Refused, thief.answer, asked).code, "username_taken")

    def test_nothing_is_left(self) -> None:
        """The database is as if she had never been there, but for her name and what Bob sees of her."""
        before = self.rows()
        dave = self.world.register("dave")
        dave.call("account.pin.set", password=PASSWORD, pin=PIN)
        dave.call("profile.set", profile={"display_name": "D", "status": "s"})
        chat = self.world.befriend(dave, self.bob)
        for number in range(1200):  # more than are swept at once
            dave.write(chat, f"{number}")
        self.bob.write(chat, "so many")
        self.world.settle()
        self.world.login("dave")
        Client(self.world).call("account.block", username="dave", pin=PIN)
        self.world.settle()
        after = self.rows()
        self.assertEqual(after.pop("tombstones"), 1)
        self.assertEqual(after.pop("contacts"), before.pop("contacts") + 1)
        self.assertEqual(after, {table: count for table, count in before.items() if table != "tombstones"})

    def test_keys_are_zeroed(self) -> None:
        """The slots of the account's key and of its chats' keys hold nothing afterwards."""
        directory, registry = self.world.domain.directory, self.world.domain.registry
        account = directory._open[AccountId(self.alice.account)]
        chats = [chat for chat in registry._open.values() if self.alice.account in chat.members]
        self.assertEqual(len(chats), 2)
        places = []
        for key in (account.key, *[chat.key for chat in chats]):
            assert isinstance(key, SealedKey)
            places.append(key._pointer)
        del account, chats, key
        self.assertNotIn(bytes(32), [bytes(ffi.buffer(place, 32)) for place in places])
        found: list[bytes] = []
        release = type(self.world.vault.keyring._arena).release

        def note(arena: Any, pointer: Any, size: int) -> None:
            release(arena, pointer, size)
            if pointer in places:
                found.append(bytes(ffi.buffer(pointer, 32)))

        with patch.object(type(self.world.vault.keyring._arena), "release", note):
            self.block()
        self.assertEqual(found[:3], [bytes(32)] * 3)

    def test_memory(self) -> None:
        """Nothing in RAM knows the account any more."""
        self.world.domain.receipts.delivered(AccountId(self.alice.account), self.chat, 1)  # type: ignore[arg-type]
        self.block()
        bus: Any = self.world.services.bus
        domain = self.world.domain
        self.assertNotIn(self.alice.account, repr(domain.receipts._waiting))
        self.world.settle()
        held = (domain.directory._open, domain.registry._open, domain.receipts._waiting, bus._subscribers)
        for kept in held:
            self.assertNotIn(self.alice.account, repr(kept))

    def test_what_is_forfeited(self) -> None:
        """It is ended in the same transaction: what fails there leaves the account as it was."""
        forfeited: list[bytes] = []

        def forfeit(c: Connection, account: bytes) -> None:
            forfeited.append(account)
            if len(forfeited) == 1:
                raise RuntimeError("the ledger says no")

        world = World(self.world.database, self.world.vault)
        world.domain.closing._forfeits = (forfeit,)
        rows = self.rows()
        self.refused("internal_error", Client(world), "account.block", username="alice", pin=PIN)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertEqual(self.rows(), rows)
        Client(world).call("account.block", username="alice", pin=PIN)
        self.assertEqual(forfeited, [self.blind(self.alice)] * 2)

    def test_a_commit_that_fails(self) -> None:
        """Then nothing has happened, and it can be tried again."""
        self.world.database.failing = True
        self.refused("storage_unavailable", Client(self.world), "account.block", username="alice", pin=PIN)
        self.refused(
            "storage_unavailable", Client(self.world), "account.block", username="alice", pin="905814"
        )
        self.world.database.failing = False
        self.assertIsNone(self.alice.connection.close_code)
        self.block()

    def test_twice_at_once(self) -> None:
        """Two devices enter it in the same moment: one closes the account, the other knew no better."""
        first, second = Client(self.world), Client(self.world)
        self.world.database.hold = True
        asked = [client.ask("account.block", username="alice", pin=PIN) for client in (first, second)]
        self.world.database.hold = False
        self.world.database.release()
        self.assertEqual(first.answer(asked[0]), {})
        self.assertEqual(self.assertRaises(Refused, second.answer, asked[1]).code, "wrong_pin")

    def test_any_of_three(self) -> None:
        """Each PIN closes the account, whichever place it has."""
        for place in range(3):
            name, pins = f"owner{place}", (OTHER, "730518", "62849107")
            owner = self.world.register(name)
            for pin in pins:
                owner.call("account.pin.set", password=PASSWORD, pin=pin)
            Client(self.world).call("account.block", username=name, pin=pins[place])
            self.assertEqual(owner.connection.close_code, 4011)
            self.world.settle(LEAST_SECONDS)

    def test_a_pin_that_was_removed_meanwhile(self) -> None:
        """It is none any more, also where others are left."""
        self.alice.call("account.pin.set", password=PASSWORD, pin=OTHER)
        self.world.database.hold = True
        removed = self.alice.ask("account.pin.remove", password=PASSWORD, ordinal=1)
        phone = Client(self.world)
        asked = phone.ask("account.block", username="alice", pin=PIN)
        self.world.database.hold = False
        self.world.database.release()
        self.assertEqual(self.alice.answer(removed), {})
        self.assertEqual(self.assertRaises(Refused, phone.answer, asked).code, "wrong_pin")
