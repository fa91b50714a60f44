"""PINs and closed accounts in the terminal client: one's own, and those of contacts."""

from safeum_home.client.entry.pins import RULE
from safeum_home.client.slash.commands import completions
from safeum_home.errors import Code, Problem
from safeum_home.protocol.events import Typing
from safeum_home.protocol.types import ContactState
from tests.client_desk import CAROL, DeskTestCase
from tests.client_double import ADA, BOB, CHAT, OTHER, message

PASSWORD, PIN = "correct horse", "284716"


class OwnTests(DeskTestCase):
    def begin(self) -> None:
        self.count = 1
        self.node.answers |= {
            "account.pin.list": lambda params: {"count": self.count},
            "account.pin.set": lambda params: {"ordinal": 2},
            "account.pin.remove": lambda params: {},
            "session.block": lambda params: {},
        }
        super().begin()

    def lines(self, *lines: str) -> str:
        for line in lines:
            self.enter(line)
        return " ".join(self.body(rows=40).split())

    def test_how_many(self) -> None:
        self.assertIn("You have 1 PIN:", self.lines("/pin"))
        self.count = 0
        self.assertIn("You have no PINs:", self.lines("/pin"))

    def test_set(self) -> None:
        """Password and PIN are asked for unseen, and the PIN twice; nothing of it is shown or sent."""
        self.enter("/chat bob")
        self.enter("/pin set")
        self.assertEqual((self.desk.questions.prompt, self.desk.questions.hidden), ("Password: ", True))
        shown = self.lines(PASSWORD, PIN, PIN)
        self.assertIn("PIN 2 is set.", shown)
        self.assertEqual(self.params("account.pin.set"), [{"password": PASSWORD, "pin": PIN}])
        self.assertFalse(self.desk.questions.open or self.desk.questions.hidden)
        self.assertNotIn(PIN, shown + self.info())
        self.assertEqual(self.params("chat.send"), [])

    def test_two_different_ones(self) -> None:
        """Are asked for again there and then: the next line that somebody types is a PIN."""
        self.enter("/chat bob")
        self.assertIn("two different PINs", self.lines("/pin set", PASSWORD, PIN, "284717"))
        self.assertEqual((self.desk.questions.prompt, self.desk.questions.hidden), ("PIN: ", True))
        self.assertEqual(self.params("account.pin.set"), [])
        self.assertIn("PIN 2 is set.", self.lines(PIN, PIN))
        self.assertEqual(self.params("account.pin.set"), [{"password": PASSWORD, "pin": PIN}])
        self.assertEqual(self.params("chat.send"), [])

    def test_what_is_no_pin(self) -> None:
        """Is said so before it has to be given twice."""
        for wrong in ("12345", "1234567890123", "28471a"):
            self.lines("/pin set", PASSWORD, wrong)
            self.assertEqual(self.desk.notices[-1].text, f"{RULE} An empty line sets none.")
            self.assertEqual(self.desk.questions.prompt, "PIN: ")
            self.enter("")

    def test_while_the_node_thinks(self) -> None:
        """What is typed goes nowhere, until an empty line says that it is meant for others again."""
        self.enter("/chat bob")
        del self.wire.answers["account.pin.set"]
        for line in ("/pin set", PASSWORD, PIN, PIN, PIN, PIN):
            self.enter(line)
        self.assertTrue(self.desk.questions.hidden)
        (request,) = self.wire.of("account.pin.set")
        self.wire.reply(request, {"ordinal": 1})
        self.assertIn("PIN 1 is set.", self.lines())
        self.assertFalse(self.desk.questions.open)
        self.assertEqual(self.params("chat.send"), [])
        for line in ("/pin set", PASSWORD, PIN, PIN, "", "hello", "/pin remove 1"):
            self.enter(line)
        self.assertEqual([each["body"]["text"] for each in self.params("chat.send")], ["hello"])
        self.wire.reply(self.wire.of("account.pin.set")[1], {"ordinal": 2})
        self.assertTrue(self.desk.questions.open)

    def test_an_empty_line(self) -> None:
        """It ends the question at each step."""
        for given in ([], [PASSWORD], [PASSWORD, PIN]):
            self.assertIn("Left as it was.", self.lines("/pin set", *given, ""))
            self.assertFalse(self.desk.questions.open)
        self.assertEqual(self.params("account.pin.set"), [])

    def test_refused(self) -> None:
        """A weak PIN and a wrong password are asked for again, each by itself; all else is the end."""
        refusals = [Problem(Code.WEAK_PIN), Problem(Code.BAD_CREDENTIALS), Problem(Code.BUSY)]
        self.wire.answers["account.pin.set"] = lambda params: refusals.pop(0)
        self.enter("/chat bob")
        self.assertIn("Take another PIN", self.lines("/pin set", PASSWORD, "123456", "123456"))
        self.assertEqual(self.desk.questions.prompt, "PIN: ")
        self.assertIn("The password is wrong.", self.lines(PIN, PIN))
        self.assertEqual((self.desk.questions.prompt, self.desk.questions.hidden), ("Password: ", True))
        self.assertIn("The node is busy.", self.lines("another"))
        self.assertFalse(self.desk.questions.open)
        self.assertEqual(self.params("account.pin.set")[-1], {"password": "another", "pin": PIN})
        self.assertEqual(self.params("chat.send"), [])

    def test_remove(self) -> None:
        self.assertIn("PIN 1 is removed", self.lines("/pin remove 1", PASSWORD))
        self.assertEqual(self.params("account.pin.remove"), [{"password": PASSWORD, "ordinal": 1}])
        refusals = [Problem(Code.BAD_CREDENTIALS), Problem(Code.BUSY)]
        self.wire.answers["account.pin.remove"] = lambda params: refusals.pop(0)
        self.assertIn("The password is wrong.", self.lines("/pin remove 1", "wrong"))
        self.assertIn("The node is busy.", self.lines(PASSWORD))
        for wrong in ("/pin remove", "/pin remove 4", "/pin sett", "/pin set 1"):
            self.assertIn("/pin, /pin set or /pin remove NUMBER", self.lines(wrong))

    def test_close(self) -> None:
        """After a warning, with the login typed out, and with a PIN."""
        shown = self.lines("/close-account")
        self.assertIn("closes your account for ever", shown)
        self.assertIn("Nothing can be brought back", shown)
        self.assertFalse(self.desk.questions.hidden)
        self.enter("ada")
        self.assertTrue(self.desk.questions.hidden)
        self.enter(PIN)
        self.assertEqual(self.params("session.block"), [{"pin": PIN}])
        self.wire.drop(4011, "the account was closed")
        self.assertIn("This account was closed, for ever.", self.lines())

    def test_not_closed(self) -> None:
        """By an empty line; a wrong login or PIN is asked for again, so that none becomes a message."""
        self.enter("/chat bob")
        self.assertIn("Left as it was.", self.lines("/close-account", ""))
        self.assertIn("Left as it was.", self.lines("/close-account", "ada", ""))
        self.assertIn("That is not your login, and nothing was closed.", self.lines("/close-account", "adam"))
        refused = self.lines(PIN, "Ada@home.test", "2847")
        self.assertIn(f"{RULE} An empty line leaves everything as it is.", refused)
        self.assertEqual(self.params("session.block"), [])
        self.wire.answers["session.block"] = lambda params: Problem(Code.WRONG_PIN)
        self.assertIn("The PIN is wrong, and nothing was closed.", self.lines("905813"))
        self.wire.answers["session.block"] = lambda params: Problem(Code.RATE_LIMITED)
        self.assertIn("That was too often.", self.lines(PIN))
        self.assertFalse(self.desk.questions.open)
        self.assertEqual(self.params("session.block"), [{"pin": "905813"}, {"pin": PIN}])
        self.assertEqual(self.params("chat.send"), [])

    def test_without_a_pin(self) -> None:
        """Whoever believes to have one types it in: it is asked for, and then said that there is none."""
        self.enter("/chat bob")
        self.count = 0
        self.wire.answers["session.block"] = lambda params: Problem(Code.WRONG_PIN)
        self.enter("/close-account")
        self.assertIn("You have no PIN to close the account with", self.lines("ada", PIN))
        self.assertFalse(self.desk.questions.open)
        self.assertEqual(self.params("chat.send"), [])

    def test_a_number(self) -> None:
        """Is taken in every spelling, and whoever holds it next can use it."""
        self.assertIn("your login can never be used again", self.lines("/close-account"))
        self.enter("")
        self.desk.notices.clear()
        self.desk.state.address = "+491711234567@home.test"
        shown = self.lines("/close-account")
        self.assertIn("whoever holds your number next can sign up with it", shown)
        self.assertNotIn("never be used again", shown)
        self.assertEqual(self.desk.questions.prompt, "To close it for ever type your number, +491711234567: ")
        self.lines("+49 (171) 123-4567", PIN)
        self.assertEqual(self.params("session.block"), [{"pin": PIN}])

    def test_an_account_that_goes_by_its_id(self) -> None:
        """Since its number has gone to somebody else."""
        self.desk.state.address = ADA
        self.lines("/close-account", ADA, PIN)
        self.assertEqual(self.params("session.block"), [{"pin": PIN}])

    def test_nothing_is_completed(self) -> None:
        """What answers a question is no command, whatever it begins with."""
        self.enter("/pin set")
        self.assertEqual(list(completions(self.desk, "/p")), [])
        self.enter("/password/")
        self.enter("")
        self.assertEqual(next(iter(completions(self.desk, "/pi")))[0], "/pin")


class ContactTests(DeskTestCase):
    def close(self) -> None:
        self.meet(ContactState.CLOSED, account=BOB)

    def test_told_and_wiped(self) -> None:
        """The open chat is left, nothing of it stays on the screen, and it is said why."""
        self.enter("/chat bob")
        self.assertIn("text 3", self.body())
        self.wire.event(Typing(CHAT, BOB, True))
        timers = len(self.node.clock.getDelayedCalls())
        self.desk.banner = "Bob: text 3"
        self.close()
        shown = " ".join(self.body().split())
        self.assertIn("bob has closed the account. The chat is gone; /remove bob removes the entry.", shown)
        self.assertIsNone(self.desk.current)
        for place in (shown, self.sidebar(), self.info(), self.header()):
            self.assertNotIn("text 3", place)
        self.assertNotIn("Bob", self.sidebar())
        self.assertEqual(self.desk.state.chats, [])
        self.node.clock.advance(10)
        self.assertLess(len(self.node.clock.getDelayedCalls()), timers)

    def test_of_one_who_was_removed(self) -> None:
        """The chat outlived the contact: it goes with the account."""
        self.meet(ContactState.NONE, account=BOB)
        self.enter("/chat bob")
        self.assertIn("text 3", self.body())
        self.meet(ContactState.NONE, account=BOB, erased=True)
        shown = " ".join(self.body().split())
        self.assertIn("Bob has closed the account. The chat is gone.", shown)
        self.assertIsNone(self.desk.current)
        self.assertEqual(self.desk.state.chats, [])
        for place in (shown, self.sidebar(), self.info(), self.header()):
            self.assertNotIn("text 3", place)

    def test_a_chat_that_was_begun_since(self) -> None:
        """Of it is told likewise; of who had none nothing is."""
        self.meet(ContactState.ACCEPTED, "Carol")
        self.wire.event(message(9, "hello", chat=OTHER, sender=CAROL))
        self.meet(ContactState.NONE)
        self.meet(ContactState.NONE, erased=True)
        self.assertIn(
            "Carol (far.test) has closed the account. The chat is gone.", " ".join(self.body().split())
        )
        self.assertIsNone(self.desk.state.chat(OTHER))
        told = len(self.desk.notices)
        self.meet(ContactState.NONE, erased=True)
        self.assertEqual(len(self.desk.notices), told)

    def test_what_was_on_its_way(self) -> None:
        """A message of another device that crossed it is not shown either."""
        self.close()
        self.wire.event(message(9, "late"))
        self.enter("/chat bob")
        view = self.desk.state.chat(CHAT)
        assert view is not None
        self.assertNotIn("late", str(view.messages))

    def test_in_the_list(self) -> None:
        """The entry says so, cannot be written to or blocked, and can be removed."""
        self.wire.answers["chat.history"] = lambda params: Problem(Code.NOT_FOUND)
        self.wire.answers["contact.remove"] = lambda params: {}
        self.close()
        self.enter("/contacts")
        self.assertIn("has closed the account: /remove takes the entry away", " ".join(self.body().split()))
        self.enter("/block bob")
        self.assertIn("bob is blocked already, or has closed the account", " ".join(self.body().split()))
        self.enter("/chat bob")
        self.enter("are you there?")
        self.assertIn("Not sent: has closed the account", " ".join(self.body().split()))
        self.enter("/remove bob")
        self.assertEqual(self.params("contact.remove"), [{"account": BOB}])
