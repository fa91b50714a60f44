"""A client's session: which commands it takes when, how it answers, and how it ends."""

from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.protocol.commands import COMMANDS
from tests.world import CONSENT, LAPTOP, PASSWORD, Client, Refused, World

ALICE = {"username": "alice", "password": PASSWORD, "device": LAPTOP}
NEW_ALICE = {**ALICE, "consent": CONSENT}


class SessionCase(SynchronousTestCase):
    """A world in `self.world`; at the end nothing may have been written after a close frame."""

    def setUp(self) -> None:
        self.world = World()
        self.addCleanup(lambda: self.assertEqual(self.world.late, []))

    def refused(self, code: str, client: Client, method: str, **params: Any) -> Refused:
        error: Refused = self.assertRaises(Refused, client.call, method, **params)
        self.assertEqual(error.code, code)
        return error


class PhaseTests(SessionCase):
    def test_before_a_login(self) -> None:
        """Whoever has not logged in is told so, whatever he asks."""
        client = Client(self.world)
        self.refused("not_authenticated", client, "contact.list")
        self.refused("not_authenticated", client, "session.ack", cursor="A" * 22)
        client.notify("chat.typing", chat="!" + "a" * 26)
        self.assertEqual(client.connection.close_code, None)

    def test_after_a_login(self) -> None:
        """A session is of one device for good."""
        alice = self.world.register("alice")
        self.refused("wrong_state", alice, "account.register", **NEW_ALICE)
        self.refused("wrong_state", alice, "session.login", **ALICE)
        self.refused("wrong_state", alice, "session.resume", token=alice.token)
        self.assertEqual(alice.call("contact.list")["contacts"], [])

    def test_while_logging_in(self) -> None:
        """What is pipelined behind a login is refused, not queued, and does no harm to it."""
        self.world.pool.hold = True
        client = Client(self.world)
        login = client.ask("account.register", **NEW_ALICE)
        self.refused("wrong_state", client, "contact.list")
        self.refused("wrong_state", client, "account.register", **{**NEW_ALICE, "username": "other"})
        self.assertIsNone(client.answer(login))
        self.world.pool.run()
        client.opened(client.answer(login) or {})
        self.assertEqual(client.call("device.list")["devices"][0]["device"], client.device)

    def test_another_try(self) -> None:
        """A refused login may be tried again on the same connection."""
        self.world.register("alice")
        client = Client(self.world)
        self.refused("bad_credentials", client, "session.login", **{**ALICE, "password": "no such thing"})
        self.refused("bad_token", client, "session.resume", token="D" + "a" * 16 + "." + "A" * 43)
        client.login("alice")

    def test_too_slow(self) -> None:
        """A connection on which nobody logs in is closed after its time."""
        client = Client(self.world)
        self.world.settle(14)
        self.assertIsNone(client.connection.close_code)
        self.world.settle(2)
        self.assertEqual(client.connection.close_code, 4001)
        alice = self.world.register("alice")
        self.world.settle(1000)
        self.assertIsNone(alice.connection.close_code)
        self.assertEqual(self.world.timers, [])

    def test_a_login_that_takes_too_long(self) -> None:
        """A login that succeeds after the connection was closed for slowness opens nothing."""
        self.world.pool.hold = True
        client = Client(self.world)
        client.ask("account.register", **NEW_ALICE)
        self.world.clock.advance(15)
        self.assertEqual(client.connection.close_code, 4001)
        self.world.pool.run()
        self.assertEqual(client.answers, {})
        self.assertEqual(self.flushLoggedErrors(), [])
        self.world.settle()
        self.world.pool.hold = False
        alice = Client(self.world).login("alice")
        self.assertEqual([d["connected"] for d in alice.call("device.list")["devices"]], [False, True])

    def test_gone_while_logging_in(self) -> None:
        """Nothing is left of a connection that went away at any step of its login."""
        for steps in range(4):
            world = World()
            world.pool.hold = world.database.hold = world.database.hold_reads = True
            client = Client(world)
            client.ask("account.register", **NEW_ALICE)
            for step in (world.database.answer_reads, world.pool.run, world.database.release)[:steps]:
                step()
            client.drop()
            for _ in range(3):
                world.database.answer_reads()
                world.pool.run()
                world.database.release()
            self.assertEqual(world.timers, [])
            self.assertEqual(world.services.bus.connected(client.account or "@"), frozenset())  # type: ignore[arg-type]
            self.assertEqual(world.late, [])
            self.assertEqual(self.flushLoggedErrors(), [])

    def test_all_commands_are_routed(self) -> None:
        """Every method of the contract has a function, and there is none for anything else."""
        routed = {
            command.method for command in COMMANDS.values() if command.params in self.world.services.routes
        }
        apart = {"session.ack", "session.sleep"}
        self.assertEqual(routed | apart, set(COMMANDS))
        self.assertEqual(len(self.world.services.routes), len(COMMANDS) - len(apart))


class FrameTests(SessionCase):
    def codes(self, client: Client) -> list[tuple[Any, str]]:
        return [
            (frame["id"], frame["error"]["data"]["code"])
            for frame in client.connection.written
            if "error" in frame
        ]

    def test_bad_frames(self) -> None:
        """A malformed frame is answered with a code, and the session goes on; after 20 it is closed."""
        alice = self.world.register("alice")
        bad = [b"{", b"[]", b'{"jsonrpc":"2.0","id":7,"method":"no.such"}', b"", b'{"id":' + b"[" * 60_000]
        codes = ["parse_error", "invalid_request", "method_not_found", "parse_error", "parse_error"]
        for payload in bad:
            alice.send(payload)
        self.assertEqual([code for _, code in self.codes(alice)], codes)
        self.assertEqual(alice.call("contact.list")["contacts"], [])
        for _ in range(14):
            alice.send(b"nonsense")
        self.assertIsNone(alice.connection.close_code)
        alice.send(b"nonsense")
        self.assertEqual(alice.connection.close_code, 1008)

    def test_notifications_get_no_answer(self) -> None:
        """Neither when they succeed nor when they are refused, for whatever reason."""
        alice = self.world.register("alice")
        before = len(alice.connection.written)
        alice.notify("contact.list")
        alice.notify("chat.send", **alice.message("!" + "a" * 26, "hi"))
        alice.notify("session.ack", cursor="A" * 22)
        alice.notify("no.such.method")
        alice.notify("chat.read", chat=1)
        alice.notify("session.login", **ALICE)
        self.assertEqual(alice.connection.written[before:], [])

    def test_text_ids(self) -> None:
        """An answer has the id of its request, whichever kind that is."""
        alice = self.world.register("alice")
        for number in ("x", "", 0, -(2**53) + 1):
            alice.send(
                msgspec.json.encode({"jsonrpc": "2.0", "id": number, "method": "device.list", "params": {}})
            )
            self.assertIn("result", alice.answers[number])

    def test_cursors_that_were_not_given_out(self) -> None:
        """A cursor that was made up, or is of the future, is refused."""
        alice = self.world.register("alice")
        future = self.world.vault.cursors.encode(self.world.database.committed + 1)
        for cursor in ("A" * 22, future):
            self.refused("invalid_cursor", alice, "session.ack", cursor=cursor)
            alice.connect()
            self.refused("invalid_cursor", alice, "session.resume", token=alice.token, since=cursor)
            known = self.world.vault.cursors.encode(1)
            self.refused(
                "invalid_cursor", alice, "session.resume", token=alice.token, since=known, seen=cursor
            )
            alice.opened(alice.call("session.resume", token=alice.token))

    def test_internal_error(self) -> None:
        """What goes wrong inside is logged, and told as nothing but that."""
        alice = self.world.register("alice")
        routes: Any = self.world.services.routes
        for broken in (self._raises, self._fails):
            routes[COMMANDS["device.list"].params] = broken
            error = self.refused("internal_error", alice, "device.list")
            self.assertNotIn("detail", error.error["data"])
            self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(alice.call("contact.list")["contacts"], [])

    def _raises(self, *args: Any) -> None:
        1 / 0  # noqa: B018  # it is the point

    async def _fails(self, *args: Any) -> None:
        self._raises()


class FlowTests(SessionCase):
    def test_in_flight(self) -> None:
        """At the limit of commands under way the session stops reading, and goes on when one has ended."""
        self.world = World(in_flight=3)
        alice = self.world.register("alice")
        self.world.database.hold_reads = True
        asked = [alice.ask("device.list") for _ in range(5)]
        self.assertFalse(alice.connection.reading)
        self.assertEqual(len(alice.connection.unread), 2)
        self.world.database.answer_reads(1)
        self.assertTrue(alice.connection.reading)
        alice.connection.read_on()
        self.assertEqual((alice.connection.reading, len(alice.connection.unread)), (False, 1))
        while self.world.database.held or alice.connection.unread:
            self.world.database.answer_reads()
            alice.connection.read_on()
        self.assertEqual([bool(alice.answer(number)) for number in asked], [True] * 5)
        self.assertTrue(alice.connection.reading)

    def test_rate(self) -> None:
        """Too many commands are refused with the time to wait; each account has a measure of its own."""
        self.world = World(commands_per_second=10.0, commands_burst=20)
        alice, bob = self.world.register("alice"), self.world.register("bob")
        for _ in range(20):
            alice.call("device.list")
        error = self.refused("rate_limited", alice, "device.list")
        self.assertAlmostEqual(error.error["data"]["retry_after"], 0.1, 3)
        bob.call("device.list")
        self.world.clock.advance(0.21)
        for _ in range(2):
            alice.call("device.list")
        self.refused("rate_limited", alice, "device.list")

    def test_costs(self) -> None:
        """What makes the node read much counts for more."""
        self.world = World(commands_per_second=10.0, commands_burst=20)
        alice = self.world.register("alice")
        self.assertEqual([alice.call("chat.list")["next"] for _ in range(2)], [None, None])
        self.refused("rate_limited", alice, "chat.list")

    def test_slowed_down(self) -> None:
        """Of a client that is over its rate nothing is read for a moment, and then all that it sent."""
        self.world = World(commands_per_second=10.0, commands_burst=1)
        alice = self.world.register("alice")
        alice.call("device.list")
        refused, later = alice.ask("device.list"), alice.ask("device.list")
        self.assertEqual((alice.connection.reading, len(alice.connection.unread)), (False, 1))
        self.assertEqual(self.assertRaises(Refused, alice.answer, refused).code, "rate_limited")
        self.world.clock.advance(0.19)
        self.assertFalse(alice.connection.reading)
        self.world.clock.advance(0.02)
        alice.connection.read_on()
        self.assertTrue(alice.answer(later))

    def test_slowed_down_and_gone(self) -> None:
        """A connection that goes away while it is held leaves nothing behind."""
        self.world = World(commands_per_second=10.0, commands_burst=1)
        alice = self.world.register("alice")
        alice.call("device.list")
        alice.ask("device.list")
        alice.connection.lose()
        self.world.clock.advance(2)
        self.assertFalse(alice.connection.reading)

    def test_insisting_without_a_login(self) -> None:
        """Commands of an open session are not asked for ever before it is one."""
        client = Client(self.world)
        for _ in range(20):
            self.refused("not_authenticated", client, "device.list")
        self.assertEqual(client.connection.close_code, 1008)

    def test_rate_before_a_login(self) -> None:
        """Whoever has not logged in shares the measure of his address: one IPv6 network is one address."""
        self.world = World(commands_per_second=0.1, commands_burst=2)
        for host in ("2001:db8::1", "2001:db8::2"):
            self.refused("bad_token", Client(self.world, host), "session.resume", token="x" * 60)
        self.refused("rate_limited", Client(self.world, "2001:db8::3"), "session.resume", token="x" * 60)
        self.refused("bad_token", Client(self.world, "2001:db8:0:1::1"), "session.resume", token="x" * 60)

    def test_publishing_that_fails(self) -> None:
        """The caller was answered once, and is closed; the count of what is under way stays right."""
        alice, bob = self.world.register("alice"), self.world.register("bob")
        chat = self.world.befriend(alice, bob)
        bus: Any = self.world.services.bus
        self.patch(bus, "publish", self._raise)
        alice.write(chat, "hi")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(alice.connection.close_code, 1011)
        self.assertEqual(alice.connection.session._in_flight, 0)

    def test_a_session_that_breaks(self) -> None:
        """A connection that cannot be written to does not keep the others from an event."""
        alice, bob = self.world.register("alice"), self.world.register("bob")
        chat = self.world.befriend(alice, bob)
        tablet = self.world.login("bob")
        self.patch(bob.connection, "write", self._raise)
        alice.write(chat, "hi")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(bob.connection.close_code, 1011)
        self.assertEqual([message["body"]["text"] for message in tablet.messages()], ["hi"])
        self.assertIsNone(alice.connection.close_code)

    def _raise(self, *args: Any) -> None:
        raise ZeroDivisionError


class EndTests(SessionCase):
    def test_one_session_for_a_device(self) -> None:
        """When a device connects anew its old session is closed with 4009, and the new one is live."""
        alice, bob = self.world.register("alice"), self.world.register("bob")
        chat = self.world.befriend(alice, bob)
        old = bob.connection
        bob.connect()
        bob.opened(bob.call("session.resume", token=bob.token))
        self.assertEqual(old.close_code, 4009)
        alice.write(chat, "to the new one")
        self.assertEqual(len(bob.messages()), 1)
        self.world.settle()
        self.assertTrue(old.over)
        alice.write(chat, "and again")
        self.assertEqual(len(bob.messages()), 1)

    def test_logout(self) -> None:
        """The token is of no use afterwards, and the session is closed after its answer."""
        alice = self.world.register("alice")
        self.assertEqual(alice.call("session.logout"), {})
        self.assertEqual(alice.connection.close_code, 1000)
        self.refused("bad_token", Client(self.world), "session.resume", token=alice.token)

    def test_logout_elsewhere(self) -> None:
        """A logout that was under way when its device connected anew ends the new session too."""
        alice = self.world.register("alice")
        self.world.database.hold = True
        alice.ask("session.logout")
        alice.connect()
        alice.opened(alice.call("session.resume", token=alice.token))
        self.world.database.release()
        self.assertEqual(alice.connection.close_code, 4010)

    def test_nothing_behind_a_close(self) -> None:
        """What is told to a session that was closed is not written: it would hide what was left out."""
        alice, bob = self.world.register("alice"), self.world.register("bob")
        chat = self.world.befriend(alice, bob)
        self.world.database.hold = True
        asked = bob.ask("chat.send", **bob.message(chat, "from bob"))
        bob.connection.session.close(1012, "the node restarts")
        self.world.database.release()
        alice.ask("chat.send", **alice.message(chat, "from alice"))
        self.world.database.release()
        self.assertIsNone(bob.answer(asked))
        self.assertEqual(bob.connection.late, [])
