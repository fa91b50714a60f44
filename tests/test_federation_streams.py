"""Answers of other nodes that are taken as they come, over real connections: held back, bounded, cut off."""

import hashlib
from typing import Any

from twisted.internet.task import deferLater
from twisted.web.server import NOT_DONE_YET

from federation import streams as streams_module
from federation.streams import Streams
from safeum_home.outgoing import streams
from safeum_home.outgoing.answers import IN_TIME, TLS_FAILED, TOO_LONG, TOO_MANY, NoAnswer
from safeum_home.outgoing.client import Client
from safeum_home.outgoing.places import Place
from safeum_home.outgoing.resolving import NOT_ALLOWED
from safeum_home.outgoing.streams import Streamed
from tests.certificates import Authority
from tests.federation_net import NetCase, Node, Served, reactor

NAME = "home.example"
MIB = 1024**2
LARGE = 32 * MIB
BLOCK = bytes(range(256)) * 256


class ServedFiles(Served):
    """What a node of a test answers at any path."""

    def __init__(self) -> None:
        super().__init__()
        self.produced = 0

    def large(self, request: Any) -> int:
        """As quickly as it is taken."""
        request.setHeader("Content-Length", str(LARGE))
        request.setHeader("Content-Type", "application/octet-stream")
        served = self

        class Producer:
            def resumeProducing(self) -> None:
                if served.produced < LARGE:
                    served.produced += len(BLOCK)
                    request.write(BLOCK)
                else:
                    request.unregisterProducer()
                    request.finish()

            def stopProducing(self) -> None:
                """Nobody takes it any more."""

        request.registerProducer(Producer(), False)
        return NOT_DONE_YET

    def short(self, request: Any) -> int:
        """Less than it says, and then the connection is gone."""
        request.setHeader("Content-Length", "1000")
        request.write(b"x" * 600)
        reactor.callLater(0.05, request.channel.transport.abortConnection)
        return NOT_DONE_YET

    def long(self, request: Any) -> int:
        """More than it says."""
        request.setHeader("Content-Length", "10")
        request.write(b"x" * 100_000)
        return NOT_DONE_YET

    def head(self, request: Any) -> bytes:
        """A head without an end."""
        for number in range(2000):
            request.setHeader(f"X-{number}", "x" * 100)
        return b""

    def zipped(self, request: Any) -> bytes:
        request.setHeader("Content-Encoding", "gzip")
        return b"not gzip"

    def refused(self, request: Any) -> bytes:
        request.setResponseCode(404)
        return b"{}"


class StreamCase(NetCase):
    def files(self, *names: str) -> tuple[Node, ServedFiles]:
        node, served = self.node(*names), ServedFiles()
        node.served.__class__ = ServedFiles
        node.served.__dict__.update(served.__dict__)
        found: Any = node.served
        return node, found

    def streams(self, client: Client | None = None, seconds: float = 20.0) -> Streams:
        streams = Streams(reactor, client or self.client(), seconds)
        self.addCleanup(streams.close)
        return streams

    async def open(self, opening: Streams, node: Node, path: str) -> Streamed:
        return await opening.open(Place(NAME, node.port), "POST", path, {}, b"{}")

    async def no_answer(self, opening: Streams, node: Node, path: str = "/large") -> NoAnswer:
        try:
            answer = await self.open(opening, node, path)
        except NoAnswer as error:
            for hidden in (NAME, path, "127.0.0"):
                self.assertNotIn(hidden, repr(error))
            return error
        self.fail(f"it was answered with {answer.status}")

    async def drained(self, answer: Streamed) -> bytes:
        parts = []
        while part := await answer.body.take(streams.HIGH):
            parts.append(part)
        return b"".join(parts)


class StreamTests(StreamCase):
    async def test_large(self) -> None:
        """It comes as it was; who takes nothing holds the other one back, and little is in memory."""
        node, served = self.files(NAME)
        answer = await self.open(self.streams(), node, "/large")
        self.assertEqual((answer.status, answer.length), (200, LARGE))
        self.assertEqual(answer.type, "application/octet-stream")
        taken = await answer.body.take(streams.HIGH)
        before = -1
        while before != served.produced:  # until nothing moves any more
            before = served.produced
            await deferLater(reactor, 0.2)
        self.assertLess(served.produced, LARGE // 2)
        self.assertLessEqual(len(answer.body._buffer), streams.HIGH + 2**17)
        digest = hashlib.sha256(taken)
        while part := await answer.body.take(streams.HIGH):
            self.assertLessEqual(len(part), streams.HIGH + 2**17)
            digest.update(part)
        self.assertFalse(answer.body.broken)
        self.assertEqual(digest.digest(), hashlib.sha256(BLOCK * (LARGE // len(BLOCK))).digest())
        await self.ended()

    async def test_lengths(self) -> None:
        """Less than was said is broken off; of more there is no more than was said; none is told as none."""
        node, served = self.files(NAME)
        opening = self.streams()
        answer = await self.open(opening, node, "/short")
        self.assertEqual((answer.length, len(await self.drained(answer))), (1000, 600))
        self.assertTrue(answer.body.broken)
        answer = await self.open(opening, node, "/long")
        self.assertEqual((answer.length, len(await self.drained(answer))), (10, 10))
        answer = await self.open(opening, node, "/endless")
        self.assertIsNone(answer.length)
        answer.body.stop()
        await served.gone
        await self.ended()

    async def test_stopped(self) -> None:
        """Who stops cuts the connection off, however much is on its way."""
        node, _ = self.files(NAME)
        answer = await self.open(self.streams(), node, "/large")
        await answer.body.take(10)
        answer.body.stop()
        self.assertEqual(await answer.body.take(10), b"")
        self.assertTrue(answer.body.broken)
        await self.ended()

    async def test_slow(self) -> None:
        """Octet by octet, or none at all: what is waited for breaks off."""
        self.patch(streams, "IDLE", 0.4)
        self.patch(streams, "LEAST_RATE", 2**30)
        node, _ = self.files(NAME)
        for path in ("/drip",):
            answer = await self.open(self.streams(), node, path)
            while await answer.body.take(streams.HIGH):
                self.assertTrue(answer.body.broken)
        error = await self.no_answer(self.streams(seconds=0.4), node, "/silent")
        self.assertEqual(error.reason, IN_TIME)
        await self.ended()

    async def test_heads(self) -> None:
        """No redirect is followed, a head ends, nothing is unpacked, and a problem is read, with a cap."""
        node, served = self.files(NAME)
        opening = self.streams()
        self.assertEqual((await self.open(opening, node, "/moved")).status, 302)
        answer = await self.open(opening, node, "/refused")
        self.assertEqual((answer.status, answer.problem), (404, b"{}"))
        self.assertEqual(await answer.body.take(1), b"")
        self.assertEqual((await self.no_answer(opening, node, "/head")).reason, TOO_LONG)
        self.assertEqual(await self.drained(await self.open(opening, node, "/zipped")), b"not gzip")
        self.assertEqual(len(served.requests), 4)
        await self.ended()

    async def test_who_is_asked(self) -> None:
        """As with other requests: the certificate is for the name, and no address inside is connected to."""
        stranger = Node(self, Authority().server(NAME))
        self.dns.say(NAME, "127.0.0.1")
        self.assertEqual((await self.no_answer(self.streams(), stranger)).reason, TLS_FAILED)
        node, _ = self.files(NAME)
        inside = self.streams(self.client(self.names("192.0.2.0/24")))
        self.assertEqual((await self.no_answer(inside, node)).reason, NOT_ALLOWED)
        self.assertEqual(stranger.served.requests, [])

    async def test_how_many(self) -> None:
        """Few at once; those that are over make room, and none is in the way of other requests."""
        self.patch(streams_module, "EACH", 2)
        node, _ = self.files(NAME)
        client = self.client(at_once=1, waiting=0)
        opening = self.streams(client)
        answers = [await self.open(opening, node, "/large") for _ in range(2)]
        error = await self.no_answer(opening, node)
        self.assertEqual((error.reason, error.handed_over), (TOO_MANY, False))
        self.assertEqual((await client.request(Place(NAME, node.port), "GET", "/ok", {})).status, 200)
        answers[0].body.stop()
        self.patch(streams_module, "EACH", 9)
        self.patch(streams_module, "MOST", 2)
        answers.append(await self.open(opening, node, "/large"))
        self.assertEqual((await self.no_answer(opening, node)).reason, TOO_MANY)
        opening.close()
        for answer in answers:
            self.assertTrue(answer.body.broken)
        self.assertEqual(len(opening._held), 0)
        await client.close()
        await self.ended()
