"""The load generator: what it counts, and what it refuses to count."""

from array import array
from collections import deque
from typing import cast
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bench.both_ways import node_flows, relay_flows
from bench.failure import Failure
from bench.fan_out import Ear, FanOut, NodeFanOut, RelayFanOut
from bench.flows import ACK_EVERY, BODY, FIRST, Flow, NodeFlow, RelayFlow
from bench.framing import PING, TEXT, frame, split
from bench.meter import percentile
from bench.profile import flat
from bench.queued import Queued
from bench.required import missed
from bench.wire import Line, OnFrames
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, Cursor, direct_chat_id
from safeum_home.protocol import frames
from safeum_home.protocol.commands import ChatSend, Sent, SessionAck
from safeum_home.protocol.types import Message, Text

ALICE, BOB = AccountId("@" + "a" * 26 + ":localhost"), AccountId("@" + "b" * 26 + ":localhost")
CHAT = direct_chat_id(ALICE, BOB)


class FakeLine:
    """A line that keeps what is sent on it."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.inbox: deque[bytes] = deque()
        self.on_frames: OnFrames = lambda data, spans: None

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def receive(self, *payloads: bytes) -> None:
        """Bring in server frames, all in one buffer."""
        data = b"".join(map(frames.text_frame, payloads))
        self.on_frames(data, split(data)[0])

    def payloads(self) -> list[bytes]:
        """What was sent, without WebSocket's frames: as a server would see it, the mask being zero."""
        found, data = [], b"".join(self.sent)
        while data:
            size, start = data[1] & 0x7F, 2
            if size == 126:
                size, start = int.from_bytes(data[2:4], "big"), 4
            assert data[0] == TEXT and data[1] & 0x80 and data[start : start + 4] == bytes(4)
            found.append(data[start + 4 : start + 4 + size])
            data = data[start + 4 + size :]
        return found


def event(number: int) -> bytes:
    """The event of the message with this number."""
    text = Text(f"{number:010d}" + "x" * (BODY - 10))
    return frames.encode_event(Message(Cursor(f"{number:022d}"), CHAT, ALICE, 1_700_000_000_000, text))


def result(number: int) -> bytes:
    return frames.encode_result(number, Sent(Cursor(f"{number:022d}"), 1_700_000_000_000))


class FramingTests(SynchronousTestCase):
    """What a server writes is taken apart, wherever the network cuts it."""

    @given(st.lists(st.binary(max_size=70_000), max_size=4), st.data())
    def test_frames_come_out_whole(self, payloads: list[bytes], data: st.DataObject) -> None:
        stream = b"".join(map(frames.text_frame, payloads))
        cut = data.draw(st.integers(0, len(stream)))
        first = stream[:cut]
        spans, _, end = split(first)
        rest = first[end:] + stream[cut:]
        more, _, after = split(rest)
        found = [first[start:stop] for start, stop in spans] + [rest[start:stop] for start, stop in more]
        self.assertEqual((found, rest[after:]), (payloads, b""))

    def test_other_frames_are_told_apart(self) -> None:
        spans, others, end = split(b"\x89\x02hi" + frames.text_frame(b"text"))
        self.assertEqual((spans, others, end), ([(6, 10)], [(PING, b"hi")], 10))

    @given(st.binary(max_size=70_000))
    def test_client_frames_have_a_zero_mask(self, payload: bytes) -> None:
        written = frame(payload)
        self.assertEqual(written[-len(payload) or len(written) :], payload)
        self.assertEqual(written[len(written) - len(payload) - 4 : len(written) - len(payload)], bytes(4))


class NodeFlowTests(SynchronousTestCase):
    """A message is done when it is received and acknowledged, and not before."""

    def setUp(self) -> None:
        self.sender, self.recipient = FakeLine(), FakeLine()
        self.flow: Flow = NodeFlow(cast(Line, self.sender), cast(Line, self.recipient), CHAT, "cafe")
        self.flow.meter.measuring = True

    def test_messages_are_the_protocols(self) -> None:
        self.flow.push(2, 0.0)
        calls = [frames.decode(payload) for payload in self.sender.payloads()]
        self.assertEqual([call.request_id for call in calls], [FIRST, FIRST + 1])
        params = [cast(ChatSend, call.params) for call in calls]
        ids = [UUID(call.client_id) for call in params]
        self.assertEqual([(one.version, one.node) for one in ids], [(7, FIRST), (7, FIRST + 1)])
        self.assertEqual({str(one)[15:21] for one in ids}, {"caf-8e"})
        self.assertEqual([len(cast(Text, call.body).text) for call in params], [BODY, BODY])

    def test_done_when_both_sides_have_it(self) -> None:
        self.flow.push(2, 0.0)
        self.recipient.receive(event(FIRST))
        self.sender.receive(result(FIRST + 1))
        self.assertEqual((self.flow.meter.count, self.flow.under_way), (0, 2))
        self.sender.receive(result(FIRST))
        self.recipient.receive(event(FIRST + 1))
        self.assertEqual((self.flow.meter.count, self.flow.under_way), (2, 0))

    def test_refilled(self) -> None:
        self.flow.refill = True
        self.flow.push(2, 0.0)
        self.sender.receive(result(FIRST), result(FIRST + 1))
        self.recipient.receive(event(FIRST), event(FIRST + 1))
        self.assertEqual((self.flow.under_way, len(self.sender.sent)), (2, 2))

    def test_other_events_do_not_count(self) -> None:
        self.flow.push(1, 0.0)
        self.sender.receive(frames.notification("chat.receipt", b"{}"))
        self.recipient.receive(frames.notification("contact.changed", b"{}"))
        self.assertEqual(self.flow.under_way, 1)

    def test_doubled_lost_and_refused_messages_fail(self) -> None:
        refusal = frames.encode_problem(FIRST, Problem(Code.BUSY))
        for side, payloads in (
            ("recipient", [event(FIRST), event(FIRST)]),
            ("recipient", [event(FIRST + 1)]),
            ("recipient", [event(FIRST).replace(b"xx", b"xy")]),
            ("sender", [result(FIRST), result(FIRST)]),
            ("sender", [refusal]),
        ):
            self.setUp()
            self.flow.push(2, 0.0)
            self.assertRaises(Failure, getattr(self, side).receive, *payloads)

    def test_the_recipient_says_what_it_holds(self) -> None:
        self.flow.push(ACK_EVERY + 1, 0.0)
        for number in range(ACK_EVERY + 1):
            self.recipient.receive(event(FIRST + number))
        for _ in range(2):
            self.flow.tick()
        cursors = [
            cast(SessionAck, frames.decode(payload).params).cursor for payload in self.recipient.payloads()
        ]
        held = [FIRST + ACK_EVERY - 1, FIRST + ACK_EVERY]
        self.assertEqual(cursors, [f"{number:022d}" for number in held])


class BothWaysTests(SynchronousTestCase):
    """Two people write to each other, each over one line."""

    def test_a_nodes(self) -> None:
        """What comes on a line is an answer to what was sent on it, or what the other one has sent."""
        lines = FakeLine(), FakeLine()
        flows = node_flows(cast(Line, lines[0]), cast(Line, lines[1]), CHAT, "cafe")
        for flow in flows:
            flow.meter.measuring = True
            flow.push(1, 0.0)
        lines[0].receive(result(FIRST), event(FIRST))
        self.assertEqual([flow.under_way for flow in flows], [1, 1])
        lines[1].receive(event(FIRST), result(FIRST))
        self.assertEqual([flow.under_way for flow in flows], [0, 0])
        self.assertEqual([flow.meter.count for flow in flows], [1, 1])
        self.assertRaises(Failure, lines[1].receive, event(FIRST))

    def test_the_relays(self) -> None:
        lines = FakeLine(), FakeLine()
        flows = relay_flows(cast(Line, lines[0]), cast(Line, lines[1]))
        for flow in flows:
            flow.push(1, 0.0)
        for line, other in (lines, reversed(lines)):
            line.receive(*other.payloads())
        self.assertEqual([flow.under_way for flow in flows], [0, 0])


class QueuedTests(SynchronousTestCase):
    """Messages for somebody who is away, and comes back."""

    def test_they_come_at_last(self) -> None:
        """So many are sent as were asked for, a few at a time; what came with the session counts, too."""
        sender, recipient = FakeLine(), FakeLine()
        flow = Queued(cast(Line, sender), CHAT, "cafe", 0)
        flow.meter.measuring = True
        flow.send_up_to(3, 2)
        self.assertEqual(len(sender.payloads()), 2)
        sender.receive(result(FIRST), result(FIRST + 1))
        sender.receive(result(FIRST + 2))
        self.assertEqual((flow.stored, flow.under_way, len(sender.payloads())), (3, 3, 3))
        recipient.inbox.append(event(FIRST))
        flow.receive_on(cast(Line, recipient))
        recipient.receive(event(FIRST + 1), event(FIRST + 2))
        self.assertEqual(flow.under_way, 0)
        self.assertRaises(Failure, recipient.receive, event(FIRST + 2))


class RelayFlowTests(SynchronousTestCase):
    """The relay's messages are done when they arrive."""

    def test_done_on_arrival(self) -> None:
        sender, recipient = FakeLine(), FakeLine()
        flow = RelayFlow(cast(Line, sender), cast(Line, recipient))
        flow.meter.measuring = True
        flow.push(3, 0.0)
        payloads = sender.payloads()
        self.assertEqual([len(payload) for payload in payloads], [BODY] * 3)
        recipient.receive(*payloads)
        self.assertEqual((flow.meter.count, flow.under_way), (3, 0))
        self.assertRaises(Failure, recipient.receive, payloads[0])


class FakeEar(FakeLine):
    """A recipient of what is written into a group: it hands over what comes as `bench.fan_out.Ear` does."""

    def __init__(self) -> None:
        super().__init__()
        self.at = self.unacknowledged = 0
        self.rest = b""
        self.room: FanOut | None = None
        self.controls: list[int] = []

    def control(self, first: int, payload: bytes) -> None:
        self.controls.append(first)

    def hear(self, data: bytes) -> None:
        assert self.room is not None
        data = self.rest + data
        self.rest = data[self.room.hear(cast(Ear, self), data) :]


class FanOutTests(SynchronousTestCase):
    """A message to a group is done when all have it, each once, in order, and as the others have it."""

    def setUp(self) -> None:
        self.sender, self.ears = FakeLine(), [FakeEar() for _ in range(3)]
        ears = cast(list[Ear], self.ears)
        self.flow: FanOut = NodeFanOut(cast(Line, self.sender), ears, CHAT, "cafe")
        self.flow.meter.measuring = True

    def stream(self, first: int, count: int) -> bytes:
        return b"".join(frames.text_frame(event(FIRST + number)) for number in range(first, first + count))

    def test_done_when_all_have_it(self) -> None:
        self.flow.push(3, 0.0)
        self.sender.receive(result(FIRST), result(FIRST + 1), result(FIRST + 2))
        self.ears[0].hear(self.stream(0, 3))
        self.ears[1].hear(self.stream(0, 2))
        self.assertEqual((self.flow.meter.count, self.flow.under_way), (5, 3))
        self.ears[2].hear(self.stream(0, 1))
        self.assertEqual((self.flow.meter.count, self.flow.under_way), (6, 2))
        self.ears[2].hear(self.stream(1, 2))
        self.ears[1].hear(self.stream(2, 1))
        self.assertEqual((self.flow.meter.count, self.flow.under_way), (9, 0))

    def test_what_is_done_is_followed_by_as_many(self) -> None:
        self.flow.refill = True
        self.flow.push(2, 0.0)
        for ear in self.ears:
            ear.hear(self.stream(0, 1))
        self.assertEqual((self.flow.under_way, len(self.sender.sent)), (3, 2))

    @given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 900)), max_size=20))
    def test_cut_anywhere(self, cuts: list[tuple[int, int]]) -> None:
        """Wherever the network cuts it, and whoever has it first; frames of other kinds go to the line."""
        self.setUp()
        self.flow.push(9, 0.0)
        ping = bytes((PING, 0))
        streams = [self.stream(0, 4) + ping + self.stream(4, 5) for _ in self.ears]
        for who, size in [*cuts, *((place, 9999) for place in range(3))]:
            self.ears[who].hear(streams[who][:size])
            streams[who] = streams[who][size:]
        self.assertEqual(self.flow.meter.count, 27)
        self.assertEqual([ear.controls for ear in self.ears], [[PING]] * 3)

    def test_what_is_wrong_fails(self) -> None:
        changed = self.stream(0, 1).replace(b"1700000000000", b"1700000000001")
        wrong = (
            (b"", self.stream(1, 1)),
            (self.stream(0, 1), self.stream(1, 1)),
            (self.stream(0, 1), changed),
            (self.stream(0, 2), self.stream(0, 1) * 2),
            (b"", self.stream(0, 1).replace(b"xx", b"xy")),
        )
        for heard, then in wrong:
            self.setUp()
            self.flow.push(2, 0.0)
            self.ears[0].hear(heard)
            self.assertRaises(Failure, self.ears[1].hear, then)

    def test_recipients_say_what_they_hold(self) -> None:
        self.flow.push(ACK_EVERY + 1, 0.0)
        for ear in self.ears:
            ear.hear(self.stream(0, ACK_EVERY))
            ear.hear(self.stream(ACK_EVERY, 1))
        for _ in range(2):
            self.flow.tick()
        for ear in self.ears:
            held = [cast(SessionAck, frames.decode(payload).params).cursor for payload in ear.payloads()]
            self.assertEqual(held, [f"{FIRST + number:022d}" for number in (ACK_EVERY - 1, ACK_EVERY)])

    def test_the_relays(self) -> None:
        flow = RelayFanOut(cast(Line, self.sender), cast(list[Ear], self.ears))
        flow.push(2, 0.0)
        sent = b"".join(map(frames.text_frame, self.sender.payloads()))
        for ear in self.ears:
            ear.hear(sent)
        self.assertEqual(flow.under_way, 0)
        flow.push(1, 0.0)
        self.assertRaises(Failure, self.ears[0].hear, frames.text_frame(b"y" * BODY))


class ReportTests(SynchronousTestCase):
    def test_percentiles(self) -> None:
        values = array("d", [number / 1000 for number in range(100, 0, -1)])
        self.assertEqual([percentile(values, share) for share in (0, 0.5, 0.99, 1)], [1, 51, 100, 100])
        self.assertEqual(percentile(array("d"), 0.5), None)

    def test_profiles_leave_out_who_waits(self) -> None:
        text = flat("main;turn;read 3\nmain;turn 1\nidle;wait 9\n")
        self.assertIn("main: 4 samples", text)
        self.assertIn(" 75.0%  read", text)
        self.assertIn("100.0%  turn", text)
        self.assertNotIn("idle", text)


class RequiredTests(SynchronousTestCase):
    def test_missed(self) -> None:
        """A line is held to what its case has to reach, and to nothing else."""
        line = {"case": "pairs", "in_flight": 16, "relay_ratio": 0.35, "p99_ms": 80.0}
        self.assertEqual(missed(line), [])
        self.assertEqual(
            missed({**line, "relay_ratio": 0.34}), ["relay_ratio is 0.34, and has to be at least 0.35"]
        )
        self.assertEqual(missed({**line, "case": "other", "relay_ratio": 0.1}), [])
        self.assertEqual(
            missed({"case": "idle", "kib_per_conn": 45.1}),
            ["kib_per_conn is 45.1, and has to be at most 45.0"],
        )
