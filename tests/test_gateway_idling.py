"""Devices that nobody uses: which of them are put to sleep, when, and what keeps them awake."""

from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.errors import Code, Problem
from safeum_home.gateway import idling
from safeum_home.gateway.idling import Idling
from safeum_home.gateway.timers import Timeouts
from safeum_home.ids import AccountId, DeviceId
from safeum_home.protocol.commands import COMMANDS
from tests.world import Client, World, texts

IDLE = 180.0
LATE = 16.0
"""So much later than told a device is put to sleep at the most."""
ASLEEP = 4012


class IdleCase(SynchronousTestCase):
    """Alice and Bob are contacts. Bob can be woken, until a test says otherwise."""

    def setUp(self) -> None:
        self.start()

    def start(self, **limits: Any) -> None:
        self.world = World(**limits)
        self.alice, self.bob = self.world.register("alice"), self.world.register("bob")
        self.chat = self.world.befriend(self.alice, self.bob)
        self.wakeable: dict[str, Any] = {self.bob.device: lambda: succeed(True)}
        self.asked: list[str] = []
        self.world.services.wakeable = self._wakeable
        self.idling = Idling(self.world.services, Timeouts(self.world.clock))
        self.idling.start()
        self.addCleanup(self.idling.stop)
        self.addCleanup(lambda: self.assertEqual(self.world.late, []))
        for client in (self.alice, self.bob):
            self.has_all(client)

    def has_all(self, client: Client) -> None:
        """A client says that it holds all that it was sent."""
        client.notify("session.ack", cursor=self.world.cursor)

    async def _wakeable(self, account: str, device: str) -> bool:
        self.asked.append(device)
        answer: bool = await self.wakeable.get(device, lambda: succeed(False))()
        return answer

    def wait(self, seconds: float) -> None:
        self.world.clock.pump([0.25] * int(seconds / 0.25))

    def closed(self, client: Client) -> int | None:
        return client.connection.close_code

    def results(self, work: Any) -> list[Any]:
        """What a coroutine that does not wait returns."""
        return [self.successResultOf(Deferred.fromCoroutine(work))]

    def limit(self, name: str, value: str) -> None:
        self.world.domain.control.limits.set(name, value)


class SleepTests(IdleCase):
    def test_told_and_closed(self) -> None:
        """After the time it is told to sleep and closed, whatever it does about that; nothing follows."""
        self.wait(IDLE - 1)
        self.assertIsNone(self.closed(self.bob))
        self.wait(LATE)
        told = [each for each in self.bob.take() if each["method"].startswith("session")]
        self.assertEqual(told, [{"jsonrpc": "2.0", "method": "session.sleep", "params": {}}])
        connection = self.bob.connection
        expected = (ASLEEP, "asleep: come back when woken or used")
        self.assertEqual((connection.close_code, connection.close_reason), expected)
        self.alice.call("chat.send", **self.alice.message(self.chat, "too late"))
        self.assertEqual(self.bob.take(), [])

    def test_resumes_exactly(self) -> None:
        """What was sent, edited and deleted meanwhile is told as it is then, once."""
        self.wait(IDLE + LATE)
        cursor = self.bob.cursor
        sent = [self.alice.write(self.chat, text)["id"] for text in ("1", "2", "3")]
        body = {"kind": "text", "text": "2, edited"}
        self.alice.call("message.edit", chat=self.chat, message=sent[1], body=body)
        self.alice.call("message.delete", chat=self.chat, message=sent[2])
        messages = [each["params"] for each in self.bob.resume(cursor).take("chat.message")]
        told = {each["id"]: each["body"].get("text") for each in messages if each["id"] in sent}
        self.assertEqual(told, dict(zip(sent, ("1", "2, edited", None), strict=True)))
        self.alice.write(self.chat, "4")
        self.assertEqual(texts(self.bob.messages()), ["4"])

    def test_gone_from_the_moment_on(self) -> None:
        """It counts as connected no more when it was told, though closing takes a while."""
        connected = self.world.services.bus.connected
        told: list[frozenset[DeviceId]] = []
        connection: Any = self.bob.connection
        self.patch(connection, "close", lambda code, reason: told.append(connected(self.bob.account)))  # type: ignore[arg-type]
        self.wait(IDLE + LATE)
        self.assertEqual(told, [frozenset()])

    def test_used(self) -> None:
        """Each use begins the time anew."""
        for _ in range(4):
            self.wait(IDLE - 1)
            self.bob.call("device.list")
        self.assertIsNone(self.closed(self.bob))
        self.wait(IDLE + LATE)
        self.assertEqual(self.closed(self.bob), ASLEEP)

    def test_what_clients_do_by_themselves(self) -> None:
        """No use is what no person asked for; that somebody is there is one, when the client says so."""
        for _ in range(3):
            self.wait(IDLE / 3)
            self.bob.call("sync.start")
            self.bob.call("presence.get", accounts=[self.alice.account])
            self.bob.call("presence.set", active=False)
            self.bob.notify("session.ack", cursor=self.world.cursor)
        self.wait(LATE)
        self.assertEqual(self.closed(self.bob), ASLEEP)
        self.bob.resume()
        for _ in range(5):
            self.wait(60)
            self.bob.call("presence.set", active=True)
        self.assertIsNone(self.closed(self.bob))

    def test_the_commands_that_are_no_use(self) -> None:
        """Whoever adds a command decides: what clients ask on their own keeps no device awake."""
        passive = {method for method, command in COMMANDS.items() if not command.activity}
        expected = """session.ack session.sleep presence.set presence.get sync.start chat.list contact.list
            contacts.sync contacts.directory contacts.page profile.get profile.avatar.get group.avatar.get
            group.members group.invitations group.readers message.reactions chat.pinned file.download
            push.providers push.get keys.publish keys.query keys.launch turn.credentials
            call.ringing call.signal call.alive conference.get balance.get voucher.keys premium.get
            balance.ways
            telephone.list telephone.missed telephone.dtmf voicemail.get voicemail.greeting.get
            vault.get vault.put"""
        self.assertEqual(passive, set(expected.split()))


class AwakeTests(IdleCase):
    def test_without_push(self) -> None:
        """A device that nothing can wake stays, and is not asked about again before it was used."""
        self.wait(10 * IDLE)
        self.assertIsNone(self.closed(self.alice))
        self.assertEqual(self.asked.count(self.alice.device), 1)
        self.alice.call("device.list")
        self.wait(2 * IDLE)
        self.assertEqual(self.asked.count(self.alice.device), 2)
        self.wakeable[self.alice.device] = lambda: succeed(True)
        self.alice.call("device.list")
        self.wait(IDLE + LATE)
        self.assertEqual(self.closed(self.alice), ASLEEP)

    def test_without_push_as_the_operator_likes(self) -> None:
        """Where he wants them to sleep too, they do."""
        self.wait(2 * IDLE)
        self.limit("idle_without_push", "sleep")
        self.wait(LATE)
        self.assertEqual(self.closed(self.alice), ASLEEP)

    def test_catching_up(self) -> None:
        """A device that is sent what it missed is left alone, however long that takes."""
        self.bob.drop()
        self.alice.write(self.chat, "1")
        read = Deferred[Any]()
        page, self.world.services.missed = self.world.services.missed, lambda account, after: read
        self.bob.resume(self.bob.cursor)
        self.wait(3 * IDLE)
        self.assertIsNone(self.closed(self.bob))
        [missed] = self.results(page(AccountId(self.bob.account), 0))
        read.callback(missed)
        sent = self.bob.messages()
        self.assertEqual(texts(sent), ["1"])
        self.bob.call("session.ack", cursor=sent[0]["id"])
        self.wait(LATE)
        self.assertEqual(self.closed(self.bob), ASLEEP)

    def test_not_acknowledged(self) -> None:
        """Whoever has not said that it holds what it was sent may not have it, and nothing would wake it."""
        sent = self.alice.write(self.chat, "1")["id"]
        self.wait(3 * IDLE)
        self.assertIsNone(self.closed(self.bob))
        self.bob.call("session.ack", cursor=sent)
        self.wait(LATE)
        self.assertEqual(self.closed(self.bob), ASLEEP)

    def test_slow_reader(self) -> None:
        """A close would drop what waits for it."""
        self.bob.connection.session.paused()
        self.wait(2 * IDLE)
        self.assertIsNone(self.closed(self.bob))
        self.bob.connection.session.resumed()
        self.wait(LATE)
        self.assertEqual(self.closed(self.bob), ASLEEP)

    def test_a_command_under_way(self) -> None:
        """It is answered before, however long that takes."""
        self.world.database.hold_reads = True
        asked = self.bob.ask("device.list")
        self.wait(2 * IDLE)
        self.assertIsNone(self.closed(self.bob))
        self.world.database.hold_reads = False
        self.world.database.answer_reads()
        self.wait(LATE)
        self.assertTrue(self.bob.answer(asked))
        self.assertEqual(self.closed(self.bob), ASLEEP)

    def test_used_while_it_is_looked_up(self) -> None:
        """Whether it can be woken may take a while to be known: whoever was used by then stays."""
        looking = Deferred[bool]()
        self.wakeable[self.bob.device] = lambda: looking
        self.wait(IDLE + LATE)
        self.bob.call("device.list")
        looking.callback(True)
        self.assertIsNone(self.closed(self.bob))
        self.wakeable[self.bob.device] = lambda: succeed(True)
        self.wait(IDLE + LATE)
        self.assertEqual(self.closed(self.bob), ASLEEP)

    def test_gone_while_it_is_looked_up(self) -> None:
        """Nothing becomes of it, and the round goes on."""
        looking = Deferred[bool]()
        self.wakeable[self.bob.device] = lambda: looking
        self.wait(IDLE + LATE)
        self.bob.drop()
        looking.callback(True)
        self.wait(IDLE)
        self.assertIsNone(self.closed(self.bob))

    def test_busy(self) -> None:
        """What holds it keeps it awake, all of it together; then the time begins."""
        busy, device = self.world.services.busy, DeviceId(self.bob.device)
        first, second = busy.hold(device), busy.hold(device)
        self.wait(2 * IDLE)
        first.end()
        first.end()
        self.wait(IDLE)
        second.end()
        self.wait(IDLE - 1)
        self.assertIsNone(self.closed(self.bob))
        self.wait(LATE)
        self.assertEqual(self.closed(self.bob), ASLEEP)


class LimitTests(IdleCase):
    def test_never(self) -> None:
        """With 0 nobody is put to sleep; what is changed is in force with the next round."""
        self.start(idle_seconds=0.0)
        self.wait(10 * IDLE)
        self.assertEqual((self.closed(self.bob), self.asked), (None, []))
        self.limit("idle_seconds", "4000")
        self.wait(LATE)
        self.assertIsNone(self.closed(self.bob))
        self.limit("idle_seconds", "60")
        self.wait(LATE)
        self.assertEqual(self.closed(self.bob), ASLEEP)

    def test_short(self) -> None:
        """Rounds come as often as the time asks for."""
        self.start(idle_seconds=3.0)
        self.wait(3.75)
        self.assertEqual(self.closed(self.bob), ASLEEP)

    def test_the_clock_is_set_forward(self) -> None:
        """Nor is it put to sleep for time that nobody has seen go by, be it in use or not."""
        self.wait(10)
        self.bob.call("device.list")
        self.world.clock.rightNow += 600
        self.wait(IDLE - LATE)
        self.assertIsNone(self.closed(self.bob))
        self.wait(2 * LATE)
        self.assertEqual(self.closed(self.bob), ASLEEP)

    def test_the_clock_is_set_back(self) -> None:
        """A device is not awake for as long as the clock was ahead."""
        self.idling._since = self.world.clock.seconds() + 5000
        self.bob.connection.session._device.used_at += 5000  # type: ignore[union-attr]
        self.wait(IDLE + 2 * LATE)
        self.assertEqual(self.closed(self.bob), ASLEEP)

    def test_lookups_that_fail(self) -> None:
        """The next round looks again; what is no outage is logged."""
        self.wakeable[self.bob.device] = lambda: fail(Problem(Code.STORAGE_UNAVAILABLE))
        self.wait(IDLE + LATE)
        self.assertEqual(self.flushLoggedErrors(), [])
        self.wakeable[self.bob.device] = lambda: fail(ZeroDivisionError())
        self.wait(LATE)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertIsNone(self.closed(self.bob))
        self.wakeable[self.bob.device] = lambda: succeed(True)
        self.wait(LATE)
        self.assertEqual(self.closed(self.bob), ASLEEP)

    def test_many(self) -> None:
        """All are looked at, a part of them in each turn."""
        self.patch(idling, "_AT_ONCE", 2)
        clients = [self.world.login("bob") for _ in range(9)]
        for client in clients:
            self.wakeable[client.device] = lambda: succeed(True)
        for client in (self.bob, *clients):
            self.has_all(client)
        self.wait(IDLE + 2 * LATE)
        self.assertEqual([self.closed(client) for client in clients], [ASLEEP] * 9)

    def test_stopped(self) -> None:
        """Nothing is left behind, and nobody is put to sleep any more."""
        looking = Deferred[bool]()
        self.wakeable[self.bob.device] = lambda: looking
        self.wait(IDLE + LATE)
        self.idling.stop()
        looking.callback(True)
        self.assertIsNone(self.closed(self.bob))
        self.assertEqual(self.world.timers, [])
