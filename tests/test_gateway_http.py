"""The site alone, in clear, as the loopback health endpoint serves it."""

import tempfile
from io import BytesIO

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import Request

from safeum_home.errors import Code, Problem
from safeum_home.gateway.http import EdgeSite, respond_problem, site_root, websocket_url
from safeum_home.gateway.limits import EdgeLimits
from safeum_home.gateway.problems import raw_response


class Busy(Resource):
    isLeaf = True

    def render_GET(self, request: Request) -> bytes:
        return respond_problem(request, Problem(Code.RATE_LIMITED, retry_after=2.4))


class Echo(Resource):
    isLeaf = True

    def render_POST(self, request: Request) -> bytes:
        assert isinstance(request.content, BytesIO)
        return request.content.read()


class PlainSiteTests(SynchronousTestCase):
    def ask(self, octets: bytes, root: Resource | None = None) -> bytes:
        clock = Clock()
        root = root or site_root(lambda: {"status": "sealed", "level": "memfd_secret"})
        root.putChild(b"busy", Busy())
        root.putChild(b"echo", Echo())
        channel = EdgeSite(clock, EdgeLimits(), root).buildProtocol(None)
        transport = StringTransport()
        channel.makeConnection(transport)
        channel.dataReceived(octets)
        answer: bytes = transport.value()
        return answer

    def test_health(self) -> None:
        answer = self.ask(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 503 "), answer)
        self.assertTrue(answer.endswith(b'{"status":"sealed","level":"memfd_secret"}'), answer)

    def test_no_discovery_there(self) -> None:
        answer = self.ask(b"GET /.well-known/safeum/client HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 404 "), answer)

    def test_retry_after(self) -> None:
        answer = self.ask(b"GET /busy HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 429 "), answer)
        self.assertIn(b"Retry-After: 2\r\n", answer)

    def test_further_resources(self) -> None:
        """They are found at their paths, and the steps to them are not found themselves."""
        paths = {"/v1/sms/one": Echo(), "/v1/sms/two": Busy(), "/alone": Echo()}
        root = site_root(dict, resources=paths)
        for path, resource in paths.items():
            here = root
            for step in path.encode().split(b"/")[1:]:
                here = here.children[step]
            self.assertIs(here, resource)
        for missing in (b"/v1", b"/v1/sms", b"/v1/sms/", b"/v1/sms/three", b"/v1/ws/x"):
            answer = self.ask(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % missing, root)
            self.assertTrue(answer.startswith(b"HTTP/1.1 404 "), answer)
        answer = self.ask(b"GET /v1/sms/two HTTP/1.1\r\nHost: a\r\n\r\n", root)
        self.assertTrue(answer.startswith(b"HTTP/1.1 429 "), answer)

    def test_header_injection(self) -> None:
        answer = self.ask(b"GET /health HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer)

    def test_bodies_of_strangers_reach_no_disk(self) -> None:
        self.patch(tempfile, "TemporaryFile", lambda *_: self.fail("a body went into a file"))
        head = b"POST /echo HTTP/1.1\r\nHost: a\r\n"
        chunked = head + b"Transfer-Encoding: chunked\r\n\r\n"
        most = b"x" * EdgeLimits().body
        for length in (0, 1, len(most)):
            answer = self.ask(head + b"Content-Length: %d\r\n\r\n" % length + most[:length])
            self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer)
            self.assertTrue(answer.endswith(b"\r\n\r\n" + most[:length]))
        answer = self.ask(chunked + b"%x\r\n%b\r\n0\r\n\r\n" % (len(most), most))
        self.assertTrue(answer.endswith(b"\r\n\r\n" + most), answer)
        for too_long in (
            head + b"Content-Length: 200000\r\n\r\n" + most,
            chunked + b"%x\r\n%b\r\n" % (len(most) + 1, most + b"x"),
            chunked + b"1\r\nx\r\n" * (len(most) + 1),
        ):
            answer = self.ask(too_long)
            self.assertTrue(answer.startswith(b"HTTP/1.1 413 "), answer)
            self.assertEqual(answer.count(b"HTTP/1.1"), 1)

    def test_two_lengths(self) -> None:
        head = b"POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
        for more in (b"Content-Length: 2\r\n", b"Transfer-Encoding: chunked\r\n"):
            answer = self.ask(head + more + b"\r\nx")
            self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer)
            self.assertEqual(answer.count(b"HTTP/1.1"), 1)


class DocumentTests(SynchronousTestCase):
    def test_raw_response(self) -> None:
        head, _, body = raw_response(Problem(Code.TOO_LARGE), 431, [("X-A", "1")]).partition(b"\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\nX-A: 1\r\n"))
        self.assertIn(b"Content-Length: %d" % len(body), head)
        self.assertIn(b'"status":431', body)

    def test_websocket_url(self) -> None:
        self.assertEqual(websocket_url("node.example:8443"), "wss://node.example:8443/v1/ws")
