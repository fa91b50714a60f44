"""How quickly a client may go on: what is refused, how much is under way, and when nothing is read of it."""

from twisted.internet.interfaces import IDelayedCall

from safeum_home.config import LimitSection
from safeum_home.errors import Code, Problem
from safeum_home.gateway.outbound import Outbound
from safeum_home.gateway.services import Services
from safeum_home.ports import ClientConnection
from safeum_home.protocol import frames

POLICY = 1008
_BAD_FRAMES = 20
"""How many malformed frames of a session are answered before it is closed."""
_LEAST_WAIT, _MOST_WAIT = 0.2, 1.0
"""For how many seconds nothing is read of a client that is over its rate: pings go unanswered meanwhile."""
_ONLY_CALLS = (Code.METHOD_NOT_FOUND, Code.INVALID_PARAMS)


class Paced:
    """The part of a session that holds a client back."""

    __slots__ = (
        "_bad_frames",
        "_connection",
        "_held",
        "_in_flight",
        "_limits",
        "_outbound",
        "_services",
    )

    def __init__(self, connection: ClientConnection, services: Services) -> None:
        limits = services.limits
        self._connection = connection
        self._services = services
        self._limits: LimitSection = limits
        self._outbound = Outbound(connection, limits.outbound_frames, limits.outbound_bytes)
        self._in_flight = 0
        self._bad_frames = 0
        self._held: IDelayedCall | None = None

    def close(self, code: int, reason: str) -> None:
        """Close the connection; nothing is taken or told any more."""
        self._outbound.close(code, reason)

    def _refuse(self, request_id: frames.RequestId | None, problem: Problem) -> None:
        if request_id is not None:
            self._outbound.write(frames.text_frame(frames.encode_problem(request_id, problem)))

    def _refuse_frame(self, bad: frames.BadFrame) -> None:
        # Where the method could be read, a frame without an id is a notification: no answer to that.
        if bad.request_id is not None or bad.problem.code not in _ONLY_CALLS:
            self._outbound.write(frames.text_frame(frames.encode_problem(bad.request_id, bad.problem)))
        self._count_bad_frame()

    def _count_bad_frame(self) -> None:
        self._bad_frames += 1
        if self._bad_frames >= _BAD_FRAMES:
            self.close(POLICY, "too many malformed frames")

    def _begin_call(self) -> None:
        self._in_flight += 1
        if self._in_flight == self._limits.in_flight:
            self._connection.pause_reading()

    def _end_of_call(self) -> None:
        self._in_flight -= 1
        self._read_on()

    def _slow_down(self, problem: Problem) -> None:
        """Whoever is refused is not to go on at once: refusals cost the node more than they cost him."""
        if problem.code is Code.NOT_AUTHENTICATED:
            self._count_bad_frame()
        elif problem.code is Code.RATE_LIMITED and self._held is None:
            seconds = min(max(_LEAST_WAIT, problem.retry_after or 0.0), _MOST_WAIT)
            self._held = self._services.clock.callLater(seconds, self._let_go)
            self._connection.pause_reading()

    def _let_go(self) -> None:
        self._held = None
        self._read_on()

    def _read_on(self) -> None:
        if self._held is None and self._in_flight < self._limits.in_flight:
            self._connection.resume_reading()
