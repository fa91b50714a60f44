"""Clients that are slow, silent, greedy or many: each is ended in time, and takes nothing from others."""

import contextlib
import selectors
import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count

from tests.e2e.abuse import AUTHENTICATION_SECONDS, AbuseTestCase
from tests.e2e.people import connect, history, pair, resume
from tests.e2e.wire import PING, UPGRADE, Ended, Wire, frame, plain_socket

DEADLINE = 60.0
"""Seconds after which a client that should have been ended is one that never will be."""
_addresses = (f"127.0.1.{number}" for number in count(1))
_names = (f"talker{number}" for number in count(1))


class SlowClientTests(AbuseTestCase):
    """Those who open connections and do not get on with it."""

    def _dripped(self, octets: bytes, send: Callable[[bytes], object]) -> None:
        """Send an octet now and then, until the connection is ended; raises ConnectionError."""
        deadline = time.monotonic() + DEADLINE
        for at in range(len(octets)):
            send(octets[at : at + 1])
            time.sleep(0.2)
            if time.monotonic() > deadline:
                raise AssertionError("this may go on for ever")

    def _plain(self, octets: bytes, drip: bool = False) -> str:
        """Octets on the bare port, and then silence."""
        with plain_socket(self.node.port, next(_addresses)) as connection:
            connection.settimeout(DEADLINE)
            with contextlib.suppress(ConnectionError):
                if drip:
                    self._dripped(octets, connection.send)
                else:
                    connection.sendall(octets)
                while connection.recv(4096):
                    pass
        return "ended"

    def _encrypted(self, octets: bytes, drip: bytes = b"") -> str:
        """Octets inside TLS, then some slowly, and then silence; the first line of what is answered."""
        with self.node.connect(source=next(_addresses)) as wire:
            wire.socket.settimeout(DEADLINE)
            with contextlib.suppress(ConnectionError):
                wire.send(octets)
                self._dripped(drip, wire.send)
            return wire.drained().partition(b"\r\n")[0].decode() or "ended"

    def _endless(self) -> str:
        """A head that has no end, as fast as it is taken."""
        with self.node.connect(source=next(_addresses)) as wire:
            with contextlib.suppress(ConnectionError):
                wire.send(b"GET /health HTTP/1.1\r\n")
                for _ in range(200_000):
                    wire.send(b"X: " + b"x" * 500 + b"\r\n")
            return wire.drained().partition(b"\r\n")[0].decode() or "ended"

    def _websocket(self, octets: bytes = b"") -> str:
        """A handshake, some octets, and then silence."""
        with connect(self.node, source=next(_addresses)) as client:
            client.wire.socket.settimeout(DEADLINE)
            client.wire.send(octets)
            try:
                client.read()
            except Ended as ended:
                return f"{ended.code} {ended.reason}"
        return "answered"

    def test_all_at_once(self) -> None:
        """Silence, half a handshake, garbage, and what drips: all ended by the node."""
        hello = _client_hello()
        ask = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
        post = b"POST /health HTTP/1.1\r\nHost: localhost\r\n"
        slow = b"X: " + b"x" * 2000
        upgrade = UPGRADE.encode()
        cases: dict[str, tuple[Callable[[], str], set[str]]] = {
            "nothing at all": (lambda: self._plain(b""), {"ended"}),
            "half a ClientHello": (lambda: self._plain(hello[:100]), {"ended"}),
            "a ClientHello": (lambda: self._plain(hello), {"ended"}),
            "a ClientHello that drips": (lambda: self._plain(hello, drip=True), {"ended"}),
            "garbage": (lambda: self._plain(b"\x80" * 5000), {"ended"}),
            "HTTP in clear": (lambda: self._plain(ask + b"\r\n"), {"ended"}),
            "a handshake and nothing": (lambda: self._encrypted(b""), {"ended"}),
            "half a head": (lambda: self._encrypted(ask), {"ended"}),
            "a head that drips": (lambda: self._encrypted(ask, slow), {"ended"}),
            "an upgrade that drips": (lambda: self._encrypted(upgrade[:-2], slow), {"ended"}),
            "a body that does not come": (
                lambda: self._encrypted(post + b"Content-Length: 2000\r\n\r\n"),
                {"ended"},
            ),
            "a body that drips": (
                lambda: self._encrypted(post + b"Content-Length: 2000\r\n\r\n", slow),
                {"ended"},
            ),
            "chunks that drip": (
                lambda: self._encrypted(post + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 400),
                {"ended"},
            ),
            "a head without end": (
                self._endless,
                {"HTTP/1.1 431 Request Header Fields Too Large", "ended"},
            ),
            "a WebSocket and nothing": (self._websocket, {"4001 authenticate in time"}),
            "a WebSocket and half a frame": (
                lambda: self._websocket(frame(b"x" * 100)[:50]),
                {"4001 authenticate in time"},
            ),
        }
        with ThreadPoolExecutor(len(cases)) as threads:
            began = time.monotonic()
            running = {name: threads.submit(_timed, run) for name, (run, _) in cases.items()}
            for name, one in running.items():
                answer, seconds = one.result()
                self.assertIn(answer, cases[name][1], name)
                print(f"\n    {name}: {answer}, after {seconds:.1f} s", end="")
            self.assertGreater(time.monotonic() - began, AUTHENTICATION_SECONDS)


class GreedyClientTests(AbuseTestCase):
    """Those who send and do not read, and those who are too many."""

    def _flood(self, wire: Wire, octets: bytes, megabytes: int) -> None:
        """Send without reading, as much as the node takes; it may also stop to, or end the connection."""
        wire.socket.settimeout(3)
        batch = octets * (100_000 // len(octets))
        with contextlib.suppress(ConnectionError, TimeoutError):
            for _ in range(megabytes * 1_000_000 // len(batch)):
                wire.send(batch)

    def test_pings_unread(self) -> None:
        """Pongs that nobody reads do not pile up."""
        with resume(self.node, self.person, source=next(_addresses), receive_buffer=4096) as client:
            self._flood(client.wire, frame(b"x" * 125, PING), 100)

    def test_requests_unread(self) -> None:
        """Nor do answers."""
        ask = frame(b'{"jsonrpc":"2.0","id":1,"method":"device.list"}')
        with resume(self.node, self.person, source=next(_addresses), receive_buffer=4096) as client:
            self._flood(client.wire, ask, 30)

    def test_pipeline_unread(self) -> None:
        """Nor do HTTP's."""
        ask = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
        with self.node.connect(source=next(_addresses), receive_buffer=4096) as wire:
            self._flood(wire, ask, 15)

    def test_pings(self) -> None:
        """Pings whose pongs are read are answered, every one."""
        with resume(self.node, self.person, source=next(_addresses)) as client:
            for _ in range(50):
                client.wire.send(b"".join(frame(b"%d" % number, PING) for number in range(400)))
                for number in range(400):
                    self.assertEqual(client.read_frame()[1], b"%d" % number)

    def test_slow_reader(self) -> None:
        """Who reads nothing is ended; who then comes back is told everything, once, in order."""
        names = next(_names), next(_names)
        _, writer, reader, at_reader, chat = pair(self.node, *names, source=next(_addresses))
        at_reader.close()
        slow = resume(self.node, reader, reader.cursor, source=next(_addresses), receive_buffer=4096)
        sent = []
        for number in range(1500):
            body = {"kind": "text", "text": f"{number} " + "x" * 8000}
            sent.append(writer.call("chat.send", chat=chat, client_id=str(number), body=body)["id"])
            writer.events.clear()
        heard, cursor = [], reader.cursor
        ended = None
        try:
            while True:
                event = slow.read()
                cursor = event["params"].get("cursor") or event["params"].get("id") or cursor
                if event["method"] == "chat.message" and event["params"]["chat"] == chat:
                    heard.append(event["params"]["id"])
        except ConnectionError as error:
            ended = error
        self.assertLess(len(heard), len(sent), "the node held everything for a client that did not read")
        if isinstance(ended, Ended) and ended.code is not None:
            self.assertEqual(ended.code, 4008)
        print(f"\n    {len(heard)} of {len(sent)} heard before: {ended}", end="")
        with resume(self.node, reader, cursor) as client:
            while True:
                event = client.read()
                if event["method"] == "session.synced":
                    break
                if event["method"] == "chat.message" and event["params"]["chat"] == chat:
                    heard.append(event["params"]["id"])
            self.assertEqual(heard, sent)
            self.assertEqual([message["id"] for message in history(client, chat)], sent)
        writer.close()

    def test_thousand_connections(self) -> None:
        """From one address only so many are taken; the rest is closed at once; later there is room again."""
        address = next(_addresses)
        with ExitStack() as stack:
            ended = stack.enter_context(selectors.DefaultSelector())
            for _ in range(1000):
                one = stack.enter_context(plain_socket(self.node.port, address))
                ended.register(one, selectors.EVENT_READ)
            with self.assertRaises((ConnectionError, ssl.SSLError)):
                self.node.connect(source=address)
            # Nothing was sent on these, so all that there can be to read is their end.
            self._wait(lambda: len(ended.select(0)) >= 1000 - 64)
        self._wait(lambda: self._is_taken(address))

    def _is_taken(self, address: str) -> bool:
        try:
            with self.node.connect(source=address) as wire:
                return wire.get("/health")[0] == 200
        except (ConnectionError, ssl.SSLError):
            return False

    def _wait(self, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE
        while not happened():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)


def _timed(run: Callable[[], str]) -> tuple[str, float]:
    began = time.monotonic()
    return run(), time.monotonic() - began


def _client_hello() -> bytes:
    outgoing = ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()
