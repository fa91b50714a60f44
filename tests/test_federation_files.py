"""Files between nodes over HTTP: what is asked for and answered, signed and bounded."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from federation import file_lending
from federation.file_fetching import fetch
from safeum_home.errors import Code, Problem
from safeum_home.outgoing.answers import TOO_MANY, NoAnswer
from safeum_home.outgoing.http import Answer
from safeum_home.outgoing.streams import BodyStream, Streamed
from safeum_home.protocol.federation.files import FILES_PATH, FetchFile
from safeum_home.protocol.frames import problem_details
from tests.federated_http import send
from tests.test_federation_inbound import Case

OCTETS = "application/octet-stream"
BOB = "@" + "b" * 26 + ":b.example"
FILE = FetchFile("!" + "a" * 26, "m1", BOB, "F" + "a" * 26, 6, OCTETS)


class Lent:
    """`ports.files.Reading`."""

    def __init__(self, octets: bytes = b"octets", problem: Problem | None = None) -> None:
        self.file: Any = FILE.file
        self.name = ""
        self.octets = octets
        self.size = len(octets)
        self.problem = problem
        self.waiting: Deferred[bytes] | None = None
        self.closed = 0

    def read(self, offset: int, most: int) -> "Deferred[bytes]":
        if self.problem is not None:
            return fail(self.problem)
        return self.waiting or succeed(self.octets[offset : offset + min(most, 4)])

    def close(self) -> None:
        self.closed += 1


class ServingTests(Case):
    """The node a.example is asked by b.example."""

    def setUp(self) -> None:
        super().setUp()
        self.asked: list[tuple[str, FetchFile]] = []
        self.lent: list[Lent] = []
        self.reading: Callable[[], Lent] = Lent

        async def lend(node: str, asked: FetchFile) -> Any:
            self.asked.append((node, asked))
            self.lent.append(self.reading())
            return self.lent[-1]

        self.a.federation.connect((), {}, lend)

    def ask(self, body: Any = FILE, **more: Any) -> Answer:
        return self.send("POST", FILES_PATH, msgspec.json.encode(body), **more)

    def problem(self, answer: Answer) -> str:
        return str(msgspec.json.decode(answer.body)["code"])

    def test_served(self) -> None:
        """From the octet on that was asked for, for the node that has signed."""
        self.assertEqual(self.ask().body, b"octets")
        answer = self.ask(msgspec.structs.replace(FILE, offset=4))
        self.assertEqual((answer.status, answer.body), (200, b"ts"))
        self.assertEqual([node for node, _ in self.asked], ["b.example"] * 2)
        self.assertEqual([lent.closed for lent in self.lent], [1, 1])

    def test_not_signed(self) -> None:
        """Without a signature, with one for another body, and with one of before: nothing is opened."""
        body = msgspec.json.encode(FILE)
        fields = self.fields("POST", FILES_PATH, body)
        for given in (
            {},
            self.fields("POST", FILES_PATH, b"{}"),
            self.fields("POST", FILES_PATH + "x", body),
        ):
            answer = self.send("POST", FILES_PATH, body, given)
            self.assertEqual(answer.status, 401)
        self.assertEqual(self.send("POST", FILES_PATH, body, fields).status, 200)
        self.assertEqual(self.problem(self.send("POST", FILES_PATH, body, fields)), "replayed")
        self.assertEqual(len(self.asked), 1)

    def test_wrong(self) -> None:
        """What is no question, another method, and other paths."""
        plain: dict[str, Any] = msgspec.to_builtins(FILE)
        wrong: list[Mapping[str, Any]] = [
            {"chat": "../" + "a" * 24},
            {"file": "../../etc/passwd"},
            {"reader": "bob"},
            {"message": ""},
            {"offset": -1},
            {"size": 2**53},
            {"path": "/etc/passwd"},
        ]
        for each in wrong:
            self.assertEqual(self.problem(self.ask({**plain, **each})), "bad_request", each)
        self.assertEqual(self.ask([1]).status, 400)
        self.assertEqual(self.send("GET", FILES_PATH, b"").status, 405)
        for path in ("/", "/../x", "/%2e%2e/x", "?file=x", "%00"):
            self.assertEqual(self.send("POST", FILES_PATH + path, b"{}").status, 404, path)
        self.assertEqual(self.ask({**plain, "message": "x" * 70_000}).status, 413)
        self.assertEqual(self.asked, [])

    def test_not_lent(self) -> None:
        """What is in the way is told by its code, also where it is found at the first octet."""
        self.reading = lambda: Lent(problem=Problem(Code.FILE_LOST))
        answer = self.ask()
        self.assertEqual((answer.status, self.problem(answer)), (410, "file_lost"))
        self.assertEqual(self.lent[0].closed, 1)

        async def refuse(node: str, asked: FetchFile) -> Any:
            raise Problem(Code.NOT_FOUND)

        self.a.federation.connect((), {}, refuse)
        self.assertEqual(self.problem(self.ask()), "not_found")
        self.a.federation.connect((), {})
        self.assertEqual(self.problem(self.ask()), "not_found")

    def test_how_many(self) -> None:
        """A node has so many on their way; who is gone makes room, and what he read is closed."""
        self.patch(file_lending, "EACH", 2)

        def waits() -> Lent:
            lent = Lent()
            lent.waiting = Deferred()
            return lent

        self.reading = waits
        self.restart(2)
        body = msgspec.json.encode(FILE)
        channels = self.channels()
        for _ in range(2):
            send(self.a.site, "POST", FILES_PATH, body, self.fields("POST", FILES_PATH, body))
        self.assertEqual(self.problem(self.ask()), "busy")
        self.assertEqual([lent.closed for lent in self.lent], [0, 0])
        channels[0].connectionLost(Failure(ConnectionLost()))
        held = self.lent[0].waiting
        assert held is not None
        held.callback(b"octe")
        self.assertEqual([lent.closed for lent in self.lent], [1, 0])
        self.reading = Lent
        self.assertEqual(self.ask().body, b"octets")

    def test_gone_meanwhile(self) -> None:
        """Who is gone when his file is open gets nothing of it, and it is closed."""
        opening: Deferred[Lent] = Deferred()

        async def lend(node: str, asked: FetchFile) -> Any:
            self.asked.append((node, asked))
            return await opening

        self.a.federation.connect((), {}, lend)
        body = msgspec.json.encode(FILE)
        channels = self.channels()
        answered = send(self.a.site, "POST", FILES_PATH, body, self.fields("POST", FILES_PATH, body))
        self.pair.settle()
        self.assertEqual(len(self.asked), 1)
        channels[0].connectionLost(Failure(ConnectionLost()))
        lent = Lent()
        opening.callback(lent)
        self.assertEqual(lent.closed, 1)
        self.assertNoResult(answered)

    def channels(self) -> list[Any]:
        """The connections that are made from now on."""
        channels: list[Any] = []
        build = self.a.site.buildProtocol

        def built(address: Any) -> Any:
            channels.append(build(address))
            return channels[-1]

        self.patch(self.a.site, "buildProtocol", built)
        return channels

    def restart(self, each: int) -> None:
        """With another bound."""
        self.a.federation._resource._lending._held._each = each


class FetchingTests(SynchronousTestCase):
    """What b.example makes of the answers of a.example."""

    def fetched(self, answer: Streamed | NoAnswer, file: FetchFile = FILE) -> Any:
        """The body, or the problem."""
        asked: list[tuple[str, str, bytes]] = []

        def stream(node: str, path: str, body: bytes) -> "Deferred[Streamed]":
            asked.append((node, path, body))
            return fail(answer) if isinstance(answer, NoAnswer) else succeed(answer)

        done: list[Any] = []
        Deferred.fromCoroutine(fetch(stream, "a.example", file)).addBoth(done.append)
        self.assertEqual(asked, [("a.example", FILES_PATH, msgspec.json.encode(file))])
        return done[0] if isinstance(done[0], BodyStream) else done[0].value

    def answer(self, **changed: Any) -> Streamed:
        about = {"status": 200, "length": 6, "type": OCTETS, "body": BodyStream(Clock()), "problem": b""}
        return Streamed(**{**about, **changed})

    def test_right(self) -> None:
        """The rest of the file, as long as it has to be."""
        answer = self.answer()
        self.assertIs(self.fetched(answer), answer.body)
        answer = self.answer(length=2)
        self.assertIs(self.fetched(answer, msgspec.structs.replace(FILE, offset=4)), answer.body)

    def test_lies(self) -> None:
        """Longer, shorter, of no length, or something else: not a single octet is taken."""
        for changed in ({"length": 7}, {"length": 5}, {"length": None}, {"type": "text/html"}, {"type": ""}):
            answer = self.answer(**changed)
            self.assertIs(self.fetched(answer).code, Code.NODE_UNREACHABLE, changed)
            self.assertTrue(answer.body.broken)

    def test_problems(self) -> None:
        """What is told to who asks: nothing in the other node's words."""
        for told, code, after in (
            (Problem(Code.NOT_FOUND, "secret"), Code.NOT_FOUND, None),
            (Problem(Code.FILE_LOST), Code.NOT_FOUND, None),
            (Problem(Code.FEDERATION_REFUSED), Code.FEDERATION_REFUSED, None),
            (Problem(Code.RATE_LIMITED, retry_after=7.0), Code.BUSY, 7.0),
            (Problem(Code.BUSY, retry_after=1e9), Code.BUSY, 3600.0),
            (Problem(Code.STORAGE_UNAVAILABLE), Code.BUSY, 1.0),
            (Problem(Code.BAD_SIGNATURE), Code.NODE_UNREACHABLE, None),
            (Problem(Code.FILE_QUOTA), Code.NODE_UNREACHABLE, None),
        ):
            document = msgspec.json.encode(problem_details(told))
            problem = self.fetched(self.answer(status=told.code.value.status, problem=document))
            self.assertEqual((problem.code, problem.retry_after, problem.detail), (code, after, None))
        for nonsense in (b"", b"[]", b"\xff", b"[" * 5000):
            problem = self.fetched(self.answer(status=500, problem=nonsense))
            self.assertIs(problem.code, Code.NODE_UNREACHABLE)

    def test_no_answer(self) -> None:
        """Too many at once pass; all else is no answer."""
        self.assertIs(self.fetched(NoAnswer(TOO_MANY)).code, Code.BUSY)
        self.assertIs(self.fetched(NoAnswer("TLS failed")).code, Code.NODE_UNREACHABLE)
