"""Going to sleep as the client wishes, what transfers keep awake, and what contacts see of it."""

from twisted.internet.defer import Deferred, succeed

from safeum_home.gateway.idling import Idling
from safeum_home.gateway.timers import Timeouts
from tests.file_case import FileCase, request
from tests.test_gateway_idling import ASLEEP, IDLE, LATE
from tests.test_gateway_session import SessionCase
from tests.test_presence import PresenceCase
from tests.world import Client, World, texts


class CommandTests(SessionCase):
    """`session.sleep`, as a client gives it."""

    def setUp(self) -> None:
        super().setUp()
        self.alice, self.bob = self.world.register("alice"), self.world.register("bob")
        self.chat = self.world.befriend(self.alice, self.bob)

    def test_answered_and_closed(self) -> None:
        """The answer comes, then the close; who is gone is told nothing more."""
        asked = self.bob.ask("session.sleep")
        self.assertEqual((self.bob.answer(asked), self.bob.connection.close_code), ({}, ASLEEP))
        self.assertEqual(self.world.services.bus.connected(self.bob.account), frozenset())  # type: ignore[arg-type]
        self.alice.write(self.chat, "hi")
        self.assertEqual(texts(self.bob.messages()), [])
        self.assertEqual(texts(self.bob.resume(self.bob.cursor).messages()), ["hi"])

    def test_without_an_id(self) -> None:
        """A notification does the same, without the answer."""
        self.bob.notify("session.sleep")
        self.assertEqual(self.bob.connection.close_code, ASLEEP)

    def test_before_a_login(self) -> None:
        """Who is nobody yet has nothing to come back to."""
        self.refused("not_authenticated", Client(self.world), "session.sleep")

    def test_what_was_asked_before(self) -> None:
        """It is answered first, and what is asked behind it is refused: nothing is done without an answer."""
        database = self.world.database
        database.hold_reads = True
        before, sleep = self.bob.ask("device.list"), self.bob.ask("session.sleep")
        database.hold_reads = False
        self.refused("wrong_state", self.bob, "contact.list")
        self.refused("wrong_state", self.bob, "session.sleep")
        self.assertEqual((self.bob.answer(sleep), self.bob.connection.close_code), (None, None))
        self.assertEqual(self.world.timers, [], "nobody looks again and again")
        database.answer_reads()
        self.assertTrue(self.bob.answer(before))
        self.assertEqual((self.bob.answer(sleep), self.bob.connection.close_code), ({}, ASLEEP))

    def test_what_waits_for_it(self) -> None:
        """A reader that is slow gets all of it first."""
        self.bob.connection.session.paused()
        self.alice.write(self.chat, "hi")
        self.bob.ask("session.sleep")
        self.world.settle(1)
        self.assertIsNone(self.bob.connection.close_code)
        self.bob.connection.session.resumed()
        self.assertEqual(texts(self.bob.messages()), ["hi"])
        self.assertEqual(self.bob.connection.close_code, ASLEEP)

    def test_while_it_catches_up(self) -> None:
        """What it missed comes first."""
        self.world.services.wakeable = lambda account, device: succeed(False)
        self.bob.drop()
        self.alice.write(self.chat, "hi")
        database = self.world.database
        database.hold_reads = True
        self.bob.connect()
        resumed = self.bob.ask("session.resume", token=self.bob.token, since=self.bob.cursor)
        database.answer_reads(1)
        self.assertTrue(self.bob.answer(resumed))
        asked = self.bob.ask("session.sleep")
        self.assertIsNone(self.bob.connection.close_code)
        database.hold_reads = False
        database.answer_reads()
        self.assertEqual(texts(self.bob.messages()), ["hi"])
        self.assertEqual((self.bob.answer(asked), self.bob.connection.close_code), ({}, ASLEEP))

    def test_gone_while_it_waits(self) -> None:
        """A connection that breaks while there is something for it leaves nothing behind either."""
        self.bob.connection.session.paused()
        self.alice.write(self.chat, "hi")
        self.bob.ask("session.sleep")
        self.bob.drop()
        self.world.settle(1)
        self.assertEqual((self.world.timers, self.flushLoggedErrors()), ([], []))

    def test_gone_meanwhile(self) -> None:
        """A connection that breaks before leaves nothing behind."""
        self.world.services.wakeable = lambda account, device: looking
        looking = Deferred[bool]()
        self.bob.ask("session.sleep")
        self.bob.drop()
        looking.callback(True)
        self.world.settle(1)
        self.assertEqual((self.world.timers, self.flushLoggedErrors()), ([], []))
        self.assertNotIn(self.bob.connection.session, self.world.services.sessions)


class TransferTests(FileCase):
    """A device that takes or brings a file has its connection for as long as that goes on."""

    def setUp(self) -> None:
        super().setUp()
        self.world.services.wakeable = lambda account, device: succeed(True)
        idling = Idling(self.world.services, Timeouts(self.world.clock))
        idling.start()
        self.addCleanup(idling.stop)
        for client in (self.alice, self.bob):
            client.notify("session.ack", cursor=self.world.cursor)

    def wait(self, seconds: float) -> None:
        self.world.clock.pump([1.0] * int(seconds))

    def closed(self) -> list[int | None]:
        return [client.connection.close_code for client in (self.alice, self.bob)]

    def test_upload(self) -> None:
        """From its first octet to its last, and then as long as after a command."""
        octets, part = bytes(3_000_000), 150_000
        ticket, path = self.create(len(octets))
        connection = self.begun(ticket, path, octets, part)
        for _ in range(len(octets) // part - 2):
            self.wait(20)
            connection.send(bytes(part))
        self.assertEqual(self.closed(), [None, ASLEEP])
        connection.send(bytes(part))
        self.assertIn(b"204 No Content", connection.sent())
        self.wait(IDLE - 2)
        self.assertEqual(self.closed(), [None, ASLEEP])
        self.wait(LATE)
        self.assertEqual(self.closed(), [ASLEEP, ASLEEP])

    def test_upload_that_breaks_off(self) -> None:
        """It holds nobody any more."""
        ticket, path = self.create(100_000)
        self.begun(ticket, path, bytes(100_000), 50_000).lose()
        self.wait(IDLE + LATE)
        self.assertEqual(self.closed(), [ASLEEP, ASLEEP])

    def test_download(self) -> None:
        """As long as its reader takes something of it."""
        path = self.link(self.bob, self.sent(bytes(4 * 1024**2))["id"])
        self.bob.notify("session.ack", cursor=self.world.cursor)
        connection, read = self.web.connect(), self.store.read

        def reading(blob: bytes, offset: int, size: int) -> bytes:
            connection.channel.pauseProducing()
            return bytes(read(blob, offset, size))

        self.store.read = reading
        connection.send(request("GET", path))
        for _ in range(3):
            self.wait(100)
            connection.channel.resumeProducing()
        self.assertEqual(self.closed(), [ASLEEP, None])
        connection.lose()
        self.wait(IDLE - 2)
        self.assertEqual(self.closed(), [ASLEEP, None])
        self.wait(LATE)
        self.assertEqual(self.closed(), [ASLEEP, ASLEEP])

    def test_download_that_is_refused(self) -> None:
        """Nothing is left of it."""
        message = self.sent(b"abc")["id"]
        path = self.link(self.bob, message)
        self.alice.call("message.delete", chat=self.chat, message=message)
        self.assertEqual(self.fetch(path).status, 404)
        self.assertLess(self.world.services.busy.last(self.bob.device), float("inf"))  # type: ignore[arg-type]


class ContactsSeeTests(PresenceCase):
    """A device that sleeps and can be woken is away: since it was used last, whatever wakes it."""

    def setUp(self) -> None:
        super().setUp()
        self.reachable = True
        self.world.services.wakeable = lambda account, device: succeed(self.reachable)

    def sleep(self, client: Client) -> None:
        client.notify("session.ack", cursor=self.world.cursor)
        client.call("session.sleep")
        self.wait()

    def wake(self, client: Client) -> None:
        """It comes because it was woken."""
        client.connect()
        client.call("session.resume", token=client.token, since=self.world.cursor, woken=True)
        self.wait()

    def test_asleep(self) -> None:
        """It is away, and seen last when it went."""
        self.sleep(self.bob)
        minute = int(self.world.clock.seconds() - 5) // 60 * 60_000
        self.assertEqual(
            self.told(self.alice)[-1]["changes"],
            [{"account": self.bob.account, "state": "away", "last_seen": minute}],
        )
        self.assertEqual(self.seen(self.alice, self.bob.account), {"state": "away", "last_seen": minute})

    def test_nothing_wakes_it(self) -> None:
        """Then it is offline, as any that has left."""
        self.reachable = False
        self.sleep(self.bob)
        self.assertEqual(self.states(self.alice), [("b", "offline")])

    def test_waking_is_not_seen(self) -> None:
        """Contacts are not told that something woke it, nor that it was there; a use they are told of."""
        self.sleep(self.bob)
        before = self.seen(self.alice, self.bob.account)
        self.told(self.alice)
        self.wait_long(600)
        for _ in range(3):
            self.wake(self.bob)
            self.bob.call("sync.start")
            self.wait_long()
            self.sleep(self.bob)
        self.bob.connection.lose()
        self.wake(self.bob)
        self.bob.drop()
        self.wait()
        self.assertEqual(self.told(self.alice), [])
        self.wake(self.bob)
        self.assertEqual(self.told(self.bob), [])
        self.assertEqual(self.seen(self.alice, self.bob.account), before)
        self.bob.call("device.list")
        self.wait()
        self.assertEqual(self.states(self.alice), [("b", "online")])
        self.assertEqual(self.states(self.bob), [("a", "away")])

    def test_since_it_was_used_last(self) -> None:
        """Not since it was put to sleep, which is later."""
        idling = Idling(self.world.services, Timeouts(self.world.clock))
        idling.start()
        self.addCleanup(idling.stop)
        self.bob.notify("session.ack", cursor=self.world.cursor)
        used = int(self.world.clock.seconds() // 60) * 60_000
        self.bob.call("device.list")
        self.wait_long()
        self.assertEqual(self.bob.connection.close_code, ASLEEP)
        self.assertEqual(self.seen(self.alice, self.bob.account), {"state": "away", "last_seen": used})

    def test_woken_and_put_away(self) -> None:
        """A client that says that nobody is there was not there for that."""
        self.sleep(self.bob)
        before = self.seen(self.alice, self.bob.account)
        self.wait_long(600)
        self.wake(self.bob)
        self.bob.call("presence.set", active=False)
        self.wait()
        self.assertEqual(self.seen(self.alice, self.bob.account), before)

    def test_revoked(self) -> None:
        """It sleeps no more: where no other device is there or sleeps, the account is offline."""
        tablet = self.world.login("bob")
        self.sleep(self.bob)
        tablet.call("device.revoke", device=self.bob.device)
        self.told(self.alice)
        tablet.drop()
        self.wait()
        self.assertEqual(self.states(self.alice), [("b", "offline")])

    def test_revoked_when_woken(self) -> None:
        """The same of one that is there because it was woken, and that nobody uses."""
        tablet = self.world.login("bob")
        self.sleep(self.bob)
        self.wake(self.bob)
        tablet.call("device.revoke", device=self.bob.device)
        self.told(self.alice)
        tablet.drop()
        self.wait()
        self.assertEqual(self.states(self.alice), [("b", "offline")])

    def test_makes_room(self) -> None:
        """The oldest device that is not connected goes where there are too many, with a login."""
        self.begin(World(devices=1))
        self.world.services.wakeable = lambda account, device: succeed(True)
        self.sleep(self.bob)
        self.assertEqual(self.states(self.alice), [("b", "away")])
        self.world.login("bob").drop()
        self.wait()
        self.assertEqual(self.states(self.alice)[-1], ("b", "offline"))

    def test_two_devices(self) -> None:
        """As long as one of them sleeps the account is away."""
        tablet = self.world.login("bob")
        self.sleep(self.bob)
        self.assertEqual(self.told(self.alice), [])
        tablet.drop()
        self.wait()
        self.assertEqual(self.states(self.alice), [("b", "away")])
        self.bob.resume()
        self.bob.drop()
        self.wait()
        self.assertEqual(self.states(self.alice)[-1], ("b", "offline"))
