"""Signing up and in by number, by a person at a terminal: the real client before a real node, in memory."""

import asyncio
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.connection.connection import Listener
from safeum_home.client.connection.requests import Wire
from safeum_home.client.entry.entry import Options, Person, alias_of, enter, sign_up
from safeum_home.client.errors import Closing, Disconnected, RemoteProblem
from safeum_home.client.session import Client
from safeum_home.client.words.text import safe
from safeum_home.errors import Code, Problem
from safeum_home.protocol.types import DeviceInfo, Message, NumberClaim
from tests.client_desk import NOW, DeskTestCase
from tests.client_double import OTHER, SYSTEM, cursor
from tests.number_case import DAY, NUMBER, NumberCase
from tests.world import HOST, PASSWORD, World
from tests.world_connection import Connection

NEW = "the new holder's password"


class _Wire:
    """A client's end of a connection to a node in memory; it breaks before the answers to `breaks`."""

    def __init__(self, world: World, listener: Listener, breaks: list[bytes]) -> None:
        self._connection: Connection = world.connect(HOST)
        self._listener = listener
        self._breaks = breaks
        connection: Any = self._connection
        connection.write, connection.close = self._written, self._closed

    def send(self, payload: bytes) -> None:
        broken = next((method for method in self._breaks if method in payload), None)
        if broken is not None:
            self._breaks.remove(broken)
            connection: Any = self._connection
            connection.write = lambda frame: None
        self._connection.receive(payload)
        if broken is not None:
            self._connection.lose()
            self._listener.closed(Closing(1006, "gone"))

    def close(self, code: int = 1000, reason: str = "") -> None:
        self._connection.lose()

    def _closed(self, code: int, reason: str) -> None:
        self._connection.lose()
        self._listener.closed(Closing(code, reason))

    def _written(self, frame: bytes) -> None:
        start = {126: 4, 127: 10}.get(frame[1], 2)
        self._listener.received(frame[start:])


class PersonTests(NumberCase):
    def setUp(self) -> None:
        super().setUp()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.breaks: list[bytes] = []
        self.down = False

    def dial(self, listener: Listener) -> "Deferred[Wire]":
        if self.down:
            return fail(Disconnected(Closing(1006, "refused")))
        return succeed(_Wire(self.world, listener, self.breaks))

    def person(self, *answers: str) -> Person:
        """Somebody who gives these answers; `code` is the one that came last, `next` lets a minute pass."""
        given = iter(answers)

        async def ask(prompt: str) -> str:
            if prompt.startswith("Do you agree?"):
                # To the policy, which is not what is tested here.
                self.said.clear()
                return "yes"
            self.asked.append(prompt.partition(":")[0].partition(" (")[0])
            answer = next(given)
            if answer == "later":
                self.world.clock.advance(60)
                return ""
            return self.world.texts.code if answer == "code" else answer

        return Person(ask, ask, self.said.append)

    def sit_down(self, *answers: str, login: str | None = None) -> Client:
        """A person without an account signs up; the client that is in."""
        client = Client(self.dial, self.world.clock, lambda: 0.5)
        options = Options("home.test", None, login, None, DeviceInfo("here", "Linux"))
        asyncio.run(sign_up(client, options, self.person(*answers)))
        assert client.opened is not None
        return client

    def test_the_notice_comes_before_the_text(self) -> None:
        """What the operator learns is shown, and agreed to, before anything is sent."""
        client = self.sit_down("+49 171 123-4567", "maybe", "yes", "code", PASSWORD, PASSWORD)
        assert client.opened is not None
        self.assertEqual(client.opened.address, f"{NUMBER}@home.example")
        agreed = ["Have the code sent?"] * 2
        self.assertEqual(self.asked, ["Choose a login, or give your mobile number", *agreed, "Code", *CHOSEN])
        self.assertIn("operator", self.said[0])
        self.assertTrue(self.said[0].startswith(NUMBER))
        self.assertEqual(self.said[1:], ["The code is on its way. Another one can be sent in 60 s."])

    def test_who_does_not_agree_is_sent_nothing(self) -> None:
        """And can sign up with a login instead."""
        client = self.sit_down(NUMBER, "no", "ada", PASSWORD, PASSWORD)
        assert client.opened is not None
        self.assertEqual((client.opened.address, self.world.texts.sent), ("ada@home.example", []))

    def test_what_is_no_number(self) -> None:
        """Is asked for again, whether the client or the node finds it."""
        self.sit_down("+49", "+49 30 123456", NUMBER, "yes", "code", PASSWORD, PASSWORD)
        self.assertTrue(self.said[0].startswith("A login has"))
        self.assertTrue(self.said[1].startswith("That is not a mobile number"))
        self.assertTrue(self.said[1].endswith("or not one that exists."))

    def test_a_number_without_its_plus(self) -> None:
        """Is no login, and it is said how a number is written."""
        self.sit_down("491711234567", NUMBER, "yes", "code", PASSWORD, PASSWORD)
        self.assertTrue(self.said[0].endswith("A mobile number begins with +."))

    def test_a_slip_is_asked_for_again(self) -> None:
        """A code and a password each by itself; nobody types twice what was right."""
        self.sit_down(NUMBER, "yes", "999999", "weak", "weak", "code", PASSWORD, PASSWORD)
        self.assertEqual(self.asked[2:], ["Code", *CHOSEN, "Code", *CHOSEN])
        self.assertIn("The password is too short or too common: at least 8 characters.", self.said)

    def test_what_is_no_code(self) -> None:
        """Is said so, and asked for again before a password is; blanks in one do no harm."""
        self.sit_down(NUMBER, "yes", "nonsense", "12345", "1234567", " 99 99 99 ", PASSWORD, PASSWORD, "code")
        self.assertEqual(self.asked[2:], ["Code"] * 4 + CHOSEN + ["Code"])
        self.assertEqual(self.said[2:5], ["The code has six digits."] * 3)

    def test_another_code(self) -> None:
        """An empty answer has another one sent, once it is time."""
        self.sit_down(NUMBER, "yes", "", "later", "code", PASSWORD, PASSWORD)
        self.assertIn("That was too often. Try again in 60 s.", self.said)
        self.assertEqual(len(self.world.texts.sent), 2)

    def test_a_connection_that_was_lost_over_the_notice(self) -> None:
        """Is made anew; and a text that was sent all the same is not sent twice."""
        self.breaks = [b"verification.request"]
        self.sit_down(NUMBER, "yes", "code", PASSWORD, PASSWORD)
        self.assertEqual(len(self.world.texts.sent), 1)

    def test_a_node_that_is_gone(self) -> None:
        """Is told, and is the end."""
        self.breaks = [b"verification.create"]
        with self.assertRaises(Disconnected):
            self.sit_down(NUMBER, "yes")
        self.breaks = [b"verification.request"]
        self.down = False
        client = Client(self.dial, self.world.clock, lambda: 0.5)

        async def lost() -> None:
            self.world.texts.failing = None
            begun = await client.create_verification(NUMBER)
            self.down = True
            for _ in range(2):
                with self.assertRaises(Disconnected):
                    await client.request_code(begun.verification)

        self.successResultOf(Deferred.fromCoroutine(lost()))

    def test_no_text_can_be_sent(self) -> None:
        """Then a login does."""
        self.world.texts.failing = Problem(Code.SMS_UNAVAILABLE)
        self.sit_down(NUMBER, "yes", "ada", PASSWORD, PASSWORD)
        self.assertIn("The node can send no text message to this number at present.", self.said)

    def test_no_text_is_sent_for_now(self) -> None:
        """Whatever the reason, nobody is asked for a code that was never sent."""
        self.world.texts.failing = Problem(Code.RATE_LIMITED, retry_after=3600)
        self.sit_down(NUMBER, "yes", "ada", PASSWORD, PASSWORD)
        self.assertIn("That was too often. Try again in 60 min.", self.said)
        self.assertNotIn("Code", self.asked)
        self.world.texts.failing = Problem(Code.BUSY)
        self.asked.clear()
        with self.assertRaises(RemoteProblem):
            self.sit_down(NUMBER, "yes")
        self.assertNotIn("Code", self.asked)

    def test_logging_in(self) -> None:
        """With the number as with a login."""
        account = self.enter().account
        client = Client(self.dial, self.world.clock, lambda: 0.5)
        options = Options("home.test", None, "+49 171 1234567", None, DeviceInfo("here", "Linux"))
        asyncio.run(enter(client, options, self.person(PASSWORD)))
        assert client.opened is not None
        self.assertEqual((client.opened.account, self.asked), (account, ["Password"]))

    def test_a_number_that_has_an_account(self) -> None:
        """Its password is asked for, and lets in: who forgot that there is one has lost nothing."""
        account = self.enter().account
        client = self.sit_down(NUMBER, "yes", "code", NEW, NEW, "a guess", PASSWORD)
        assert client.opened is not None
        self.assertEqual(client.opened.account, account)
        self.assertEqual(self.asked[-2:], ["Its password"] * 2)

    def test_asking_for_a_number(self) -> None:
        """Whose account it is not can claim the number, is told when to come back, and gets it then."""
        old = self.enter()
        old.drop()
        answers = (NUMBER, "yes", "code", NEW, NEW, "", "no", "", "yes", NEW, NEW)
        with self.assertRaises(RemoteProblem) as caught:
            self.sit_down(*answers)
        self.assertEqual(caught.exception.code, "number_claimed")
        self.world.clock.advance(7 * DAY)
        client = self.sit_down(*answers)
        assert client.opened is not None
        self.assertNotEqual(client.opened.account, old.account)

    def test_only_before_a_session(self) -> None:
        """Who is logged in proves nothing more."""
        client = self.sit_down(NUMBER, "yes", "code", PASSWORD, PASSWORD)
        failure = self.failureResultOf(client.create_verification(NUMBER), RemoteProblem)
        self.assertEqual(failure.value.code, "wrong_state")

    def test_tries_come_to_an_end(self) -> None:
        """The fifth wrong code ends the verification, and the person may begin anew."""
        wrong = ["999999"] * 5
        client = self.sit_down(
            NUMBER, "yes", wrong[0], PASSWORD, PASSWORD, *wrong[1:], "ada", PASSWORD, PASSWORD
        )
        assert client.opened is not None
        self.assertEqual(client.opened.address, "ada@home.example")
        self.assertEqual(self.said.count("The code is wrong."), 4)


CHOSEN = ["Choose a password", "Once more"]


class AliasTests(SynchronousTestCase):
    def test_what_people_give(self) -> None:
        """Logins, addresses, numbers in every spelling, and ids."""
        account = "@" + "a" * 26 + ":home.test"
        for given, alias in (
            ("Ada", "ada"),
            ("ada@home.test", "ada"),
            (" +49 (171) 123-4567", NUMBER),
            (f"{NUMBER}@home.test", NUMBER),
            (account, account),
        ):
            self.assertEqual(alias_of(given), alias)


class DeskTests(DeskTestCase):
    def claim(self, body: NumberClaim) -> str:
        self.wire.event(Message(cursor(70), OTHER, SYSTEM, NOW, body))
        self.desk.neighbour(1)
        return " ".join(self.body().split())

    def test_a_claim_is_told_with_what_to_do(self) -> None:
        """In the node's own chat; `/keep` is a command."""
        shown = self.claim(NumberClaim("claimed", NOW, NOW + 1000))
        self.assertIn("/keep keeps it", shown)
        self.node.wire.answers["number.keep"] = lambda params: {}
        self.enter("/keep")
        self.assertIn("You have no number here", self.body())
        self.assertEqual(self.params("number.keep"), [])
        self.desk.state.address = f"{NUMBER}@home.test"
        self.enter("/keep")
        self.assertEqual(len(self.params("number.keep")), 1)
        self.assertIn("Your number stays yours.", self.body())

    def test_a_number_that_has_gone(self) -> None:
        """Says how to log in from now on."""
        shown = self.claim(NumberClaim("moved", NOW))
        self.assertIn("Log in with this account's id now", shown)
        self.assertEqual(safe(shown), shown)
