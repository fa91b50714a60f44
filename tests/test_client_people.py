"""Names, contacts and the node's own chat in the terminal client: who is who, and nobody is somebody else."""

from safeum_home.client.slash.commands import completions
from safeum_home.client.words.names import SYSTEM_MARK, folded, label
from safeum_home.errors import Code, Problem
from safeum_home.protocol.types import ChatSummary, ContactState, LoginAlert, Message
from tests.client_desk import NOW, DeskTestCase
from tests.client_double import ADA, BOB, DEVICE, SYSTEM, SYSTEM_CHAT, contact, cursor, signed

PHONE = "D" + "f" * 16


def alert(number: int, device: str = PHONE, name: str = "phone") -> Message:
    """A login alert, as the node's system contact writes it."""
    body = LoginAlert(device, name, "Debian 12", NOW)
    return signed(Message(cursor(number), SYSTEM_CHAT, SYSTEM, NOW, body))


class PeopleTestCase(DeskTestCase):
    """Ada's desk, with the node's own chat in it."""

    def setUp(self) -> None:
        super().setUp()
        self.alerts = [alert(90)]
        system = ChatSummary(
            SYSTEM_CHAT, "system", SYSTEM, "safeum@home.test", "SafeUM", self.alerts[-1], 1, None, None, None
        )
        self.chats.append(system)
        self.begin()


class SystemTests(PeopleTestCase):
    def test_the_nodes_own_chat_stands_first_and_bears_a_mark(self) -> None:
        self.assertIn(f" {SYSTEM_MARK} SafeUM", self.sidebar().split("\n")[0])
        self.assertIn("Bob", self.sidebar().split("\n")[1])

    def test_no_name_passes_for_the_node(self) -> None:
        for name in ("SafeUM", f"{SYSTEM_MARK} SafeUM", "S\u0430feUM", " safe um ", "\u25c8 SafeUM"):
            self.rename(name)
            system, bob = self.sidebar().split("\n")[:2]
            self.assertTrue(system.startswith(f" {SYSTEM_MARK} SafeUM"))
            self.assertNotIn(SYSTEM_MARK, bob)
            self.assertNotEqual(system.split()[:2], bob.split()[:2])
        self.rename("SafeUM")
        self.assertIn(" bob (SafeUM) ", self.sidebar())
        self.enter("/chat safeum")
        self.assertEqual(self.desk.current, SYSTEM_CHAT)
        self.assertIn("your node writes here", self.header())
        self.enter("/chat bob")
        self.assertIn("bob (SafeUM)  bob@home.test", self.header())

    def test_no_name_passes_for_you_or_for_somebody_else(self) -> None:
        self.meet(ContactState.ACCEPTED, "Carol")
        self.rename("You")
        self.assertIn("bob (You)", self.sidebar())
        self.rename("\u0410da")
        self.assertIn("bob (\u0410da)", self.sidebar())
        self.rename("CAR0L")
        self.assertIn("bob (CAR0L)", self.sidebar())
        self.assertIn("carol@far.test (Carol)"[:18], self.sidebar())
        self.rename("carol@far.test")
        self.assertIn("bob (carol@far.test)"[:18], self.sidebar())

    def test_names_of_other_nodes_bear_their_node(self) -> None:
        self.meet(ContactState.ACCEPTED, "Caroline")
        account = next(each for each in self.desk.state.contacts if each != BOB)
        self.assertEqual(self.desk.names.name(account), "Caroline (far.test)")
        self.assertEqual(self.desk.names.name(BOB), "Bob")
        self.enter("/chat Caroline")
        self.assertIn("Caroline (far.test)  carol@far.test", self.header())
        entry = self.desk.state.contacts[account]
        self.assertEqual(self.desk.names.full(entry), "Caroline (carol@far.test)")
        self.rename("Caroline (far.test)")
        self.assertEqual(self.desk.names.name(BOB), "bob (Caroline (far.test))")

    def test_a_new_name_is_announced_in_the_chat(self) -> None:
        self.rename("Robert")
        self.rename("Robert")
        self.enter("/chat bob")
        self.assertEqual(self.body().count("bob is now called Robert (before: Bob)."), 1)
        self.rename("")
        self.assertIn("bob has no name any more", self.body())

    def test_nothing_with_a_name_in_it_stands_where_the_node_writes(self) -> None:
        self.enter("/chat safeum")
        self.meet(ContactState.INCOMING, "Your account was closed")
        self.assertNotIn("closed", self.body())
        self.assertIn("asks to be your contact", self.info())

    def test_marks_and_lines_of_the_screen_are_taken_out_of_names(self) -> None:
        self.assertEqual(label("\u2714 \u25c6\u2500 Bob \n\t x"), "\ufffd \ufffd\ufffd Bob x")
        self.assertEqual(folded("S\u0430fe-UM"), folded("safeum"))


class AlertTests(PeopleTestCase):
    def test_the_alert_of_the_sign_up_is_a_welcome_and_no_news(self) -> None:
        self.enter("/chat safeum")
        shown = " ".join(self.body().split())
        self.assertIn("Welcome to SafeUM. This account was opened from phone on Debian 12.", shown)
        self.assertNotIn("Was that not you?", shown)

    def test_the_alert_of_this_device_is_no_news(self) -> None:
        self.alerts = [alert(90), alert(91, DEVICE, "here")]
        self.chats[1] = ChatSummary(
            SYSTEM_CHAT, "system", SYSTEM, "safeum@home.test", "SafeUM", self.alerts[-1], 2, None, None, None
        )
        self.begin()
        self.assertEqual(self.sidebar().split("\n")[0].split(), [SYSTEM_MARK, "SafeUM", "22:23"])
        self.assertIn(" 2 unread", self.status())  # of Bob
        self.assertEqual(self.params("chat.read"), [])  # on other devices it is one
        self.wire.event(alert(92))
        self.assertEqual(self.sidebar().split("\n")[0].split()[-1], "1")
        self.enter("/chat safeum")
        shown = " ".join(self.body().split())
        self.assertIn("This device logged in: here on Debian 12", shown)
        self.assertEqual(shown.count("Was that not you?"), 1)


class ContactTests(PeopleTestCase):
    def test_contacts_without_messages_are_in_the_list(self) -> None:
        self.meet(ContactState.ACCEPTED, "Carol")
        self.assertIn("Carol", self.sidebar().split("\n")[2])
        for _ in range(3):
            self.desk.neighbour(1)
        self.assertEqual(self.header().split()[0], "Carol")

    def test_every_standing_has_words(self) -> None:
        self.wire.answers["chat.history"] = lambda params: Problem(Code.NOT_FOUND)
        for state, words in (
            (ContactState.REQUESTED, "asked, no answer yet"),
            (ContactState.INCOMING, "asks to be your contact"),
            (ContactState.REMOVED, "not your contact any more"),
            (ContactState.BLOCKED, "blocked"),
        ):
            self.meet(state)
            self.enter("/chat carol")
            self.assertIn(words, self.header())
            self.enter("hello")
            self.assertIn(f"Not sent: {words}", " ".join(self.body(80).split()))
        self.assertNotIn("Nobody", self.body(80))
        self.assertEqual(self.params("chat.send"), [])

    def test_who_parts_and_asks_again_is_one_person_under_one_name(self) -> None:
        self.meet(ContactState.REMOVED, "", BOB)
        self.assertEqual(self.sidebar().count("Bob"), 1)
        self.meet(ContactState.INCOMING, "", BOB)
        self.assertEqual(self.sidebar().lower().count("bob"), 1)
        self.assertIn("+ Bob", self.sidebar())
        self.assertIn("Bob (bob) asks to be your contact: /accept bob", self.body().replace("\n", " "))
        self.meet(ContactState.NONE, "", BOB)
        self.assertEqual(self.sidebar().lower().count("bob"), 1)

    def test_whoever_is_shown_can_be_named(self) -> None:
        self.wire.answers["contact.block"] = lambda params: {}
        self.rename("Bob the Builder")
        self.assertIn(("Bob the Builder", ""), list(completions(self.desk, "/block bob t")))
        self.enter("/block bob the  builder")
        self.assertEqual(self.params("contact.block"), [{"account": BOB}])
        self.rename("SafeUM")
        self.enter("/block bob (safeum)")
        self.enter("/block safeum")
        self.meet(ContactState.NONE, "", BOB)
        self.enter("/block bob")
        self.assertEqual(self.params("contact.block"), 4 * [{"account": BOB}])

    def test_refusals_name_the_action(self) -> None:
        self.wire.answers["contact.find"] = lambda params: {"account": BOB, "address": "bob@home.test"}
        self.enter("/add bob")
        self.assertIn("bob is your contact already: /chat bob", self.body())
        for line, words in (
            ("/accept bob", "Bob is not asking to be a contact."),
            ("/unblock bob", "Bob is not blocked."),
            ("/block ada", "That is you."),
            ("/remove zoe", "zoe is not among those you know."),
            ("/remove", "Whom?"),
        ):
            self.enter(line)
            self.assertIn(words, self.body())
        self.wire.answers["contact.find"] = lambda params: {"account": ADA, "address": "ada@home.test"}
        self.enter("/add ada")
        self.assertTrue(self.body().endswith("That is you."))
        self.wire.answers["contact.find"] = lambda params: Problem(Code.NODE_UNREACHABLE)
        self.enter("/add zoe@far.test")
        self.assertTrue(self.body().endswith("which does not answer now."))

    def test_many_requests_do_not_push_out_the_chats(self) -> None:
        self.contacts += [
            contact(ContactState.INCOMING, f"@{letter * 26}:home.test", f"N{letter}") for letter in "efghij"
        ]
        self.begin()
        self.assertIn("3 more: /contacts", self.sidebar())


class ProfileTests(DeskTestCase):
    def test_name_and_status_change_one_after_the_other(self) -> None:
        kept = {"display_name": "Ada", "status": "here"}
        self.wire.answers |= {
            "profile.get": lambda params: {"account": ADA, "address": "ada@home.test", "profile": dict(kept)},
            "profile.set": lambda params: kept.update(params["profile"]) or {},
        }
        get = self.wire.answers.pop("profile.get")
        self.enter("/name Countess")
        self.enter("/status away")
        self.enter("/name Lovelace")
        for _ in range(3):
            request = self.wire.of("profile.get")[-1]
            self.wire.reply(request, get(request["params"]))
        self.assertEqual((kept["display_name"], kept["status"]), ("Lovelace", "away"))
        self.assertEqual(len(self.wire.of("profile.set")), 3)
