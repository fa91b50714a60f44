"""Each defence of the bridge to Janus is taken out, and a test has to notice."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from bridges.safenum.janus import carrier, channel, line, lines, results
from bridges.safenum.janus.call import Call
from bridges.safenum.janus.transactions import Transactions
from tests.without import Defence, check, nothing, yes

LATE, SESSION, HOSTILE = (f"tests.test_janus_{each}" for each in ("late", "session", "hostile"))


def as_it_is(sdp: str) -> str:
    return sdp


class _NoLimit:
    def __init__(self, *_: object) -> None:
        pass

    take = nothing


def _every_call(self: line.Line, frame: Any, told: Any) -> None:
    """Whatever call an event is of."""
    if told.result is not None and told.result.event == "incomingcall":
        self.keeper.incoming(self, frame, told)
    elif self.call is not None and told.result is not None:
        results.tell(self.call, told.result, None if frame.jsep is None else frame.jsep.sdp)


def _settled_at_once(self: line.Line) -> None:
    self.has_webrtc = False
    self.machine.free()


class DefenceTests(SynchronousTestCase):
    def test_descriptions(self) -> None:
        """Of apps."""
        for test in ("test_dial", "test_answer", "test_what_janus_is_told"):
            gone = Defence(carrier, "for_janus", as_it_is)
            check(self, f"tests.test_janus_descriptions.DescriptionTests.{test}", gone)

    def test_of_janus(self) -> None:
        gone = Defence(results, "is_readable", yes)
        check(self, "tests.test_janus_descriptions.DescriptionTests.test_of_janus", gone)

    def test_call_ids(self) -> None:
        gone = Defence(line.Line, "plugin", _every_call)
        check(self, f"{LATE}.LateTests.test_of_a_former_call", gone)

    def test_rest(self) -> None:
        gone = Defence(line.Line, "settled", _settled_at_once)
        check(self, f"{LATE}.LateTests.test_never_let_go", gone)

    def test_settling(self) -> None:
        check(self, f"{LATE}.LateTests.test_settles", Defence(line, "SETTLE", 0.1))

    def test_doubt(self) -> None:
        gone = Defence(lines.Lines, "retired", nothing)
        for test in ("test_never_let_go", "test_never_over", "test_master_in_doubt"):
            check(self, f"{LATE}.LateTests.{test}", gone)

    def test_silence(self) -> None:
        """Of apps."""
        check(self, f"{LATE}.VanishedTests.test_silent", Defence(line.Line, "media", nothing))
        check(self, f"{LATE}.VanishedTests.test_never_there", Defence(Call, "wait", nothing))

    def test_garbage(self) -> None:
        check(self, f"{HOSTILE}.HostileTests.test_garbage", Defence(channel, "MOST_BAD", 10_000))

    def test_flood(self) -> None:
        check(self, f"{HOSTILE}.HostileTests.test_flood", Defence(channel, "RateLimit", _NoLimit))

    def test_time(self) -> None:
        """For answers."""
        gone = Defence(Transactions, "_fail", nothing)
        for test in ("LosingTests.test_not_answered", "OpeningTests.test_silent"):
            check(self, f"{SESSION}.{test}", gone)

    def test_former(self) -> None:
        """What Janus has left of the session before."""
        check(self, f"{SESSION}.LosingTests.test_cut", Defence(channel.Channel, "destroy", _not_destroyed))


async def _not_destroyed(self: channel.Channel, session: int) -> None:
    pass
