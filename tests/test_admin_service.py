"""The operator's socket: who gets in, what is answered, and what a bad peer can do."""

import json
import os
import socket
import tempfile
from pathlib import Path
from typing import Any

from msgspec import Struct
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import ITransport
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.admin.commands import Handler, standard_handlers
from safeum_home.admin.service import IDLE, MOST_CONNECTIONS, AdminConnection, AdminFactory, listen
from safeum_home.admin.wire import MAX_LINE, Done, Params, Status
from safeum_home.errors import Code, Problem

STATUS = Status("1", "home.example", "sealed", 1, 3, "memfd_secret", True, "sqlite", 5)


class Reached(Struct):
    """How far unsealing is."""

    state: str
    have: int
    needed: int


class FakeSeal:
    """Takes the share `right`, three times."""

    have = 0

    def offer(self, text: str) -> Reached:
        if text != "right":
            raise Problem(Code.INVALID_WORDS)
        self.have += 1
        return Reached("open" if self.have == 3 else "unsealing", self.have, 3)

    def forget(self) -> Reached:
        self.have = 0
        return Reached("sealed", 0, 0)


class FakeSecrets(dict[str, bytes]):
    """Secrets in a dict."""

    def names(self) -> list[str]:
        return sorted(self)

    def set(self, name: str, value: bytes) -> None:
        if name == "full":
            raise OSError(28, "No space left on device")
        self[name] = value

    def delete(self, name: str) -> None:
        if name not in self:
            raise Problem(Code.NOT_FOUND)
        del self[name]


class AdminCase(SynchronousTestCase):
    """A factory over fakes, and connections to it in memory."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.seal = FakeSeal()
        self.held = FakeSecrets()
        self.sealed = False
        self.uid = os.geteuid()
        self.later: Deferred[Struct] = Deferred()
        handlers = standard_handlers(lambda: STATUS, self.seal, self._secrets, maybeDeferred)
        handlers["later"] = Handler(Params, lambda _: self.later)
        handlers["broken"] = Handler(Params, lambda _: 1 / 0)  # type: ignore[arg-type,return-value]  # it fails
        self.factory = AdminFactory(self.clock, handlers, self._uid_of)

    def _secrets(self) -> FakeSecrets:
        if self.sealed:
            raise Problem(Code.SEALED)
        return self.held

    def _uid_of(self, _transport: ITransport) -> int:
        return self.uid

    def connect(self) -> tuple[AdminConnection, StringTransport]:
        connection = self.factory.buildProtocol(None)
        assert connection is not None
        transport = StringTransport()
        connection.makeConnection(transport)
        return connection, transport

    def ask(self, line: bytes) -> Any:
        """The answer to one line, on a connection of its own."""
        connection, transport = self.connect()
        connection.dataReceived(line + b"\n")
        connection.connectionLost()
        return json.loads(transport.value())

    def call(self, method: str, **params: Any) -> Any:
        answer = self.ask(
            json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).encode()
        )
        self.assertEqual(answer["id"], 7)
        return answer["result"] if "result" in answer else answer["error"]["data"]["code"]


class CommandTests(AdminCase):
    """What every node answers."""

    def test_status(self) -> None:
        """Status is what the node says of itself; parameters may be left out."""
        self.assertEqual(self.call("status")["memory"], "memfd_secret")
        answer = self.ask(b'{"jsonrpc":"2.0","id":1,"method":"status"}')
        self.assertEqual(answer["result"]["node"], "home.example")

    def test_unseal(self) -> None:
        """Shares lead to progress; wrong ones are refused by code."""
        self.assertEqual(self.call("unseal", words="right"), {"state": "unsealing", "have": 1, "needed": 3})
        self.assertEqual(self.call("unseal", words="wrong"), "invalid_words")
        self.assertEqual(self.call("unseal.forget")["state"], "sealed")

    def test_secrets(self) -> None:
        """Secrets are set, listed and deleted, and never told."""
        self.assertEqual(self.call("secret.set", name="a", value="AAEC"), {})
        self.assertEqual(self.held, {"a": b"\x00\x01\x02"})
        self.assertEqual(self.call("secret.list"), {"names": ["a"]})
        self.assertEqual(self.call("secret.delete", name="a"), {})
        self.assertEqual(self.call("secret.delete", name="a"), "not_found")
        self.assertEqual(self.call("secret.set", name="full", value=""), "storage_unavailable")
        self.sealed = True
        self.assertEqual(self.call("secret.list"), "sealed")
        self.assertEqual(self.call("secret.set", name="a", value=""), "sealed")

    def test_refused(self) -> None:
        """What is not a request, or not one of these, is answered by code."""
        self.assertEqual(self.call("no.such"), "method_not_found")
        self.assertEqual(self.call("unseal"), "invalid_params")
        self.assertEqual(self.call("unseal", words="x" * 2000), "invalid_params")
        self.assertEqual(self.call("unseal", words=1), "invalid_params")
        self.assertEqual(self.call("status", extra=1), "invalid_params")
        for line in (b"", b"{", b"[]", b"\xff", b'{"id":1,"method":"status"}', b"[" * 100_000):
            self.assertEqual(self.ask(line)["error"]["data"]["code"], "invalid_request")

    def test_broken(self) -> None:
        """A command that fails is logged, and its caller is told no more than that."""
        self.assertEqual(self.call("broken"), "internal_error")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class ConnectionTests(AdminCase):
    """One request at a time, within bounds."""

    REQUEST = b'{"jsonrpc":"2.0","id":1,"method":"%b"}\n'

    def test_one_at_a_time(self) -> None:
        """While an answer is awaited nothing more is read."""
        connection, transport = self.connect()
        connection.dataReceived(self.REQUEST % b"later" + self.REQUEST % b"status")
        self.assertEqual(transport.value(), b"")
        self.assertEqual(transport.producerState, "paused")
        self.later.callback(Done())
        self.assertEqual(transport.producerState, "producing")
        self.assertEqual(len(transport.value().splitlines()), 2)

    def test_gone_meanwhile(self) -> None:
        """An answer for a peer that has gone is dropped."""
        connection, transport = self.connect()
        connection.dataReceived(self.REQUEST % b"later")
        connection.connectionLost()
        self.later.callback(Done())
        self.assertEqual(transport.value(), b"")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_other_users(self) -> None:
        """Root and the node's own user are let in, nobody else."""
        self.uid = os.geteuid() + 1
        connection, transport = self.connect()
        self.assertTrue(transport.disconnecting)
        connection.dataReceived(self.REQUEST % b"status")
        self.assertEqual(transport.value(), b"")
        self.uid = 0
        self.assertFalse(self.connect()[1].disconnecting)

    def test_long_line(self) -> None:
        """A line over the bound is refused, whether it ends or not."""
        for end in (b"", b"\n"):
            connection, transport = self.connect()
            connection.dataReceived(b"x" * (MAX_LINE + 2) + end)
            self.assertEqual(json.loads(transport.value())["error"]["data"]["code"], "too_large")
            self.assertTrue(transport.disconnecting)

    def test_idle(self) -> None:
        """A connection without a request is closed, one that waits for its answer is not."""
        connection, transport = self.connect()
        connection.dataReceived(self.REQUEST % b"later")
        self.clock.advance(2 * IDLE)
        self.assertFalse(transport.disconnecting)
        self.later.callback(Done())
        self.clock.advance(IDLE)
        self.assertTrue(transport.disconnecting)

    def test_many(self) -> None:
        """Connections are bounded, and all are closed with the port."""
        held = [self.connect() for _ in range(MOST_CONNECTIONS)]
        self.assertIsNone(self.factory.buildProtocol(None))
        held[0][0].connectionLost()
        self.connect()
        self.factory.stopFactory()
        self.assertTrue(all(transport.disconnecting for _, transport in held[1:]))


class ListenTests(SynchronousTestCase):
    """The socket itself."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="admin")  # trial's own paths are too long for unix(7)
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name, "admin.sock")
        self.reactor = MemoryReactorClock()
        self.factory = AdminFactory(self.reactor, {})

    def test_mode(self) -> None:
        """The socket is bound under a mask that leaves it to its owner, and the mask is put back."""
        masks = []

        def listen_unix(*_arguments: object, **_options: object) -> None:
            masks.append(os.umask(0))
            os.umask(masks[0])

        before = os.umask(0o022)
        try:
            self.patch(self.reactor, "listenUNIX", listen_unix)
            listen(self.reactor, self.path, self.factory)
            self.assertEqual(masks, [0o177])
            self.assertEqual(os.umask(0o022), 0o022)
        finally:
            os.umask(before)

    def test_stale(self) -> None:
        """A socket that nobody answers at is replaced; a live one, and what is no socket, is not."""
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(self.path))
            other.listen()
            with self.assertRaises(OSError) as caught:
                listen(self.reactor, self.path, self.factory)
            self.assertEqual(caught.exception.strerror, "a node answers there")
        listen(self.reactor, self.path, self.factory)
        self.assertFalse(self.path.exists())
        self.assertEqual(len(self.reactor.unixServers), 1)
        self.path.write_text("notes")
        self.assertRaises(FileExistsError, listen, self.reactor, self.path, self.factory)
        self.assertEqual(self.path.read_text(), "notes")
