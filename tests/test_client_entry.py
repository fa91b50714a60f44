"""How somebody at a terminal gets in: asked for what is missing, and again where it is refused."""

import asyncio
from contextlib import redirect_stderr
from io import StringIO
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.cli import untrusted
from safeum_home.client.cli_options import parser
from safeum_home.client.entry.entry import Options, Person, close_account, enter, sign_up
from safeum_home.client.entry.pins import RULE, BadPin
from safeum_home.client.errors import RemoteProblem
from safeum_home.client.words.text import explain
from safeum_home.errors import Code, Problem
from safeum_home.protocol.types import DeviceInfo
from tests.client_double import FakeNode, opened

AGREE = "Do you agree? (yes or no)"
SIGN_UP = "Choose a login, or give your mobile number (with +)"


def options(login: str | None = None, password: str | None = None) -> Options:
    return Options("home.test", None, login, password, DeviceInfo("here", "Linux"))


class EntryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.node = FakeNode()
        self.said: list[str] = []
        self.asked: list[str] = []

    def person(self, *answers: str) -> Person:
        given = iter(answers)

        async def ask(prompt: str) -> str:
            self.asked.append(prompt.partition(":")[0])
            return next(given)

        return Person(ask, ask, self.said.append)

    def enter(self, opts: Options, *answers: str, offer: bool = False) -> None:
        asyncio.run(enter(self.node.client, opts, self.person(*answers), offer))

    def params(self, method: str) -> list[dict[str, Any]]:
        return [request["params"] for request in self.node.wire.of(method)]

    def test_a_wrong_password_is_asked_for_again(self) -> None:
        self.enter(options("ada"), "wrong", "right")
        self.assertEqual(self.asked, ["Password", "Password"])
        self.assertEqual(self.said, ["The login or the password is wrong."])

    def test_the_form_of_a_login_is_checked_before_a_password_is_asked_for(self) -> None:
        self.enter(options("x"), "a b", "Ada@home.test", "right")
        self.assertEqual(self.asked, ["Login", "Login", "Password"])
        self.assertEqual(len(self.said), 2)
        self.assertTrue(self.said[0].startswith("A login has 3 to 32"))
        self.assertEqual(self.params("session.login")[0]["username"], "ada")

    def test_closing_an_account(self) -> None:
        """With a login and a PIN, without logging in; nothing happens where none is given."""
        self.node.answers["account.block"] = lambda params: {}
        asyncio.run(close_account(self.node.client, options(), self.person("Ada@home.test", "284716")))
        self.assertEqual(self.params("account.block"), [{"username": "ada", "pin": "284716"}])
        self.assertIn("for ever", self.said[0])
        self.assertIsNone(self.node.client.opened)
        asyncio.run(close_account(self.node.client, options("ada", "905813"), self.person()))
        self.assertEqual(self.params("account.block")[-1], {"username": "ada", "pin": "905813"})
        with self.assertRaises(Problem):
            asyncio.run(close_account(self.node.client, options("ada"), self.person("")))
        self.assertEqual(len(self.params("account.block")), 2)

    def test_what_is_no_pin(self) -> None:
        """Is asked for again, or refused where nobody can be asked; the node hears nothing of it."""
        self.node.answers["account.block"] = lambda params: {}
        asyncio.run(close_account(self.node.client, options("ada"), self.person("2847", "secret", "284716")))
        self.assertEqual(self.said[1:], [RULE, RULE])
        for wrong in ("28471", "2847162847162", "284 716", "\N{ARABIC-INDIC DIGIT ONE}" * 6):
            with self.assertRaises(BadPin) as caught:
                asyncio.run(close_account(self.node.client, options("ada", wrong), self.person()))
            self.assertEqual(explain(caught.exception), "A PIN has 6 to 12 digits, and nothing else.")
        self.assertEqual(self.params("account.block"), [{"username": "ada", "pin": "284716"}])

    def test_somebody_without_an_account_can_sign_up(self) -> None:
        answers = ("", "maybe", "Yes", "ada", "secret", "other", "secret", "secret")
        self.enter(options(), *answers, offer=True)
        self.assertIn("No account on home.test yet?", self.said[0])
        self.assertEqual(
            self.asked,
            ["Login", *[AGREE] * 2, SIGN_UP, *["Choose a password", "Once more"] * 2],
        )
        self.assertIn("It keeps messages.", self.said)
        self.assertEqual(self.params("account.register")[0]["consent"], "1")
        self.assertEqual(self.params("account.register")[0]["password"], "secret")
        self.assertIsNotNone(self.node.client.opened)

    def test_what_a_sign_up_is_refused_for_is_asked_for_again(self) -> None:
        refusals = [Code.USERNAME_TAKEN, Code.WEAK_PASSWORD, Code.RATE_LIMITED]

        def register(params: dict[str, Any]) -> Any:
            return Problem(refusals.pop(0), "why it is") if refusals else opened()

        self.node.answers["account.register"] = register
        person = self.person("yes", "eve", "weak", "weak", "ada", "strong", "strong", "")
        asyncio.run(sign_up(self.node.client, options(), person))
        # What was given is kept, and not given again before somebody says so.
        self.assertEqual(self.asked[-1], "Press Enter to try again")
        tried = [(params["username"], params["password"]) for params in self.params("account.register")]
        self.assertEqual(tried, [("eve", "weak"), ("ada", "weak"), ("ada", "strong"), ("ada", "strong")])
        self.assertIn("The password is too short or too common: why it is.", self.said)

    def test_an_invite_is_asked_for_where_the_node_wants_one(self) -> None:
        """Nothing else is asked again for it; a link will do."""
        good = "a" * 26

        def register(params: dict[str, Any]) -> Any:
            return opened() if params["invite"] == good else Problem(Code.INVITE_NEEDED)

        self.node.answers["account.register"] = register
        person = self.person("y", "ada", "strong", "strong", "", f"https://home.test/invite#{good}")
        asyncio.run(sign_up(self.node.client, options(), person))
        tried = [params["invite"] for params in self.params("account.register")]
        self.assertEqual(tried, [None, None, good])
        self.assertEqual(self.asked[-2:], ["Your invite (the link, or its code)"] * 2)

    def test_a_policy_that_changes_meanwhile_is_shown_again(self) -> None:
        """Consent is to what was shown, and to nothing else."""
        policies = [{"version": "1", "text": "It keeps little."}, {"version": "2", "text": "It keeps all."}]

        def register(params: dict[str, Any]) -> Any:
            if params["consent"] == "2":
                return opened()
            policies.pop(0)
            return Problem(Code.CONSENT_NEEDED, "2")

        self.node.answers["policy.get"] = lambda params: policies[0]
        self.node.answers["account.register"] = register
        asyncio.run(sign_up(self.node.client, options("ada"), self.person("yes", "strong", "strong", "yes")))
        self.assertIn("It keeps little.", self.said)
        self.assertEqual([each["consent"] for each in self.params("account.register")], ["1", "2"])
        self.assertLess(self.said.index("It keeps little."), self.said.index("It keeps all."))

    def test_without_consent_there_is_no_account(self) -> None:
        person = self.person("no")
        with self.assertRaises(RemoteProblem) as caught:
            asyncio.run(sign_up(self.node.client, options("ada"), person))
        self.assertTrue(caught.exception.of(Code.CONSENT_NEEDED))
        self.assertEqual(self.params("account.register"), [])

    def test_a_new_policy_is_asked_about_after_a_login(self) -> None:
        """A yes is told to the node; with a no one goes on."""
        self.node.answers["session.login"] = lambda params: opened() | {"policy": "1"}
        self.node.answers["policy.accept"] = lambda params: {}
        self.enter(options("ada"), "right", "no")
        self.assertEqual(self.params("policy.accept"), [])
        self.assertEqual(self.node.client.state.policy, "1")
        self.node.client.close()
        self.setUp()
        self.node.answers["session.login"] = lambda params: opened() | {"policy": "1"}
        self.node.answers["policy.accept"] = lambda params: {}
        self.enter(options("ada"), "right", "yes")
        self.assertEqual(self.params("policy.accept"), [{"version": "1"}])
        self.assertIsNone(self.node.client.state.policy)

    def test_the_connection_may_go_while_somebody_reads(self) -> None:
        """A node does not wait for who has not logged in: the sign-up makes a new connection."""
        answers = iter(("yes", "ada", "strong", "strong"))

        async def ask(prompt: str) -> str:
            if prompt.startswith("Do you agree"):
                self.node.wire.drop(4001, "authenticate in time")
            return next(answers)

        asyncio.run(sign_up(self.node.client, options(), Person(ask, ask, self.said.append)))
        self.assertEqual(len(self.node.wires), 2)
        self.assertIsNotNone(self.node.client.opened)

    def test_without_a_person_a_refusal_is_the_end(self) -> None:
        with self.assertRaises(RemoteProblem):
            self.enter(options("ada", "wrong"))
        with self.assertRaises(Problem):
            self.enter(options("x", "right"))
        self.assertEqual((self.asked, self.said), ([], []))

    def test_tries_come_to_an_end(self) -> None:
        with self.assertRaises(RemoteProblem):
            self.enter(options("ada"), *(["wrong"] * 9))
        self.assertEqual(len(self.asked), 5)


class WordTests(SynchronousTestCase):
    def test_help_texts(self) -> None:
        self.assertIn("localhost:8443", parser().parse_args(["chat"]).node)
        commands = parser()._subparsers
        assert commands is not None
        (choices,) = [action.choices for action in commands._group_actions]
        helps = {name: " ".join(each.format_help().split()) for name, each in dict(choices or {}).items()}
        pipe = helps["pipe"]
        self.assertIn("JSON lines in", pipe)
        self.assertIn("the node (default: localhost:8443)", pipe)
        self.assertIn("--login LOGIN", pipe)
        self.assertIn("read the password, one line, from", pipe)
        self.assertIn("--agree VERSION", pipe)
        self.assertIn("read the PIN, one line, from", helps["close-account"])
        for other in ("--agree", "--invite-fd"):
            self.assertNotIn(other, helps["close-account"])
            with redirect_stderr(StringIO()):
                self.assertRaises(SystemExit, parser().parse_args, ["close-account", other, "1"])
        self.assertIsNone(parser().parse_args(["close-account"]).invite_fd)

    def test_another_certificate_is_told_in_words(self) -> None:
        self.assertIn("not the one given with --ca run/ca.pem", untrusted("home.test", "run/ca.pem"))
        self.assertIn("--ca FILE", untrusted("home.test", None))
