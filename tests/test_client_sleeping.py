"""A client that sleeps: what puts it to sleep, what wakes it, and that nothing is lost or done twice."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from twisted.trial.unittest import SynchronousTestCase

from bridges.push.template import PAYLOADS
from safeum_home.client.errors import Disconnected, SessionEnded
from safeum_home.client.events import Link, LinkChanged
from safeum_home.client.session import Client
from safeum_home.errors import Code, Problem
from safeum_home.ports.push import Wake
from safeum_home.protocol.events import Sleep
from safeum_home.protocol.push import Payload, read_wake
from safeum_home.protocol.types import Message
from tests.client_double import BOB, CHAT, FakeNode, FakeWire, cursor, message, opened
from tests.test_client_session import sent, started

ASLEEP = 4012
MSG = b'{"wake":"msg","pad":"000"}'


class SleepCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.node = FakeNode()
        self.client = self.node.client
        self.heard: list[Struct | LinkChanged] = []
        self.wire = self.node.login()
        self.client.listen(self.heard.append)

    def links(self) -> list[Link]:
        return [event.link for event in self.heard if isinstance(event, LinkChanged)]

    def slept(self) -> None:
        """The node puts the device to sleep."""
        self.node.wire.event(Sleep())
        self.node.wire.drop(ASLEEP)
        self.assertEqual(self.links()[-1], Link.ASLEEP)

    def resumed(self) -> dict[str, Any]:
        """The only resumption on a new connection."""
        self.assertEqual(self.links()[-1], Link.ONLINE)
        [resume] = self.node.wire.of("session.resume")
        params: dict[str, Any] = resume["params"]
        return params


class AsleepTests(SleepCase):
    def test_stays_away(self) -> None:
        """Put to sleep, it does not come back by itself, however long it takes."""
        self.slept()
        self.node.clock.advance(100_000)
        self.assertEqual((len(self.node.wires), self.node.clock.getDelayedCalls()), (1, []))

    def test_woken_by_its_user(self) -> None:
        """It goes on from where it was, with the token that it kept."""
        self.wire.event(message(1))
        self.slept()
        self.client.wake()
        resume = self.resumed()
        self.assertEqual((resume["since"], "woken" in resume), (cursor(1), False))

    def test_woken_by_a_push(self) -> None:
        """It says so: nobody is there, for all that it knows."""
        self.slept()
        self.assertIs(self.client.on_push(MSG), Wake.MESSAGE)
        self.assertIs(self.resumed()["woken"], True)
        self.node.wire.drop()
        self.node.clock.advance(1)
        self.assertNotIn("woken", self.resumed())

    def test_a_push_while_it_is_there(self) -> None:
        """The node is asked whether it is there; as it is nothing changes, nor what is said the next time."""
        self.assertIs(self.client.on_push(MSG), Wake.MESSAGE)
        [probe] = self.wire.requests[1:]
        self.assertEqual((probe["method"], probe["params"]), ("session.ack", {"cursor": cursor(0)}))
        self.wire.reply(probe, {})
        self.node.clock.advance(100)
        self.assertEqual((self.links(), len(self.node.wires)), ([], 1))
        self.wire.drop()
        self.node.clock.advance(1)
        self.assertNotIn("woken", self.resumed())

    def test_a_push_while_it_waits(self) -> None:
        """Whoever waits for the network comes at once."""
        self.wire.drop()
        self.client.on_push(MSG)
        self.resumed()

    def test_what_is_no_wake(self) -> None:
        """A push of somebody else's wakes nobody."""
        self.slept()
        payloads: tuple[Payload, ...]
        payloads = (b"", b"{}", b"[]", "wake", b'{"wake":1}', b'{"wake":""}', b"\xff", b"[" * 4000, {})
        for payload in payloads:
            self.assertIsNone(self.client.on_push(payload))
        self.assertEqual(self.links()[-1], Link.ASLEEP)

    def test_what_wakes(self) -> None:
        """Each command, typing, and saying that somebody is there; not that nobody is."""
        uses: tuple[Callable[[Client], object], ...] = (
            lambda client: client.typing(CHAT),
            lambda client: client.set_active(True),
            lambda client: client.retry(),
            lambda client: client.devices(),
        )
        for use in uses:
            self.slept()
            self.client.set_active(False)
            self.assertEqual(self.links()[-1], Link.ASLEEP)
            use(self.client)
            self.resumed()

    def test_used_while_a_push_wakes_it(self) -> None:
        """Then somebody is there."""
        self.node.waiting = []
        self.slept()
        self.client.on_push(MSG)
        started(self.client.send(CHAT, "hi"))
        self.node.waiting[0].callback(None)
        self.assertNotIn("woken", self.resumed())

    def test_a_command_waits_for_the_connection(self) -> None:
        """It is written once there is one."""
        self.slept()
        answer = started(self.client.accept(BOB))
        [request] = self.node.wire.of("contact.accept")
        self.node.wire.reply(request, {})
        self.successResultOf(answer)

    def test_what_was_not_answered(self) -> None:
        """The node had not done it: so it is asked for again at once, whatever it is, and once."""
        answer = started(self.client.accept(BOB))
        self.wire.drop(ASLEEP)
        self.assertEqual(self.links(), [Link.ASLEEP, Link.CONNECTING, Link.ONLINE])
        [request] = self.node.wire.of("contact.accept")
        self.node.wire.reply(request, {})
        self.successResultOf(answer)

    def test_no_network_when_woken(self) -> None:
        """It tries on as ever."""
        self.slept()
        self.node.down = True
        self.client.wake()
        self.assertEqual(self.links()[-1], Link.OFFLINE)
        self.node.down = False
        self.node.clock.advance(60)
        self.resumed()

    def test_closed(self) -> None:
        """One that sleeps can be closed, and is not woken then."""
        self.slept()
        self.successResultOf(self.client.close())
        self.client.wake()
        self.client.on_push(MSG)
        self.assertEqual((self.links()[-1], len(self.node.wires)), (Link.CLOSED, 1))
        self.failureResultOf(started(self.client.devices()), SessionEnded)

    def test_logging_out(self) -> None:
        """It comes back for that."""
        self.slept()
        gone = self.client.logout()
        self.node.wire.reply(self.node.wire.of("session.logout")[0], {})
        self.successResultOf(gone)
        self.assertEqual(self.links()[-1], Link.CLOSED)

    def test_an_application_that_is_behind(self) -> None:
        """What it had no room for is with the node: it is fetched as soon as there is room."""
        stream = self.client.events(limit=2)
        for number in (1, 2, 3):
            self.wire.event(message(number))
        self.slept()
        self.assertEqual(len(self.node.wires), 1)
        first = [self.successResultOf(stream.__anext__()).id for _ in range(2)]  # type: ignore[attr-defined]
        self.assertEqual(self.resumed()["since"], cursor(2))
        self.node.wire.event(message(3))
        third = self.successResultOf(stream.__anext__()).id  # type: ignore[attr-defined]
        self.assertEqual([*first, third], [cursor(number) for number in (1, 2, 3)])


class GoingTests(SleepCase):
    """`sleep`, as the program calls it."""

    def answer(self, wire: FakeWire, answer: Any = None) -> None:
        wire.reply(wire.of("session.sleep")[0], {} if answer is None else answer)

    def test_asks_the_node(self) -> None:
        """What it holds is told first; it is asleep when the node has closed."""
        self.wire.event(message(1))
        asleep = self.client.sleep()
        self.assertEqual(self.wire.methods()[-2:], ["session.ack", "session.sleep"])
        self.assertNoResult(asleep)
        self.answer(self.wire)
        self.successResultOf(asleep)
        self.assertEqual(self.links(), [Link.ASLEEP])

    def test_a_command_meanwhile(self) -> None:
        """It is not written on this connection any more, and brings the client back."""
        self.client.sleep()
        answer = started(self.client.accept(BOB))
        self.assertEqual(self.wire.of("contact.accept"), [])
        self.answer(self.wire)
        [request] = self.node.wire.of("contact.accept")
        self.node.wire.reply(request, {})
        self.successResultOf(answer)

    def test_a_node_that_does_not_know_it(self) -> None:
        """Then it leaves without; what the node may have done is not done again."""
        doubtful = started(self.client.accept(BOB))
        asleep = self.client.sleep()
        self.answer(self.wire, Problem(Code.METHOD_NOT_FOUND))
        self.successResultOf(asleep)
        self.failureResultOf(doubtful, Disconnected)
        self.assertEqual((self.links(), self.wire.closed_with), ([Link.ASLEEP], 1000))

    def test_the_connection_breaks(self) -> None:
        """It sleeps all the same, and does not come back for that."""
        asleep = self.client.sleep()
        self.wire.drop()
        self.successResultOf(asleep)
        self.node.clock.advance(1000)
        self.assertEqual((self.links()[-1], len(self.node.wires)), (Link.ASLEEP, 1))

    def test_put_to_sleep_before_it_is_asked(self) -> None:
        """Then it is as it wishes: it does not come back to say so."""
        self.wire.event(Sleep())
        asleep = self.client.sleep()
        self.wire.drop(ASLEEP)
        self.successResultOf(asleep)
        self.node.clock.advance(1000)
        self.assertEqual((self.links(), len(self.node.wires)), ([Link.ASLEEP], 1))

    def test_no_answer(self) -> None:
        """After the time of a command it leaves without."""
        asleep = self.client.sleep()
        self.node.clock.advance(31)
        self.successResultOf(asleep)
        self.assertEqual(self.links(), [Link.ASLEEP])

    def test_without_a_connection(self) -> None:
        """It waits no more for one: offline, connecting, or showing its token."""
        for step in range(3):
            node = FakeNode()
            wire = node.login()
            if step == 1:
                node.waiting = []
            elif step == 2:
                del node.answers["session.resume"]
            wire.drop()
            if step:
                node.clock.advance(1)
            self.successResultOf(node.client.sleep())
            node.clock.advance(1000)
            self.assertEqual(node.clock.getDelayedCalls(), [])
            self.assertTrue(all(each.closed_with is not None for each in node.wires))

    def test_before_the_login(self) -> None:
        """There is nothing that could come back."""
        node = FakeNode()
        self.successResultOf(node.client.sleep())
        node.login()

    def test_once_more(self) -> None:
        """It is as it was."""
        self.client.sleep()
        self.answer(self.wire)
        self.successResultOf(self.client.sleep())
        self.assertEqual((self.links(), len(self.node.wires)), ([Link.ASLEEP], 1))


class _Node(FakeNode):
    """Keeps what was sent, and tells again what was missed before anything else."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Message] = []
        self.sent: dict[str, str] = {}
        self.live = True
        self.dead: list[FakeWire] = []
        self.answers |= {
            "session.resume": self._resume,
            "session.sleep": lambda params: {},
            "chat.send": self._send,
        }

    def _resume(self, params: dict[str, Any]) -> Any:
        wire, since = self.wire, params["since"]
        self.live = False
        self.clock.callLater(0, lambda: self._catch_up(wire, 0 if since is None else int(since)))
        return opened(int(since or 0), None)

    def _catch_up(self, wire: FakeWire, since: int) -> None:
        if wire.closed_with is None and wire not in self.dead:
            self.live = True
            for event in self.events[since:]:
                wire.event(event)

    def _send(self, params: dict[str, Any]) -> Any:
        self.sent.setdefault(params["client_id"], params["body"]["text"])
        return sent(1000 + len(self.sent))

    def happens(self) -> None:
        """Somebody writes."""
        self.events.append(message(len(self.events) + 1))
        if self.live and self.wire.closed_with is None:
            self.wire.event(self.events[-1])

    def halves(self) -> None:
        """The connection is over, and the client does not know."""
        self.live = False
        self.dead.append(self.wire)
        self.wire.send = lambda payload: None  # type: ignore[method-assign]


class StoryTests(SynchronousTestCase):
    steps = st.sampled_from(["slept", "sleep", "push", "wake", "lost", "half", "send", "event", "wait"])

    @given(st.lists(steps))
    def test_exactly_once(self, steps: list[str]) -> None:
        """Whatever happens in whatever order: each event is handed out once, each message sent once.

        At the latest a while after a push: it is for that, that there is one.
        """
        node, wanted = _Node(), list[str]()
        heard: list[str] = []
        node.client.listen(lambda event: heard.append(event.id) if isinstance(event, Message) else None)
        node.login()

        def write() -> None:
            wanted.append(f"text {len(wanted)}")
            started(node.client.send(CHAT, wanted[-1]))

        def drop(code: int) -> None:
            if node.wire.closed_with is None:
                node.live = False
                node.wire.drop(code)

        does: dict[str, Callable[[], object]] = {
            "slept": lambda: drop(ASLEEP),
            "lost": lambda: drop(1006),
            "half": node.halves,
            "sleep": node.client.sleep,
            "push": lambda: node.client.on_push(MSG),
            "wake": node.client.wake,
            "send": write,
            "event": node.happens,
            "wait": lambda: node.clock.advance(1),
        }
        for step in steps:
            does[step]()
        node.client.on_push(MSG)
        node.clock.pump([1.0] * 70)
        self.assertEqual(heard, [event.id for event in node.events])
        self.assertEqual(sorted(node.sent.values()), sorted(wanted))
        node.client.close()


class PayloadTests(SynchronousTestCase):
    def test_as_it_comes(self) -> None:
        """As octets, a text, or taken apart; with whatever else is in it."""
        for payload in (MSG, MSG.decode(), json.loads(MSG), {"aps": {"alert": {}}, "wake": "msg"}):
            self.assertIs(read_wake(payload), Wake.MESSAGE)
        self.assertIs(read_wake(b'{"wake":"call"}'), Wake.CALL)

    def test_of_a_newer_node(self) -> None:
        """There is something to fetch, whatever it is."""
        self.assertIs(read_wake(b'{"wake":"voicemail"}'), Wake.MESSAGE)

    def test_what_providers_are_given(self) -> None:
        """The bridges' templates are read."""
        self.assertEqual([read_wake(PAYLOADS[wake]) for wake in Wake], list(Wake))

    @given(st.binary() | st.text() | st.dictionaries(st.text(), st.integers() | st.text()))
    def test_anything(self, payload: Any) -> None:
        """Nothing else gets out."""
        self.assertIn(read_wake(payload), (None, *Wake))
