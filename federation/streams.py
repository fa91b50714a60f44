"""Answers of other nodes that are taken as they come: few at once, and in the way of nothing else."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from safeum_home.outgoing.answers import TOO_MANY, NoAnswer
from safeum_home.outgoing.client import ANYWHERE, Client
from safeum_home.outgoing.places import Place
from safeum_home.outgoing.streams import BodyStream, OnePool, Stream, Streamed

MOST, EACH = 64, 8
"""How many at once: of all places, and of one."""


class Streams:
    """Requests over connections of their own: `client` knows the way, and whom to trust there."""

    def __init__(self, reactor: Any, client: Client, seconds: float) -> None:
        """`seconds` pass at the most until the head of an answer is there."""
        self._reactor = reactor
        self._client = client
        self._seconds = seconds
        self._held: Counter[Place] = Counter()
        self._bodies: set[BodyStream] = set()

    def open(
        self, place: Place, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> "Deferred[Streamed]":
        """Ask; fails with `NoAnswer` and with nothing else."""
        if self._held.total() >= MOST or self._held[place] >= EACH:
            refused: Deferred[Streamed] = Deferred()
            refused.errback(NoAnswer(TOO_MANY, handed_over=False))
            return refused
        self._held[place] += 1
        agent = self._client.agent(place, OnePool(self._reactor))
        stream = Stream(self._reactor, ANYWHERE, agent, self._seconds)
        asked = stream.open(method, path, {**headers, "Host": place.authority}, body)

        def over(_: object, body: BodyStream | None = None) -> None:
            if body is not None:
                self._bodies.discard(body)
            self._held[place] -= 1
            if not self._held[place]:
                del self._held[place]

        def opened(answer: Streamed) -> Streamed:
            self._bodies.add(answer.body)
            answer.body.ended.addCallback(over, answer.body)
            return answer

        def failed(failure: Failure) -> Failure:
            over(None)
            return failure

        return asked.addCallbacks(opened, failed)

    def close(self) -> None:
        """Cut off what is under way."""
        for body in tuple(self._bodies):
            body.stop()
