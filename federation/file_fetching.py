"""Files that other nodes have: asked for, and what is answered held against what was said of them."""

from collections.abc import Callable

import msgspec
from twisted.internet.defer import Deferred

from federation.asking import LONGEST_WAIT
from safeum_home.errors import Code, Problem
from safeum_home.outgoing.answers import TOO_MANY, NoAnswer
from safeum_home.outgoing.resolving import TOO_MANY_NAMES
from safeum_home.outgoing.streams import BodyStream, Streamed
from safeum_home.protocol.federation.files import FILES_PATH, FetchFile
from safeum_home.protocol.files import OCTETS_TYPE
from safeum_home.protocol.frames import ProblemDetails

OpenStream = Callable[[str, str, bytes], "Deferred[Streamed]"]
"""`open(node, path, body)`, signed; fails with `NoAnswer`."""
_PASSED_ON = {each.code: each for each in (Code.NOT_FOUND, Code.FEDERATION_REFUSED)}
_LATER = {each.code for each in (Code.RATE_LIMITED, Code.BUSY, Code.STORAGE_UNAVAILABLE)}


async def fetch(open_stream: OpenStream, node: str, file: FetchFile) -> BodyStream:
    """The file's octets from `file.offset` on, as they come.

    Raises `not_found`, also where the other node has lost it, `federation_refused`, `busy`, and
    `node_unreachable`, also where what is answered is no such file.
    """
    try:
        answer = await open_stream(node, FILES_PATH, msgspec.json.encode(file))
    except NoAnswer as error:
        if error.reason in (TOO_MANY, TOO_MANY_NAMES):
            raise Problem(Code.BUSY, retry_after=2.0) from None
        raise Problem(Code.NODE_UNREACHABLE) from None
    if answer.status != 200:
        raise _problem(answer.problem)
    if answer.length != file.size - file.offset or answer.type != OCTETS_TYPE:
        answer.body.stop()
        raise Problem(Code.NODE_UNREACHABLE)
    return answer.body


def _problem(body: bytes) -> Problem:
    try:
        told = msgspec.json.decode(body, type=ProblemDetails)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return Problem(Code.NODE_UNREACHABLE)
    if told.code in _LATER:
        return Problem(Code.BUSY, retry_after=min(told.retry_after or 1.0, LONGEST_WAIT))
    if told.code == Code.FILE_LOST.code:
        return Problem(Code.NOT_FOUND)
    return Problem(_PASSED_ON.get(told.code, Code.NODE_UNREACHABLE))
