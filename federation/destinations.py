"""Requests to nodes by their names: allowed, found, signed, sent."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from federation.discovery import Discovery
from federation.streams import Streams
from safeum_home.outgoing.answers import IN_TIME, TOO_MANY, NoAnswer, no_answer
from safeum_home.outgoing.client import Client
from safeum_home.outgoing.http import Answer
from safeum_home.outgoing.resolving import TOO_MANY_NAMES
from safeum_home.outgoing.streams import Streamed
from safeum_home.protocol.federation.transactions import TRANSACTIONS_PATH
from safeum_home.protocol.http import NODE_KEYS_PATH

NOT_DEALT_WITH = "this node has nothing to do with that one"
NO_KEYS = "the node publishes no keys"
LONGEST_KEYS = 64 * 1024

Allows = Callable[[str], bool]
"""Whether this node has to do with another one."""
Sign = Callable[[str, str, bytes, str], Mapping[str, str]]
"""`sign(method, target, body, destination)` gives the header fields that sign a request and its body."""


class Destinations:
    """The requests of one node to others."""

    def __init__(
        self,
        reactor: Any,
        node: str,
        client: Client,
        discovery: Discovery,
        allows: Allows,
        sign: Sign,
        seconds: float = 30.0,
        streams: Streams | None = None,
    ) -> None:
        """`node` is this one, which does not ask itself. `seconds` are for all of a request, finding too."""
        self._reactor = reactor
        self._seconds = seconds
        self._node = node
        self._client = client
        self._discovery = discovery
        self._allows = allows
        self._sign = sign
        self._streams = streams

    def request(
        self, node: str, method: str, path: str, body: bytes = b"", most: int | None = None
    ) -> "Deferred[Answer]":
        """A signed request to `node` (as `ids.node_name` writes it); `path` with its query, if it has one.

        Fails with `NoAnswer`, which says whether the node can have got the request, and with what `sign`
        fails with. `most` octets of an answer are taken, where that is less than usual.
        """
        return self._in_time(self._request(node, method, path, body, most, True))

    def stream(self, node: str, path: str, body: bytes) -> "Deferred[Streamed]":
        """A signed `POST`, whose answer is taken as it comes; fails as `request` does.

        The time that a request may take is for the head of the answer here.
        """
        asked = Deferred.fromCoroutine(self._stream(node, path, body))
        asked.addTimeout(self._seconds, self._reactor)
        return asked.addErrback(lambda failure: Failure(no_answer(failure)))

    async def _stream(self, node: str, path: str, body: bytes) -> Streamed:
        if self._streams is None or node == self._node or not self._allows(node):
            raise NoAnswer(NOT_DEALT_WITH, handed_over=False)
        place = await self._discovery.find(node)
        headers = {"Accept": "*/*", "Content-Type": "application/json"}
        headers |= self._sign("POST", path, body, node)
        try:
            return await self._streams.open(place, "POST", path, headers, body)
        except NoAnswer as error:
            if not error.handed_over and error.reason not in (TOO_MANY, TOO_MANY_NAMES):
                self._discovery.doubt(node)
            raise

    def fetch_keys(self, node: str) -> "Deferred[bytes]":
        """The document of its keys that `node` publishes; unsigned: it would ask for ours first.

        Fails with `NoAnswer`, also where there is no such document.
        """
        asked = self._request(node, "GET", NODE_KEYS_PATH, b"", LONGEST_KEYS, False)
        return self._in_time(asked).addCallback(_document)

    def close(self) -> "Deferred[None]":
        """End what is under way, and all connections."""
        if self._streams is not None:
            self._streams.close()
        return self._client.close()

    def _in_time(self, request: Coroutine[Any, Any, Answer]) -> "Deferred[Answer]":
        asked = Deferred.fromCoroutine(request)

        def too_late(result: Answer | Failure, _seconds: float) -> Answer:
            if not isinstance(result, Failure):
                return result
            # Given up while it was being found, it was not sent.
            found = result.check(CancelledError) is None
            raise NoAnswer(IN_TIME, handed_over=found and no_answer(result).handed_over)

        asked.addTimeout(self._seconds, self._reactor, too_late)

        def ended(failure: Failure) -> Failure:
            # Not raised: then what failed would hang on to it as its context.
            return Failure(no_answer(failure)) if failure.check(NoAnswer, CancelledError) else failure

        return asked.addErrback(ended)

    async def _request(
        self, node: str, method: str, path: str, body: bytes, most: int | None, signed: bool
    ) -> Answer:
        if node == self._node or not self._allows(node):
            raise NoAnswer(NOT_DEALT_WITH, handed_over=False)
        headers = {"Accept": "application/json"}
        if body:
            headers["Content-Type"] = "application/json"
        # What waits for nodes goes on, whatever is asked of how many that do not answer.
        reserved = path.startswith(TRANSACTIONS_PATH)
        place = await self._discovery.find(node, reserved)
        if signed:
            # Not before it is known where to: a signature is good for minutes only.
            headers |= self._sign(method, path, body, node)
        try:
            return await self._client.request(place, method, path, headers, body or None, most, reserved)
        except NoAnswer as error:
            if not error.handed_over and error.reason not in (TOO_MANY, TOO_MANY_NAMES):
                self._discovery.doubt(node)
            raise


def _document(answer: Answer) -> bytes:
    if answer.status != 200:
        raise NoAnswer(NO_KEYS)
    return answer.body
