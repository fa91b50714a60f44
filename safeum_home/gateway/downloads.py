"""Downloads: a file by its ticket, whole or in part (RFC 9110 sections 13 and 14)."""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import quote

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET
from zope.interface import implementer

from safeum_home.errors import Code, Problem
from safeum_home.gateway.ranges import wanted
from safeum_home.gateway.resources import respond_problem
from safeum_home.gateway.tickets import Cors, finish, problem_of, set_headers, ticket_of
from safeum_home.ports.files import FileTransfers, Reading
from safeum_home.protocol.files import DOWNLOADS_PATH, OCTETS_TYPE

_PREFIX = DOWNLOADS_PATH.encode() + b"/"
_UNSAFE = re.compile(r"[^A-Za-z0-9 ._-]")
_EXPOSED = "Accept-Ranges, Content-Disposition, Content-Length, Content-Range, ETag, Retry-After"
_FIELDS = "Authorization, If-None-Match, If-Range, Range"
# Whatever a file says it is: no browser shows or runs anything of it as a page of the node's.
_SAFE = (
    ("Content-Security-Policy", "default-src 'none'; sandbox"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "private, no-store"),
)
_log = Logger()


class DownloadsResource(Resource):
    """`/v1/downloads/TICKET`, or `/v1/downloads` with the ticket in the field `Authorization`."""

    isLeaf = True

    def __init__(
        self, clock: IReactorTime, transfers: FileTransfers, stall: float, origins: Iterable[str] = ()
    ) -> None:
        """A client that takes nothing for `stall` seconds is cut off."""
        super().__init__()
        self._clock = clock
        self._transfers = transfers
        self._stall = stall
        self._cors = Cors(origins, "GET, HEAD, OPTIONS", _FIELDS, _EXPOSED)

    def render_OPTIONS(self, request: Any) -> bytes:
        set_headers(request, self._cors.headers(request, preflight=True))
        request.setHeader(b"Allow", b"GET, HEAD, OPTIONS")
        return b""

    def render_GET(self, request: Any) -> Any:
        set_headers(request, [*_SAFE, *self._cors.headers(request)])
        try:
            ticket = _ticket(request)
        except Problem as problem:
            return respond_problem(request, problem)
        opening = Deferred.fromCoroutine(self._transfers.open(ticket))
        opening.addCallback(self._opened, request)
        opening.addErrback(lambda failure: finish(request, respond_problem(request, problem_of(failure))))
        return NOT_DONE_YET

    def _opened(self, reading: Reading, request: Any) -> None:
        if request._disconnected:
            reading.close()
            return
        try:
            head = _head(request, reading)
            _Sending(self._clock, request, reading, self._stall).send(head)
        except BaseException:
            reading.close()
            raise


def send_rest(clock: IReactorTime, request: Any, reading: Reading, stall: float, start: int) -> None:
    """Answer a request with a file from `start` on, as `DownloadsResource` does; it is closed in any case."""
    length = str(reading.size - start)
    fields = [("Content-Type", OCTETS_TYPE), ("Cache-Control", "no-store"), ("Content-Length", length)]
    try:
        _Sending(clock, request, reading, stall).send(_Head(200, fields, start, reading.size))
    except BaseException:
        reading.close()
        raise


class _Head(NamedTuple):
    """What the answer says of a file, and the part of it that is sent."""

    status: int
    fields: list[tuple[str, str]]
    start: int
    end: int

    def tell(self, request: Any) -> None:
        request.setResponseCode(self.status)
        set_headers(request, self.fields)


def _head(request: Any, reading: Reading) -> _Head:
    etag = f'"{reading.file}"'
    fields = [("ETag", etag), ("Accept-Ranges", "bytes"), ("Content-Type", OCTETS_TYPE)]
    if _is_known(_field(request, b"If-None-Match"), etag):
        return _Head(304, fields, 0, 0)
    status, start, end = 200, 0, reading.size
    try:
        span = _range(request, etag, reading.size)
    except Problem:
        set_headers(request, [("Content-Range", f"bytes */{reading.size}")])
        raise
    if span is not None:
        status, (start, end) = 206, span
        fields.append(("Content-Range", f"bytes {start}-{end - 1}/{reading.size}"))
    fields.append(("Content-Disposition", disposition(reading.name)))
    fields.append(("Content-Length", str(end - start)))
    return _Head(status, fields, end if request.method == b"HEAD" else start, end)


@implementer(IPushProducer)
class _Sending:
    """Writes part of a file into an answer, as quickly as that is taken: one batch is in memory."""

    def __init__(self, clock: IReactorTime, request: Any, reading: Reading, stall: float) -> None:
        self._clock = clock
        self._request = request
        self._reading = reading
        self._stall = stall
        self._held: Deferred[None] | None = None
        self._cut: IDelayedCall | None = None
        self._gone = False

    def send(self, head: _Head) -> None:
        self._request.notifyFinish().addErrback(self._lost)
        if head.start == head.end:
            self._reading.close()
            head.tell(self._request)
            self._request.finish()
            return
        self._request.registerProducer(self, True)
        Deferred.fromCoroutine(self._send(head, head.start)).addErrback(self._failed)

    async def _send(self, head: _Head, start: int) -> None:
        try:
            while start < head.end and not self._gone:
                data = await self._reading.read(start, head.end - start)
                if start == head.start:
                    # Not before: that a file is lost can be told as long as nothing else was.
                    head.tell(self._request)
                start += len(data)
                await self._write(data, last=start == head.end)
        finally:
            self._reading.close()

    async def _write(self, data: bytes, last: bool) -> None:
        """Hand over a batch; return when there is room for the next one."""
        if self._gone:
            return
        self._request.write(data)
        if last:
            self._request.unregisterProducer()
            self._request.finish()
            self.stopProducing()
        elif self._held is not None:
            await self._held

    def pauseProducing(self) -> None:
        if self._held is None:
            self._held = Deferred()
            self._cut = self._clock.callLater(self._stall, self._cut_off)

    def resumeProducing(self) -> None:
        if self._cut is not None and self._cut.active():
            self._cut.cancel()
        held, self._held = self._held, None
        if held is not None:
            held.callback(None)

    def stopProducing(self) -> None:
        self._gone = True
        self.resumeProducing()

    def _lost(self, _: Failure) -> None:
        self.stopProducing()

    def _cut_off(self) -> None:
        self._request.channel.forceAbortClient()

    def _failed(self, failure: Failure) -> None:
        problem = problem_of(failure)
        if problem.code is Code.FILE_LOST:
            _log.error("A file could not be read from the store: its octets are gone, or damaged.")
        if self._gone:
            return
        if self._request.startedWriting:
            # That something is missing can only be told by cutting the answer off.
            self._request.channel.forceAbortClient()
            return
        self._request.unregisterProducer()
        self.stopProducing()
        finish(self._request, respond_problem(self._request, problem))


def disposition(name: str) -> str:
    """A field that has a browser store a file, under `name` (RFC 6266), as far as it trusts that."""
    plain = _UNSAFE.sub("_", name).strip(" .") or "file"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _range(request: Any, etag: str, size: int) -> tuple[int, int] | None:
    """The part that is asked for: GET alone knows parts (RFC 9110 section 14.2)."""
    if request.method != b"GET":
        return None
    return wanted(_field(request, b"Range"), _field(request, b"If-Range"), etag, size)


def _field(request: Any, name: bytes) -> str | None:
    """A field as it came: whatever its octets are, they are a text in ISO 8859-1 (RFC 9110 section 5.5)."""
    value: bytes | None = request.getHeader(name)
    return None if value is None else value.decode("latin-1")


def _ticket(request: Any) -> str:
    if request.path.startswith(_PREFIX):
        return str(request.path.removeprefix(_PREFIX).decode("ascii", "replace"))
    return ticket_of(request)


def _is_known(field: str | None, etag: str) -> bool:
    """Whether If-None-Match names the file (RFC 9110 section 13.1.2): `*` is any, and there is one."""
    if field is None:
        return False
    return field.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in field.split(","))
