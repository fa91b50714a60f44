"""A hostile peer, with keys and manners of its own: what it says is refused, and others go on."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransport
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.web.resource import Resource

from safeum_home.errors import Code, Problem
from safeum_home.outgoing.http import Answer
from safeum_home.protocol import federation
from safeum_home.protocol.federation.files import FILES_PATH
from safeum_home.protocol.federation.keys import write_document
from safeum_home.protocol.federation.now import NOW_PATH
from safeum_home.protocol.federation.questions import QUESTIONS, FindAccount, FoundAccount
from safeum_home.protocol.federation.transactions import (
    ASK_PATH,
    FEDERATION_PATH,
    HELLO_PATH,
    TRANSACTIONS_PATH,
    body_of,
)
from safeum_home.protocol.http import NODE_KEYS_PATH
from tests.federated import refuse
from tests.federated_http import send
from tests.federation import signer
from tests.hostile_peer import EVIL, STREAM, A, B, HostileCase
from tests.world import World

SIGNED = {
    ("PUT", f"{TRANSACTIONS_PATH}{STREAM}/1"): b'{"events":[]}',
    ("POST", HELLO_PATH): b"{}",
    ("POST", FILES_PATH): b"{}",
    ("POST", NOW_PATH): b'{"events":[]}',
    **{
        ("POST", ASK_PATH + name): b"{}"
        for name in (
            "account.find",
            "conference.get",
            "conference.seat",
            "group.command",
            "keys.query",
            "profile.avatar",
        )
    },
}
"""Every request of one node to another that has to be signed."""
UNSIGNED = {NODE_KEYS_PATH}
"""What anybody may ask for. It changes nothing."""


class EndpointTests(HostileCase):
    """CVE-2019-18835: nothing is served to other nodes that does not check who asks."""

    def test_all_known(self) -> None:
        """Whoever adds an endpoint adds it to the table, and thereby has it checked below."""
        served = set(self.a.federation.resources)
        self.assertEqual(served, UNSIGNED | {FEDERATION_PATH.rstrip("/")})
        paths = {
            value
            for module in iter_modules(federation.__path__)
            for name, value in vars(import_module(f"{federation.__name__}.{module.name}")).items()
            if name.endswith("_PATH") and isinstance(value, str) and value.startswith(FEDERATION_PATH)
        } - {FEDERATION_PATH, ASK_PATH, TRANSACTIONS_PATH}
        paths |= {ASK_PATH + name for name in QUESTIONS} | {f"{TRANSACTIONS_PATH}{STREAM}/1"}
        self.assertEqual(paths, {path for _, path in SIGNED})
        self.assertEqual(_leaves(self.a.site.resource), served | {"/health"})

    def test_unsigned(self) -> None:
        """Without a signature, with one by another key, of another request, and in another's name."""
        for (method, path), body in SIGNED.items():
            good = self.fields(method, path, body)
            other = self.fields(method, "/_safeum/federation/v1/other", body)
            forged = self.fields(method, path, body, signer=signer(9))
            as_another = self.fields(method, path, body, origin=B)
            for fields in ({}, {**good, "Signature": other["Signature"]}, forged, as_another):
                answer = self.request(method, path, body, fields)
                self.assertEqual(answer.status, 401, (path, answer.body))
        self.assertEqual((self.a.arrived(), self.a.database.count("peers")), ([], self.known))

    def test_signed(self) -> None:
        """And with one it is another matter: the paths are those that are served."""
        for (method, path), body in SIGNED.items():
            answer = self.request(method, path, body)
            self.assertNotIn(answer.status, (401, 405), (path, answer.body))

    def setUp(self) -> None:
        super().setUp()
        self.known = self.a.database.count("peers")


class EventTests(HostileCase):
    """What it says."""

    def test_its_own(self) -> None:
        """What is right is taken: nothing below is refused for another reason than it should be."""
        self.assertEqual(self.tell(self.event(), self.with_value("7")), ["", ""])
        self.assertEqual(self.a.values(), [1, 7])

    def test_not_its_sender(self) -> None:
        """CVE-2018-16515: signed by the node that delivers it, but not by that of its sender."""
        sender = f"@{'b' * 26}:{B}"
        self.assertEqual(self.tell(self.event(sender=sender)), ["wrong_sender_node"])
        self.assertEqual(self.a.arrived(), [])

    def test_another_signature(self) -> None:
        """An event of another node that it has signed itself, and one of its own that another has signed."""
        another = self.plain(node=B, sender=f"@{'b' * 26}:{B}")
        unsigned = msgspec.json.encode(another, order="sorted")
        own = msgspec.json.encode(self.plain(), order="sorted")
        told = self.tell(
            self.signed(unsigned, EVIL), self.signed(unsigned, EVIL, B), self.signed(own, B, EVIL)
        )
        self.assertEqual(told[:2], ["wrong_sender_node"] * 2)
        self.assertIn(told[2], ("bad_signature", "unknown_key"))
        self.assertEqual(self.a.arrived(), [])

    def test_passed_on(self) -> None:
        """What another node did sign, but not for this one to tell."""
        sender = f"@{'b' * 26}:{B}"
        self.assertEqual(self.tell(self.event(B, node=B, sender=sender)), ["wrong_sender_node"])
        self.assertEqual(self.a.arrived(), [])

    def test_numbers(self) -> None:
        """CVE-2025-30355: integers that another reader would take for others, or not at all."""
        for text in (f"{2**53}", f"-{2**53}", f"{2**64}", "9" * 400):
            self.assertEqual(self.tell(self.with_value(text)), ["malformed_event"], text[:30])
        self.assertEqual(self.tell(self.with_value(f"{2**53 - 1}")), [""])
        self.assertEqual(self.a.values(), [2**53 - 1])

    def test_no_numbers(self) -> None:
        """CVE-2020-26890: floats; and what is no JSON spoils the transaction that it is in alone."""
        for text in ("1.0", "1e3", "-0", "0.1"):
            self.assertEqual(self.tell(self.with_value(text)), ["malformed_event"], text)
        for text in ("NaN", "Infinity", "-Infinity", "01"):
            body = body_of([self.with_value(text)])
            answer = self.request("PUT", f"{TRANSACTIONS_PATH}{STREAM}/{self.number + 1}", body)
            self.assertEqual(self.code(answer), (400, "bad_request"), text)
        self.assertEqual(self.tell(self.event()), [""])
        self.assertEqual(self.a.values(), [1])

    def test_two_readings(self) -> None:
        """A member that is there twice, spaces, escapes, another order: nobody reads it in two ways."""
        for text in ('1,"value":2', "1 ", '"\\u0061"', '{"b":1,"a":2}'):
            self.assertEqual(self.tell(self.with_value(text)), ["malformed_event"], text)

    def test_deep(self) -> None:
        """What is nested so deeply that a reader runs out of stack."""
        self.assertEqual(self.tell(self.with_value("[" * 40 + "]" * 40)), ["malformed_event"])

    def test_poison(self) -> None:
        """CVE-2023-32323, CVE-2025-61672: one that this node fails at holds up nothing behind it, ever."""

        def fail(event: Any) -> None:
            if event.content["value"] == 13:
                raise KeyError("it fails at this one")

        self.a.kinds[0].applying = fail
        told = self.tell(self.event(id="1"), self.event(id="2", content={"value": 13}), self.event(id="3"))
        self.assertEqual(told, ["", "internal_error", ""])
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)
        self.assertEqual(self.tell(self.event(id="4")), [""])
        self.assertEqual([name for _, name, _ in self.a.arrived()], ["1", "3", "4"])

    def test_poison_in_the_database(self) -> None:
        """The same where the commit fails, also among messages that are stored together."""

        def fail(_c: Any, event: Any) -> None:
            if event.content["value"] == 13:
                raise KeyError("it cannot be stored")

        self.a.kinds[1].storing = fail
        told = self.tell(
            *(
                self.event(type="chat.message", id=f"{value}", content={"value": value})
                for value in (12, 13, 14)
            )
        )
        self.assertEqual(told, ["", "internal_error", ""])
        self.assertEqual(self.a.values(), [12, 14])
        self.flushLoggedErrors(KeyError)


class PathTests(HostileCase):
    """What it asks for, and what it learns of who there is."""

    def test_ids(self) -> None:
        """CVE-2021-41281: an id is no path; what is none gets no further than its form."""
        known = {"account": f"@{'a' * 26}:{A}", "viewer": f"@{'e' * 26}:{EVIL}"}
        chat, file = "!" + "a" * 26, "F" + "a" * 26
        for path in ("../../../../etc/passwd", "/etc/passwd", "..%2f..%2fpasswd", "\0", "a/../b", "." * 27):
            for where, asked in (
                (ASK_PATH + "profile.avatar", {**known, "avatar": path}),
                (FILES_PATH, _file(chat, path, known["viewer"])),
                (FILES_PATH, _file(path, file, known["viewer"])),
            ):
                answer = self.request("POST", where, msgspec.json.encode(asked))
                self.assertEqual(self.code(answer), (400, "bad_request"), (where, path))
        answer = self.request("POST", FILES_PATH, msgspec.json.encode(_file(chat, file, known["viewer"])))
        self.assertEqual(self.code(answer), (404, "not_found"))

    def test_nobody_alike(self) -> None:
        """CVE-2023-43796: who is not there, was closed, is a number, or no login, is answered alike."""
        world = World()
        world.register("alice")
        asked = ("nobody", "safeum", "+436641234567", "a b", "@" + "a" * 26)
        answers = {self.answer(world, login) for login in asked}
        self.assertEqual(answers, {(Code.NOT_FOUND, None, None)})
        self.assertIsInstance(self.successResultOf(self.ask(world, "alice")), FoundAccount)

    def ask(self, world: World, login: str) -> "Deferred[Any]":
        answer: Any = world.domain.answers[FindAccount]
        asked: Deferred[Any] = Deferred.fromCoroutine(answer(EVIL, FindAccount(login)))
        return asked

    def answer(self, world: World, login: str) -> Any:
        problem = self.failureResultOf(self.ask(world, login), Problem).value
        return problem.code, problem.detail, problem.retry_after


def _file(chat: str, file: str, reader: str) -> dict[str, Any]:
    about = {"chat": chat, "message": "m1", "reader": reader, "file": file, "size": 6}
    return {**about, "type": "text/plain"}


class KeyTests(HostileCase):
    """What it publishes, and where."""

    def lie(self, document: bytes) -> tuple[int, str]:
        """What its next request is answered with, while it publishes this."""
        self.a.federation.keys._held.clear()
        self.pair.answers[EVIL] = Answer(200, document)
        return self.code(self.request("POST", HELLO_PATH, b"{}"))

    def test_documents(self) -> None:
        """Another's name, not signed with its keys, over, garbage: it stays unknown."""
        valid = int(self.pair.clock.seconds() * 1000) + 86_400_000
        own = {"ed25519:1": signer(1)}
        good = write_document(EVIL, valid, own, {})
        wrong = (
            write_document(B, valid, own, {}),
            good.replace(EVIL.encode(), b"evil.example:1", 1),
            write_document(EVIL, 1, own, {}),
            good.replace(b'"valid_until":', b'"valid_until":1'),
            b"{}",
            b"<html>",
            b"\xff" * 1000,
            b"[" * 100_000,
        )
        for document in wrong:
            self.pair.settle(60)
            self.assertEqual(self.lie(document), (502, "node_unreachable"), document[:60])
        self.still_well()

    def test_fetched_seldom(self) -> None:
        """Keys that nobody has are not asked for with each request that names one."""
        before = len(self.pair.requests)
        for number in range(50):
            fields = self.fields("POST", HELLO_PATH, b"{}", key_id=f"ed25519:{number + 50}")
            self.request("POST", HELLO_PATH, b"{}", fields)
        asked = [each for each in self.pair.requests[before:] if each[1] == EVIL]
        self.assertLess(len(asked), 10)
        self.still_well()


class FloodTests(HostileCase):
    """What it costs, counted."""

    options = {"asked_per_node": 10.0, "asked_per_node_burst": 20}

    def test_requests(self) -> None:
        """A node that asks without end is answered by the head of its requests; others are not."""
        applied = 0
        for number in range(200):
            path = f"{TRANSACTIONS_PATH}{STREAM}/{number + 1}"
            body = body_of([])
            answered = send(self.a.site, "PUT", path, body, self.fields("PUT", path, body))
            self.pair.clock.pump([0.001] * 3)
            applied += self.successResultOf(answered).status == 200
        self.assertLess(applied, 40)
        self.still_well()

    def test_rewinding(self) -> None:
        """It may begin as many streams as it likes: what is remembered of it stays one row."""
        rows = self.a.database.count("peers")
        for number in range(20):
            path = f"{TRANSACTIONS_PATH}{'F' * 19}{number:02}A/1"
            self.request("PUT", path, body_of([]))
            self.pair.settle(1)
        self.assertLessEqual(self.a.database.count("peers"), rows + 1)
        self.still_well()

    def test_busy_for_ever(self) -> None:
        """While one of its transactions is applied, or has to wait, nothing of others waits."""
        for code, status in ((Code.STORAGE_UNAVAILABLE, 503), (Code.BUSY, 200)):
            self.a.kinds[0].applying = partial(_of_evil, refuse(code))
            for _ in range(5):
                path = f"{TRANSACTIONS_PATH}{STREAM}/1"
                answer = self.request("PUT", path, body_of([self.event()]))
                self.assertEqual(answer.status, status)
        self.still_well()


def _of_evil(refusing: Callable[[Any], None], event: Any) -> None:
    if event.node == EVIL:
        refusing(event)


class LogTests(HostileCase):
    """synapse#3327, #13855: what it says is in no log, whatever becomes of it."""

    def setUp(self) -> None:
        super().setUp()
        self.logged: list[str] = []
        observer: Any = self.log
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def log(self, event: LogEvent) -> None:
        self.logged.append(f"{formatEvent(event)} {event.get('log_failure')}")

    def test_nothing(self) -> None:
        """Neither what is taken nor what is refused, nor paths, fields and keys; nor whose it is."""
        mark = "canary" * 3

        def fail(event: Any) -> None:
            if event.id == "2":
                raise KeyError("it fails at this one")

        self.a.kinds[0].applying = fail
        for event in (
            self.event(content={"value": 1, "text": mark}),
            self.event(content={"value": 2, "text": mark}, id="2"),
            self.event(content={"value": 3, "text": mark}, sender=f"@{'b' * 26}:{B}"),
            self.event(type=f"test.{mark}"),
            self.with_value(f'1.0,"{mark}":1'),
        ):
            self.tell(event)
        for path in (f"{ASK_PATH}{mark}", f"{HELLO_PATH}?{mark}", f"/{mark}"):
            for fields in ({}, {"Signature": mark, "Safeum-Origin": mark}, None):
                self.request("POST", path, mark.encode(), fields)
        self.pair.answers[EVIL] = Answer(200, mark.encode())
        self.request("POST", HELLO_PATH, b"{}", self.fields("POST", HELLO_PATH, b"{}", key_id="ed25519:8"))
        self.assertTrue(self.logged)
        self.flushLoggedErrors(KeyError)
        for line in self.logged:
            self.assertNotIn(mark, line)
            self.assertNotIn("e" * 26, line)


class PipelineTests(HostileCase):
    """CVE-2024-41671: answers come in the order of the requests on a connection."""

    def test_in_order(self) -> None:
        """Three at once, of which the second would be answered first."""
        channel = self.a.site.buildProtocol(None)
        transport = StringTransport()
        channel.makeConnection(transport)
        self.a.database.hold = True
        parts = []
        for method, path, body in (
            ("PUT", f"{TRANSACTIONS_PATH}{STREAM}/1", body_of([self.event()])),
            ("GET", NODE_KEYS_PATH, b""),
            ("POST", ASK_PATH + "nothing", b"{}"),
        ):
            fields = self.fields(method, path, body)
            lines = [f"{method} {path} HTTP/1.1", "Host: node", f"Content-Length: {len(body)}"]
            lines += [f"{name}: {value}" for name, value in fields.items()]
            parts.append("\r\n".join([*lines, "", ""]).encode() + body)
        channel.dataReceived(b"".join(parts))
        self.pair.settle()
        self.assertEqual(transport.value(), b"")
        self.a.database.hold = False
        self.a.database.release()
        self.pair.settle()
        octets = transport.value()
        self.assertLess(octets.index(b'"received":1'), octets.index(b'"verify_keys"'))
        self.assertLess(octets.index(b'"verify_keys"'), octets.index(b'"not_found"'))


def _leaves(resource: Any, path: str = "") -> set[str]:
    """The paths below a resource at which something is served."""
    assert isinstance(resource, Resource)
    if resource.isLeaf:
        return {path}
    found = [_leaves(child, f"{path}/{name.decode()}") for name, child in resource.children.items()]
    return set().union(*found)
