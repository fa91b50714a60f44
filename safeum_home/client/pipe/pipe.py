"""`safeum pipe`: JSON lines in, responses and events out."""

from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.internet.task import deferLater
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from safeum_home.client.errors import ClientError, RemoteProblem, SessionEnded, local
from safeum_home.client.events import Heard, Link, LinkChanged, Stream
from safeum_home.client.pipe import files as pipe_files
from safeum_home.client.pipe import secure as pipe_secure
from safeum_home.client.pipe.command import SecureCommand
from safeum_home.client.pipe.files import SaveFile, SendFile
from safeum_home.client.pipe.lines import FindContacts, FoundContacts, notice, parse, response
from safeum_home.client.pipe.secure_told import told
from safeum_home.client.session import Client
from safeum_home.errors import Code
from safeum_home.protocol import MAX_FRAME
from safeum_home.protocol.commands import Params, Result
from safeum_home.protocol.events import METHOD_OF
from safeum_home.protocol.frames import RequestId, encode_event
from safeum_home.protocol.types import Message

OUTSTANDING = 64
"""Requests that wait for their answers; after that no line is read until one has come."""

EARLY = 1000
"""Lines that are kept until there is somebody to read them: the last ones."""

PATIENCE = 5.0
"""Seconds that a command which came too often is held back before it is given again, at the most."""


@implementer(IPushProducer)
class _Events:
    """Writes events as fast as they are read: what is held back waits at the node."""

    def __init__(
        self,
        stream: Stream,
        write: Callable[[bytes], None],
        authentic: Callable[[Message], bool | None],
    ) -> None:
        self._stream = stream
        self._authentic = authentic
        self._write = write
        self._held: Deferred[None] | None = None

    async def run(self) -> None:
        """Raises `SessionEnded` where the node ends the session."""
        async for event in self._stream:
            if self._held is not None:
                await self._held
            if isinstance(event, Message) and self._authentic(event) is False:
                self._write(notice("client.forged", id=event.id))
            if type(event) in METHOD_OF:
                self._write(encode_event(event))

    def pauseProducing(self) -> None:
        if self._held is None:
            self._held = Deferred()

    def resumeProducing(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.callback(None)

    def stopProducing(self) -> None:
        self._stream.close()
        self.resumeProducing()


@implementer(IHalfCloseableProtocol)
class Pipe(LineReceiver):
    """Between standard input and output and a session. `done` fires with the exit status.

    A slow reader of the output holds events back: they then wait at the node. Too many requests
    without answers hold the input back. The end of the input ends the session once all are answered.
    """

    transport: Any
    delimiter = b"\n"
    MAX_LENGTH = 2 * MAX_FRAME

    def __init__(self, client: Client, clock: IReactorTime) -> None:
        self._clock = clock
        self.done: Deferred[int] = Deferred()
        self._client = client
        self._events = _Events(client.events(), self.sendLine, client.state.authentic)
        self._early: deque[bytes] | None = deque(maxlen=EARLY)
        """What secure chats have told while they were unlocked, before there was anybody to read it."""
        client.listen(self._heard)
        self._outstanding = 0
        self._ended = False
        self._status = 0

    def connectionMade(self) -> None:
        self.transport.registerProducer(self._events, True)
        opened = self._client.opened
        assert opened is not None
        shown = {"account": opened.account, "address": opened.address, "device": opened.device}
        more = {"node_key": opened.node_key, "support_chat": opened.support_chat, "policy": opened.policy}
        self.sendLine(notice("client.opened", **shown, cursor=opened.cursor, **more))
        early, self._early = self._early or (), None
        for line in early:
            self.sendLine(line)
        Deferred.fromCoroutine(self._events.run()).addErrback(self._over)

    def _over(self, failure: Failure) -> None:
        failure.trap(SessionEnded)
        self._status = 1
        self._close()

    def _heard(self, event: Heard) -> None:
        told(event, self._tell)
        if self._early is None and isinstance(event, LinkChanged) and event.link is not Link.CONNECTING:
            params = {"link": event.link.value, "reason": event.reason, "retry_in": event.retry_in}
            self.sendLine(notice("client.link", **params, reset=event.reset))

    def _tell(self, method: str, **params: Any) -> None:
        line = notice(method, **params)
        if self._early is None:
            self.sendLine(line)
        else:
            self._early.append(line)

    def lineReceived(self, line: bytes) -> None:
        if not line.strip():
            return
        request_id, params = parse(line)
        if isinstance(params, RemoteProblem):
            self.sendLine(response(request_id, params))
            return
        self._outstanding += 1
        if self._outstanding >= OUTSTANDING:
            self.pauseProducing()
        Deferred.fromCoroutine(self._ask(params)).addBoth(self._answered, request_id)

    async def _ask(self, params: Params) -> Result:
        while True:
            try:
                return await self._ask_once(params)
            except RemoteProblem as error:
                wait = error.retry_after
                if not error.of(Code.RATE_LIMITED) or wait is None or wait > PATIENCE:
                    raise
                await deferLater(self._clock, wait)

    async def _ask_once(self, params: Params) -> Result:
        if isinstance(params, SecureCommand):
            return await pipe_secure.do(self._client, params)
        if isinstance(params, SendFile | SaveFile):
            return await pipe_files.do(self._client, params)
        if isinstance(params, FindContacts):
            return FoundContacts(await self._client.find_contacts(params.numbers))
        result: Result = await self._client.call(params)
        return result

    def _answered(self, outcome: Any, request_id: RequestId | None) -> None:
        if isinstance(outcome, Failure):
            outcome.trap(ClientError)
            outcome = outcome.value
        if request_id is not None:
            self.sendLine(response(request_id, outcome))
        self._outstanding -= 1
        if self.paused and self._outstanding <= OUTSTANDING // 2:
            self.resumeProducing()
        self._finish()

    def lineLengthExceeded(self, line: bytes) -> None:
        self._status = 1
        self.sendLine(response(None, local(Code.TOO_LARGE, "This line is too long.")))
        self.readConnectionLost()

    def readConnectionLost(self) -> None:
        """The end of the input."""
        self._ended = True
        self._finish()

    def _finish(self) -> None:
        if self._ended and not self.paused and (rest := self.clearLineBuffer()):
            self.lineReceived(rest)
        if self._ended and not self.paused and not self._outstanding:
            self._close()

    def _close(self) -> None:
        if self.done.called:
            return
        # A transport does not close before its producer has gone.
        self.transport.unregisterProducer()
        self._events.stopProducing()
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Nobody reads the output any more: nothing that is still asked would reach anybody."""
        self._status = 1
        self._close()
        # A transport whose writing side has gone does not say that it is closed.
        self.connectionLost()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._events.stopProducing()
        if not self.done.called:
            self.done.callback(self._status)
