"""The terminal client as text: what is entered, and what a screen of 80x24 then says."""

import re
from datetime import UTC

from safeum_home.client.desk.notices import Notice
from safeum_home.client.screen import page, render
from safeum_home.client.screen.blocks import text_of
from safeum_home.client.slash.commands import completions
from safeum_home.client.slash.slash import SLASHES
from safeum_home.client.words.text import width
from safeum_home.errors import Code, Problem
from safeum_home.protocol.events import ContactChanged, ProfileChanged, Receipt, Typing
from safeum_home.protocol.types import Contact, ContactState, LoginAlert, Message, Profile
from tests.client_desk import CAROL, COLUMNS, NOW, ROWS, DeskTestCase
from tests.client_double import (
    BOB,
    CHAT,
    DEVICE,
    OTHER,
    SYSTEM,
    SYSTEM_CHAT,
    cursor,
    message,
    signed,
)


class ChatTests(DeskTestCase):
    def test_the_first_page_says_how_to_begin(self) -> None:
        self.assertIn("/add login@node", self.body())
        self.assertIn("ada@home.test", text_of([render.header(self.desk, COLUMNS)]))

    def test_chats_with_names_and_unread_counts(self) -> None:
        self.assertEqual(self.sidebar(), " Bob                  2 ")

    def test_opening_a_chat_shows_history_and_what_is_new_and_reads_it(self) -> None:
        self.enter("/chat bob")
        shown = self.body().split("\n")
        self.assertIn("Today", shown[0])
        self.assertEqual(shown[1].strip(), "22:13 Bob text 1")
        self.assertIn(" new ", shown[2])
        self.assertEqual(shown[4].strip(), "22:13 Bob text 3")
        self.assertEqual(self.params("chat.read"), [{"chat": CHAT, "upto": cursor(3)}])
        self.assertEqual(self.sidebar().strip(), "▌Bob              22:13")

    def test_days_are_separated(self) -> None:
        self.now += 86_400_000
        self.enter("/chat bob")
        self.wire.event(message(4, "tomorrow", at=self.now))
        text = self.body()
        self.assertLess(text.index("Yesterday"), text.index("text 1"))
        self.assertLess(text.index("text 3"), text.index("Today"))

    def test_messages_stay_in_the_nodes_order(self) -> None:
        self.enter("/chat bob")
        self.now += 10_000
        self.wire.event(message(4, "text 4", at=self.now))
        self.wire.event(message(5, "text 5", at=self.now - 5_000))
        self.now += 1_000
        self.desk.note("a notice")
        self.wire.event(message(6, "text 6", at=self.now + 1_000))
        text = self.body()
        places = [text.index(each) for each in ("text 3", "text 4", "text 5", "a notice", "text 6")]
        self.assertEqual(places, sorted(places))

    def test_a_message_goes_out_and_its_ticks_grow(self) -> None:
        del self.wire.answers["chat.send"]
        self.enter("/chat bob")
        self.enter("hello Bob")
        self.assertIn("You hello Bob …", self.body())
        self.wire.reply(self.wire.of("chat.send")[0], {"id": cursor(50), "at": NOW})
        self.assertTrue(self.body().endswith("hello Bob ✓"))
        self.wire.event(Receipt(cursor(51), CHAT, BOB, cursor(50), None))
        self.assertTrue(self.body().endswith("hello Bob ✓✓"))
        self.wire.event(Receipt(cursor(52), CHAT, BOB, cursor(50), cursor(50)))
        self.assertTrue(self.body().endswith("hello Bob ✓✓ read"))

    def test_what_could_not_be_sent_says_why_and_is_sent_again_as_the_same(self) -> None:
        self.wire.answers["chat.send"] = lambda params: Problem(Code.NOT_A_CONTACT)
        self.enter("/chat bob")
        self.enter("hello")
        self.assertIn("hello ✗", self.body())
        self.assertIn("Not sent: You are not in each other's contacts.", self.body().replace("\n", " "))
        self.wire.answers["chat.send"] = lambda params: {"id": cursor(50), "at": NOW}
        self.enter("/retry")
        self.assertTrue(self.body().endswith("hello ✓"))
        first, second = self.params("chat.send")
        self.assertEqual(first, second)

    def test_a_message_may_begin_with_a_slash(self) -> None:
        self.enter("/chat bob")
        self.enter("//etc")
        self.assertEqual(self.params("chat.send")[0]["body"]["text"], "/etc")

    def test_too_long_is_said_before_it_is_sent(self) -> None:
        self.enter("/chat bob")
        self.enter("x" * 8193)
        self.assertIn("too long", self.body())
        self.assertEqual(self.params("chat.send"), [])

    def test_messages_elsewhere_are_announced_and_counted(self) -> None:
        self.enter("/chat bob")
        self.wire.event(
            ContactChanged(cursor(60), Contact(CAROL, "carol@far.test", OTHER, ContactState.ACCEPTED))
        )
        self.wire.event(message(61, "psst", CAROL, OTHER, NOW + 1))
        self.assertIn("carol@far.test: psst", text_of([render.info(self.desk, COLUMNS, ROWS)]))
        self.assertIn("1", self.sidebar().split("\n")[0])
        self.enter("/chat carol")
        self.assertEqual(text_of([render.info(self.desk, COLUMNS, ROWS)]).strip(), "")

    def test_messages_here_are_read_as_they_come(self) -> None:
        self.enter("/chat bob")
        self.wire.event(message(60, "again", at=NOW))
        self.assertEqual(self.params("chat.read")[-1]["upto"], cursor(60))
        page.scroll(self.desk, 1, COLUMNS, 2, UTC)
        self.wire.event(message(61, "unseen", at=NOW))
        self.assertEqual(self.params("chat.read")[-1]["upto"], cursor(60))

    def test_typing_is_shown_and_told_but_not_with_each_key(self) -> None:
        self.enter("/chat bob")
        self.wire.event(Typing(CHAT, BOB, True))
        self.assertEqual(text_of([render.info(self.desk, COLUMNS, ROWS)]).strip(), "Bob is typing…")
        for _ in range(5):
            self.desk.typed("x")
        self.assertEqual(len(self.wire.of("chat.typing")), 1)
        self.now += 5_000
        self.desk.typed("x")
        self.assertEqual(len(self.wire.of("chat.typing")), 2)

    def test_scrolling_up_asks_for_older_messages_and_keeps_its_place(self) -> None:
        def older(*numbers: int) -> list[Message]:
            return [message(100 + n, f"text 1{n}", at=1_690_000_000_000 + n) for n in range(*numbers)]

        self.history = [*older(30, 60), message(3, "text 3")]
        self.wire.answers["chat.history"] = lambda params: {"messages": self.history, "more": True}
        self.enter("/chat bob")
        self.history = older(0, 30)
        for _ in range(4):
            page.scroll(self.desk, 8, COLUMNS, 10, UTC)
        self.assertEqual(self.params("chat.history")[1]["before"], cursor(130))
        self.assertIn("text 13", self.body(rows=10))
        for _ in range(9):
            page.scroll(self.desk, -8, COLUMNS, 10, UTC)
        self.assertTrue(self.body(rows=10).endswith("text 3"))

    def test_nobody_writes_to_the_system_and_its_alerts_are_words(self) -> None:
        first = LoginAlert(DEVICE, "here", "Linux", NOW)
        self.alerts = [signed(Message(cursor(69), SYSTEM_CHAT, SYSTEM, NOW, first))]
        alert = LoginAlert("D" + "f" * 16, "evil\x1b[31mphone", "Linux", NOW)
        self.wire.event(signed(Message(cursor(70), SYSTEM_CHAT, SYSTEM, NOW, alert)))
        banner = text_of([render.info(self.desk, 80, ROWS)])
        self.assertIn("New login: evil\N{REPLACEMENT CHARACTER}[31mphone on Linux", banner)
        self.desk.neighbour(1)
        shown = " ".join(self.body().split())
        self.assertIn("Was that not you?", shown)
        advised = re.findall(r"/(\w+)", shown)
        self.assertEqual(advised, ["devices", "revoke"])
        self.assertLessEqual(set(advised), set(SLASHES))
        self.assertNotIn("password", shown)  # there is no command to change it
        self.enter("hello?")
        self.assertEqual(self.params("chat.send"), [])

    def test_nothing_of_others_reaches_the_terminal_raw(self) -> None:
        evil = "\x1b]0;owned\x07\u202e"
        self.enter("/chat bob")
        self.wire.event(ProfileChanged(cursor(80), BOB, Profile(f"Bob{evil}", evil)))
        self.wire.event(message(81, f"text{evil}\nsecond", at=NOW))
        self.wire.event(
            ContactChanged(cursor(82), Contact(CAROL, f"c{evil}@x", OTHER, ContactState.INCOMING))
        )
        self.wire.drop(1006, evil)
        pages = [self.body(), self.sidebar(), text_of([render.header(self.desk, 80)])]
        pages += [
            text_of([line]) for line in (render.info(self.desk, 80, ROWS), render.status(self.desk, 80))
        ]
        for shown in pages:
            self.assertTrue(shown.replace("\n", "").isprintable(), ascii(shown))

    def test_small_windows(self) -> None:
        self.enter("/chat bob")
        for columns in (24, 30, 80):
            for rows in (1, 3):
                self.body(columns, rows)
            self.assertEqual(width(text_of([render.status(self.desk, columns)])), columns)


class CommandTests(DeskTestCase):
    def test_every_command_is_in_the_help(self) -> None:
        self.enter("/help")
        text = self.body(rows=240)
        for name in ("add", "accept", "devices", "revoke", "quit", "retry"):
            self.assertIn(f"/{name}", text)

    def test_completion_of_commands_and_names(self) -> None:
        self.assertEqual([text for text, _ in completions(self.desk, "/ac")], ["/accept"])
        self.assertEqual([text for text, _ in completions(self.desk, "/chat b")], ["Bob"])
        self.assertEqual(list(completions(self.desk, "/accept b")), [])
        self.assertEqual(list(completions(self.desk, "hello /ac")), [])

    def test_commands_may_be_shortened_where_it_is_clear(self) -> None:
        self.enter("/cha bob")
        self.assertEqual(self.desk.current, CHAT)
        self.enter("/de")
        self.assertIn("Which one? /decline, /delete, /describe, /devices", self.body())
        self.enter("/dance")
        self.assertIn("There is no /dance", self.body())

    def test_adding_somebody(self) -> None:
        found = {"account": CAROL, "address": "carol@far.test"}
        self.wire.answers |= {"contact.find": lambda params: found, "contact.request": lambda params: {}}
        self.enter("/add carol@far.test")
        self.assertEqual(self.params("contact.request"), [found])
        self.assertIn("Asked carol@far.test", self.body())

    def test_adding_somebody_who_asked_already_accepts(self) -> None:
        asked = Contact(CAROL, "carol@far.test", OTHER, ContactState.INCOMING)
        found = {"account": CAROL, "address": "carol@far.test"}
        self.wire.answers |= {"contact.find": lambda params: found, "contact.accept": lambda params: {}}
        self.wire.event(ContactChanged(cursor(60), asked))
        self.assertIn("+ carol@far.test", self.sidebar())
        self.enter("/add carol@far.test")
        self.assertEqual(self.params("contact.accept"), [{"account": CAROL}])

    def test_the_only_request_needs_no_name(self) -> None:
        self.wire.answers["contact.accept"] = lambda params: {}
        self.enter("/accept")
        self.assertIn("Nobody is asking", self.body())
        asked = Contact(CAROL, "carol@far.test", OTHER, ContactState.INCOMING)
        self.wire.event(ContactChanged(cursor(60), asked))
        self.assertIn("/accept carol@far.test", self.body().replace("\n", " "))
        self.enter("/accept")
        self.assertEqual(self.params("contact.accept"), [{"account": CAROL}])

    def test_refusals_are_words(self) -> None:
        self.wire.answers["contact.find"] = lambda params: Problem(Code.NOT_FOUND)
        self.enter("/add nobody")
        told = " ".join(self.body().split())
        self.assertIn(
            "Nobody has the address nobody here: who is at another node is asked as LOGIN@NODE.", told
        )
        self.wire.answers["contact.find"] = lambda params: Problem(Code.RATE_LIMITED, None, 30)
        self.enter("/add nobody")
        self.assertIn("That was too often. Try again in 30 s.", self.body())

    def test_devices_are_numbered_and_revoked_by_number(self) -> None:
        entry = {"device": DEVICE, "name": "phone", "system": "Linux", "created_at": 0}
        devices = {"devices": [entry | {"current": False, "connected": True}]}
        self.wire.answers |= {"device.list": lambda params: devices, "device.revoke": lambda params: {}}
        self.enter("/revoke 1")
        self.assertIn("Which one?", self.body())
        self.enter("/devices")
        self.assertIn("1  phone on Linux (connected)", self.body())
        self.enter("/revoke 1")
        self.assertEqual(self.params("device.revoke"), [{"device": DEVICE}])

    def test_contacts_and_profiles(self) -> None:
        self.enter("/contacts")
        self.assertIn("1  Bob  bob@home.test", self.body())
        self.enter("/name Countess")
        self.assertEqual(
            self.params("profile.set")[0]["profile"],
            {"display_name": "Countess", "status": "", "about": "", "fields": [], "show_safenum": False},
        )
        self.enter("/profile")
        self.assertIn("Ada <ada@home.test>", self.body())

    def test_leaving(self) -> None:
        left: list[bool] = []
        self.desk.leave = lambda: left.append(True)
        self.enter("/quit")
        self.assertEqual(left, [True])


class LinkTests(DeskTestCase):
    def test_the_connection_is_always_told(self) -> None:
        self.assertIn("● connected", self.status())
        self.assertIn("2 unread · ada@home.test", self.status())
        self.node.down = True
        self.wire.drop(1012, "restarting")
        self.assertIn("reconnecting in 3 s (restarting)", self.status())
        self.now += 2_000
        self.assertIn("reconnecting in 1 s", self.status())
        self.node.down = False
        self.enter("/retry")
        self.assertIn("● connected", self.status())

    def test_a_restored_node_is_shown_as_it_is(self) -> None:
        self.enter("/chat bob")
        self.wire.event(message(4, "after the backup"))
        self.node.answers |= {
            method: self.wire.answers[method]
            for method in ("profile.get", "contact.list", "chat.list", "chat.history", "chat.read")
        }
        take = self.node.answers["session.resume"]
        self.node.answers["session.resume"] = lambda params: (
            take(params) if params["since"] is None else Problem(Code.INVALID_CURSOR)
        )
        self.wire.drop()
        self.node.clock.advance(1)
        shown = self.body()
        self.assertIn("text 1", shown)
        self.assertNotIn("after the backup", shown)
        self.assertIn("forgotten", shown)
        self.assertIn("● connected", self.status())

    def test_answers_stand_below_what_was_told_before(self) -> None:
        """Also where the node has forgotten all messages that older lines stood behind."""
        self.history.clear()
        self.enter("/chat bob")
        self.wire.event(message(4, "after the backup"))
        self.now += 1000
        self.enter("/nothing")
        view = self.desk.chat
        assert view is not None
        view.messages.clear()
        self.desk.notices.appendleft(Notice(NOW - 5000, CHAT, "long ago"))
        self.now += 1000
        self.enter("/nonsense")
        shown = self.body()
        places = [shown.index(each) for each in ("long ago", "/nothing", "/nonsense")]
        self.assertEqual(places, sorted(places))
        view.messages.append(message(3, "is left"))
        shown = self.body()
        places = [shown.index(each) for each in ("is left", "long ago", "/nothing", "/nonsense")]
        self.assertEqual(places, sorted(places))

    def test_the_end_is_told(self) -> None:
        self.wire.drop(4010)
        self.assertIn("session over", self.status())
        self.assertIn("This device was logged out.", self.body())
