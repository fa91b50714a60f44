"""Requests to one host: on one connection, made when it is needed, and anew when the other side leaves."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from itertools import takewhile
from typing import Any

from hpack import NeverIndexedHeaderTuple
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from safeum_home.outgoing.answers import GIVEN_UP, IN_TIME, TOO_MANY, NoAnswer, no_answer
from safeum_home.outgoing.http import Answer
from safeum_home.outgoing.http2.asking import Asking, Carrier, Fields
from safeum_home.outgoing.http2.limits import Http2Limits
from safeum_home.outgoing.http2.link import Link

NOT_PROCESSED = "the other side does not process it"
MOST_CONNECTIONS = 4
"""The one in use, and those that the other side leaves: of more the oldest is cut off."""


class Http2:
    """Requests to `authority` (`HOST[:PORT]`) over connections that `endpoint` makes, TLS and all.

    `proves` says whether an answer shows that the node may ask more than one thing at once.
    """

    def __init__(
        self,
        reactor: Any,
        authority: str,
        endpoint: IStreamClientEndpoint,
        limits: Http2Limits,
        proves: Callable[[Answer], bool] | None = None,
    ) -> None:
        self._reactor = reactor
        self._target = ((b":scheme", b"https"), (b":authority", authority.encode("ascii")))
        self._endpoint = endpoint
        self._limits = limits
        self._factory = Factory.forProtocol(lambda: Link(reactor, self, limits, proves))
        self._factory.noisy = False
        self._open: dict[Asking, None] = {}
        """All that have not ended, in the order in which their time runs out."""
        self._waiting: OrderedDict[Asking, None] = OrderedDict()
        self._link: Link | None = None
        self._carriers: dict[Carrier, None] = {}
        """Every connection that there is, the oldest first."""
        self._stopped: Deferred[None] | None = None
        """Done when all of them are gone, after `close`."""
        self._connecting: Deferred[Any] | None = None
        self._late: IDelayedCall | None = None

    # --- what it is asked

    def request(
        self, method: bytes, path: bytes, fields: Fields, own: Fields = (), body: bytes = b""
    ) -> "Deferred[Answer]":
        """Ask; fails with `NoAnswer` and with nothing else.

        `fields` are the same in many requests: both sides keep them to be referred to. `path` and `own`
        are kept by nobody between (RFC 7541, section 7.1.3).
        """
        answered: Deferred[Answer] = Deferred(lambda _: self._give_up([asking], GIVEN_UP))
        head = (
            (b":method", method),
            *self._target,
            NeverIndexedHeaderTuple(b":path", path),
            *fields,
            *(NeverIndexedHeaderTuple(*each) for each in own),
        )
        now = self._reactor.seconds()
        asking = Asking(head, body, now, now + self._limits.seconds, answered)
        if self._stopped is not None or len(self._waiting) >= self._limits.waiting:
            answered.errback(NoAnswer(GIVEN_UP if self._stopped else TOO_MANY, handed_over=False))
            return answered
        self._open[asking] = self._waiting[asking] = None
        self._watch()
        self.room()
        return answered

    @property
    def busy(self) -> bool:
        """Whether a request is under way or waits."""
        return bool(self._open)

    def close(self) -> "Deferred[None]":
        """End what is under way, and close; done when nothing is left of it."""
        if self._stopped is None:
            self._stopped = Deferred()
            self._give_up(tuple(self._open), GIVEN_UP)
            if self._connecting is not None:
                self._connecting.cancel()
            for carrier in tuple(self._carriers):
                carrier.stop()
            self._perhaps_stopped()
        closed: Deferred[None] = Deferred()
        self._stopped.addCallback(lambda _: closed.callback(None))
        return closed

    # --- what connections tell: `asking.Asker`

    def answer(self, asking: Asking, answer: Answer) -> None:
        if self._ended(asking):
            asking.answered.callback(answer)

    def fail(self, asking: Asking, error: NoAnswer) -> None:
        if self._ended(asking):
            asking.answered.errback(error)

    def unprocessed(self, askings: Iterable[Asking]) -> None:
        for asking in reversed(tuple(askings)):
            asking.again()
            self._waiting[asking] = None
            self._waiting.move_to_end(asking, last=False)
        self._fail_tired()
        self.room()

    def room(self) -> None:
        link = self._link
        if link is None:
            self._connect()
            return
        while self._waiting and link.room > 0:
            asking, _ = self._waiting.popitem(last=False)
            link.ask(asking)

    def no_connection(self, carrier: Carrier, why: NoAnswer) -> None:
        self._link = None
        self._fail_waiting(why)

    def over(self, carrier: Carrier, fruitless: bool) -> None:
        if self._link is not carrier:
            return
        self._link = None
        if fruitless:
            for asking in self._waiting:
                asking.tries += 1
            self._fail_tired()
        self.room()

    def gone(self, carrier: Carrier) -> None:
        self._carriers.pop(carrier, None)
        self._perhaps_stopped()

    # --- connecting

    def _connect(self) -> None:
        if self._waiting and self._connecting is None and self._stopped is None:
            self._connecting = connecting = self._endpoint.connect(self._factory)
            connecting.addCallbacks(self._connected, self._not_connected)

    def _connected(self, link: Link) -> None:
        self._connecting = None
        self._carriers[link] = None
        if self._stopped is not None:
            link.stop()
            return
        if len(self._carriers) > MOST_CONNECTIONS:
            next(iter(self._carriers)).stop()
        self._link = link
        self.room()

    def _not_connected(self, failure: Failure) -> None:
        self._connecting = None
        self._fail_waiting(NoAnswer(no_answer(failure).reason, handed_over=False))
        self._perhaps_stopped()

    def _perhaps_stopped(self) -> None:
        stopped = self._stopped
        if stopped is not None and not stopped.called and not self._carriers and self._connecting is None:
            stopped.callback(None)

    # --- the end of requests

    def _ended(self, asking: Asking) -> bool:
        """Forget it; whether it was waited for until now."""
        if asking not in self._open:
            return False
        del self._open[asking]
        self._waiting.pop(asking, None)
        if not self._open and self._late is not None:
            self._late.cancel()
            self._late = None
        return True

    def _give_up(self, askings: Iterable[Asking], reason: str) -> None:
        for asking in askings:
            if asking.carrier is not None:
                asking.carrier.drop(asking)
            self.fail(asking, NoAnswer(reason, handed_over=asking.carrier is not None))
        self.room()

    def _fail_waiting(self, why: NoAnswer) -> None:
        for asking in tuple(self._waiting):
            self.fail(asking, NoAnswer(why.reason, why.handed_over))

    def _fail_tired(self) -> None:
        for asking in [each for each in self._waiting if each.tries > self._limits.tries]:
            self.fail(asking, NoAnswer(NOT_PROCESSED, handed_over=False))

    def _watch(self) -> None:
        if self._late is None and self._open:
            first = next(iter(self._open))
            self._late = self._reactor.callLater(max(0.0, first.until - self._reactor.seconds()), self._look)

    def _look(self) -> None:
        self._late = None
        now = self._reactor.seconds()
        late = tuple(takewhile(lambda each: each.until <= now, self._open))
        self._give_up(late, IN_TIME)
        self._perhaps_leave(late)
        self._watch()

    def _perhaps_leave(self, late: Iterable[Asking]) -> None:
        """A connection that has answered nothing for as long as a request waited is no way, alive or not."""
        link = self._link
        if link is not None and any(link.quiet_since <= each.begun for each in late):
            link.leave()
