"""A push to a client that believes itself connected: it looks whether it is."""

from safeum_home.client.abilities.sleeping import PROBE
from safeum_home.client.connection.requests import TIMEOUT
from safeum_home.client.events import Link
from safeum_home.errors import Code, Problem
from tests.client_double import BOB, CHAT, message
from tests.test_client_session import sent, started
from tests.test_client_sleeping import MSG, SleepCase


class HalfOpenTests(SleepCase):
    """Who is pushed to has no connection, as its node sees it, whatever the client believes."""

    def test_nobody_answers(self) -> None:
        """The connection is dropped for another one, and what waits is asked there."""
        answer = started(self.client.send(CHAT, "hi"))
        self.client.on_push(MSG)
        self.node.clock.advance(PROBE)
        self.assertEqual(self.links(), [Link.OFFLINE, Link.CONNECTING, Link.ONLINE])
        self.assertNotIn("woken", self.resumed())
        self.node.wire.reply(self.node.wire.of("chat.send")[0], sent(2))
        self.successResultOf(answer)
        self.assertEqual(self.node.wire.of("session.ack"), [])

    def test_put_away(self) -> None:
        """Where its program has said that nobody is there, nobody is for that."""
        self.client.set_active(False)
        self.client.on_push(MSG)
        self.node.clock.advance(PROBE)
        self.assertIs(self.resumed()["woken"], True)

    def test_something_comes(self) -> None:
        """A slow one that brings anything is alive: what was asked on it is waited for."""
        answer = started(self.client.accept(BOB))
        self.client.on_push(MSG)
        self.wire.event(message(1))
        self.node.clock.advance(PROBE)
        self.assertEqual((self.links(), len(self.node.wires)), ([], 1))
        self.wire.reply(self.wire.of("contact.accept")[0], {})
        self.successResultOf(answer)

    def test_refused(self) -> None:
        """An answer of any kind is one."""
        self.client.on_push(MSG)
        self.wire.reply(self.wire.of("session.ack")[0], Problem(Code.RATE_LIMITED))
        self.node.clock.advance(100)
        self.assertEqual((self.links(), len(self.node.wires)), ([], 1))

    def test_lost_meanwhile(self) -> None:
        """The connection after that one has nothing to do with it, nor is it kept from coming."""
        for seconds in (0.0, 1.0):
            self.client.on_push(MSG)
            self.node.wire.drop()
            self.node.clock.advance(seconds)
            self.client.retry()
            self.node.clock.advance(PROBE)
            self.resumed()
            self.node.clock.advance(100)
        self.assertEqual(len(self.node.wires), 3)

    def test_on_its_way(self) -> None:
        """A connection that is being made meanwhile is waited for."""
        self.client.on_push(MSG)
        self.node.waiting = []
        self.wire.drop()
        self.client.retry()
        self.node.clock.advance(PROBE)
        [dialled] = self.node.waiting
        dialled.callback(None)
        self.resumed()

    def test_two_pushes(self) -> None:
        """One connection is made for both."""
        self.client.on_push(MSG)
        self.node.clock.advance(PROBE / 2)
        self.client.on_push(MSG)
        self.node.clock.advance(100)
        self.assertEqual(len(self.node.wires), 2)

    def test_closed_meanwhile(self) -> None:
        """Then it is over."""
        self.client.on_push(MSG)
        self.client.close()
        self.node.clock.advance(100)
        self.assertEqual((self.links(), len(self.node.wires)), ([Link.CLOSED], 1))

    def test_going_to_sleep(self) -> None:
        """The node had it asleep, and its answer was lost: what it was woken for is fetched."""
        asleep = self.client.sleep()
        self.client.on_push(MSG)
        self.node.clock.advance(TIMEOUT)
        self.successResultOf(asleep)
        self.assertEqual(self.links(), [Link.ASLEEP, Link.CONNECTING, Link.ONLINE])
        self.assertIs(self.resumed()["woken"], True)
