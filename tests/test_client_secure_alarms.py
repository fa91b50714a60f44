"""Alarms of secure chats at desks: each kind in words, seen wherever one is, and imitated by nobody."""

from typing import get_args

from msgspec import Struct

from safeum_home.client.desk.alarms import MOST, SIGN
from safeum_home.client.screen import render
from safeum_home.client.screen.page import body
from safeum_home.client.secure import events as e
from safeum_home.client.secure.payloads import Deletion, Edit, Reaction
from safeum_home.client.secure.refused import Reason
from safeum_home.client.secure.roster import Change
from safeum_home.client.unlocked.events import InClear, KeysMismatch, NotChanged, SecureWarning, VaultRefused
from safeum_home.client.words.secure_words import Wording
from safeum_home.protocol.types import Message, Text
from tests.secure_desk_case import OTHER, SecureDeskCase, SecureWorldDesk

HASHES = bytes(32), bytes([255]) * 32
QUIET = (e.Received, e.Overtaken, e.KeysNeeded, e.Waiting, e.VaultNewer)
"""What the SDK deals with by itself."""


def warnings(account: str) -> list[e.Event | InClear]:
    """One of each kind that an account can be the reason of."""
    return [
        *(e.Refusal(reason, account, "x") for reason in Reason if reason is not Reason.FORMER_KEYS),
        e.Gap(account, 1),
        e.Missing(account, None, 2),
        e.Missing(account, account, 2),
        e.Unseen(account, 3),
        e.Forked(account, account),
        e.RosterChanged(account, Change(rekeyed=(account,))),
        e.NotVouched((account,)),
        e.Gone((account,)),
        e.KeysChanged(account, *HASHES, vouched=True),
        e.KeysChanged(account, *HASHES, vouched=False),
        e.KeysDiffer(account),
        InClear(account, "x"),
    ]


class AlarmCase(SecureDeskCase):
    def setUp(self) -> None:
        super().setUp()
        self.pair()

    def tell(self, about: e.Event | InClear) -> None:
        """Ann's client warns of this in the chat with Ben."""
        self.hear(SecureWarning(self.ann.view(self.ben).chat, about))

    def hear(self, event: Struct) -> None:
        self.ann.desk.state.tell(event)

    def alarm_lines(self, who: SecureWorldDesk) -> list[str]:
        """What is drawn in the style of alarms."""
        lines = body(who.desk, 100, 60)
        return [
            "".join(text for _, text in line) for line in lines if any(style == "alarm" for style, _ in line)
        ]


class WordsTests(AlarmCase):
    def test_left_meanwhile(self) -> None:
        """Who has signed several lists since the last one that came here is told of in one sentence."""
        ann, ben, cay = (each.account for each in (self.ann, self.ben, self.cay))
        wording = Wording(self.ann.desk.names.name, str, ann)
        for change, words in (
            (Change(added=(ben, cay)), "Ben has vouched for Cay."),
            (Change(added=(ann,), removed=(ben,)), "Ben has vouched for you and has left."),
            (Change(removed=(ben, cay)), "Ben has removed Cay and has left."),
            (Change(removed=(ben,)), "Ben has left, and has signed that."),
        ):
            said = wording.of(e.RosterChanged(ben, change))
            assert said is not None
            self.assertEqual((said.text, said.alarm), (words, False))
        self.assertIsNone(wording.of(e.RosterChanged(ben, Change(added=(ben,)))))

    def test_all(self) -> None:
        """Whatever the SDK warns of is an alarm in the chat, by name, and says what it is about."""
        told = warnings(self.ben.account)
        kinds = set(get_args(e.Event)) - set(QUIET) | {InClear}
        self.assertEqual({type(each) for each in told}, kinds, "each kind there is")
        for about in told:
            self.ann.desk.notices.clear()
            self.tell(about)
            [alarm] = self.ann.desk.notices
            self.assertEqual(alarm.style, "alarm")
            self.assertTrue(alarm.text.startswith(f"{SIGN} "), alarm.text)
            self.assertNotIn("{", alarm.text)
            self.assertNotIn(self.ben.account, alarm.text, "people are not called by their ids")
            if getattr(about, "reason", None) is not Reason.TOO_MANY:
                self.assertIn("Ben", alarm.text)
            self.assertIn(alarm.text[:40], self.ann.screen())

    def test_by_a_device_of_ones_own(self) -> None:
        for about in warnings(self.ann.account):
            self.ann.desk.notices.clear()
            self.tell(about)
            for notice in self.ann.desk.notices:
                self.assertNotIn("You has", notice.text)

    def test_former_keys(self) -> None:
        """What was sealed for one's own former key is no alarm, and is told once."""
        for _ in range(3):
            self.tell(e.Refusal(Reason.FORMER_KEYS, self.ben.account, "x"))
        self.assertEqual(self.ann.screen().count("your former security key"), 1)
        self.assertEqual(self.ann.desk.secure.alarms.all, [])

    def test_not_changed(self) -> None:
        """What of one's own the node does not take is no alarm."""
        chat, me = self.ann.view(self.ben).chat, self.ann.account
        for change in (Edit("A" * 43, "x"), Reaction("A" * 43), Deletion(("A" * 43,))):
            self.hear(SecureWarning(chat, NotChanged(change, "limit_reached")))
        for what in ("an edit", "a reaction", "a deletion"):
            self.assertIn(f"Your node has not taken {what} of yours", self.ann.screen())
        self.assertNotIn(me, self.ann.screen())
        self.assertEqual(self.ann.desk.secure.alarms.all, [])

    def test_names_are_only_filled_in(self) -> None:
        """What somebody is called is no template, whatever it has in it."""
        wording = Wording(lambda account: "{name.__class__} {0}", lambda account: "{login}", "@me")
        for about in warnings(self.ben.account):
            said = wording.of(about)
            assert said is not None
            self.assertNotIn("class 'str'", said.text)

    def test_of_all_chats(self) -> None:
        """Other keys of one's own, and a vault that is not taken, concern no single chat."""
        self.hear(KeysMismatch("h", "h 1"))
        self.assertIn(f"{SIGN} Your account has another security key", self.ann.screen())
        for count, reason in enumerate(
            (Reason.ROLLED_BACK, Reason.FORKED, Reason.UNDECRYPTABLE, Reason.MALFORMED), 1
        ):
            self.hear(VaultRefused(reason))
            shown = [line for line in self.alarm_lines(self.ann) if line.startswith(f"{SIGN} What your node")]
            self.assertEqual(len(shown), count)
        self.assertEqual(len(self.ann.desk.secure.alarms.all), 5)


class SeenTests(AlarmCase):
    def test_elsewhere(self) -> None:
        """It stands above the line, in a style of its own, and is counted, until its chat is opened."""
        self.ann.enter("/chat Cay")
        rung = self.ann.bells
        self.tell(e.Gap(self.ben.account, 2))
        self.assertEqual(self.ann.bells, rung + 1)
        [(style, text)] = render.info(self.ann.desk, 120, 40)
        self.assertEqual(style, "alarm-banner")
        self.assertTrue(text.startswith(f" {SIGN} /alarms  🔒 Ben: Of Ben 2 messages"), text)
        self.assertIn("1 alarm ", self.ann.status())
        self.ann.enter("/secure Ben")
        self.assertEqual(self.ann.info(), "")
        self.assertNotIn("alarm", self.ann.status())
        self.assertEqual(len(self.alarm_lines(self.ann)), 2)

    def test_listed(self) -> None:
        """All of them, the newest last; after that none is unseen."""
        self.ann.enter("/alarms")
        self.assertIn("There was no alarm", self.ann.screen())
        self.ann.enter("/chat")
        self.tell(e.Gap(self.ben.account, 2))
        self.tell(e.KeysDiffer(self.ben.account))
        self.assertIn("2 alarms", self.ann.status())
        self.assertIn("2 alarms, the last: 🔒 Ben: Nothing can be said", self.ann.info())
        self.ann.enter("/alarms")
        first, second = self.ann.desk.reading
        self.assertIn("🔒 Ben: ⚠ Of Ben 2 messages", first.text)
        self.assertIn("Nothing can be said here", second.text)
        self.assertNotIn("alarm", self.ann.status())

    def test_again_and_again(self) -> None:
        """The same one is counted, and rings once: nobody's flood pushes others off the screen."""
        self.tell(e.KeysDiffer(self.ben.account))
        rung = self.ann.bells
        for _ in range(500):
            self.tell(e.Refusal(Reason.BAD_SIGNATURE, self.ben.account, "x"))
        self.assertEqual(self.ann.bells, rung + 1)
        self.assertIn("(500 times)", " ".join(self.ann.screen().split()))
        self.assertIn("Nothing can be said here now", self.ann.screen())
        for number in range(MOST + 50):
            self.tell(e.Gap(self.ben.account, number))
        self.assertEqual(len(self.ann.desk.secure.alarms.all), MOST)


class RealTests(AlarmCase):
    def test_other_keys(self) -> None:
        """They are an alarm, nothing is sealed to them, and they are used after a yes."""
        self.ann.enter("/verify yes")
        self.ann.enter("yes")
        for line in ("/lock", "/unlock new", "yes", OTHER, OTHER):
            self.ben.enter(line)
        self.settle()
        self.assertTrue(self.alarm_lines(self.ann)[0].startswith("⚠ The security key of Ben is said"))
        self.assertEqual(self.ann.header(), "🔒⚠ Ben  other keys are offered, and wait for you")
        self.say(self.ann, "who are you?")
        self.assertIn("who are you? …", self.ann.screen())
        self.ann.enter("/verify")
        self.assertIn("/verify ben accept takes the other one", self.ann.reading())
        self.ann.enter("/verify accept")
        self.assertIn("the other key is not used", self.ann.enter("no"))
        self.ann.enter("/verify accept")
        self.ann.enter("yes")
        self.settle()
        self.assertIn("who are you? ✓", self.ann.screen())
        self.assertIn("other keys than before, not verified", self.ann.header())

    def test_unsealed(self) -> None:
        """What a node lets pass in clear is never shown, locked or not; that it came is."""
        chat = self.ann.view(self.ben).chat
        for number, line in enumerate(("/lock", "/unlock")):
            forged = Message(f"{number:022d}", chat, self.ben.account, 5, Text("trust me"))
            self.ann.desk.state.take(forged)
            self.ann.desk.state.tell(forged)
            self.assertNotIn("trust me", self.ann.screen())
            self.assertIn("came unsealed", self.ann.screen())
            self.ann.enter(line)


class ImitationTests(AlarmCase):
    def test_in_text(self) -> None:
        """An alarm begins at the left edge: what others write stands further in, however it is broken."""
        self.tell(e.KeysDiffer(self.ben.account))
        [alarm] = self.ann.desk.secure.alarms.all
        for text in (
            alarm.words,
            f"x\n{alarm.words}",
            f"{'x' * 200} {alarm.words}",
            f"\u2028{alarm.words}",
            f"\r{alarm.words}",
            f"\x1b[2K\x1b[1G{alarm.words}",
            f"\u202e{alarm.words}",
            f"\n\n{' ' * 300}{alarm.words}",
        ):
            self.say(self.ben, text)
        genuine = self.alarm_lines(self.ann)
        for columns in (40, 55, 100):
            lines = body(self.ann.desk, columns, 200)
            drawn = [line for line in lines if "".join(text for _, text in line).startswith(SIGN)]
            self.assertEqual(len(drawn), 1)
            self.assertEqual({style for style, _ in drawn[0]}, {"alarm"})
        self.assertEqual(self.alarm_lines(self.ann), genuine)
        self.assertNotIn("\x1b", self.ann.screen(rows=200))
        self.assertNotIn("\u202e", self.ann.screen(rows=200))

    def test_in_a_name(self) -> None:
        """Neither the sign nor the lock stands in what people call themselves."""
        self.ben.enter(f"/name {SIGN} 🔒 Ann")
        self.settle()
        for shown in (self.ann.header(), self.ann.sidebar(), self.ann.screen()):
            self.assertNotIn(SIGN, shown)
        self.assertEqual(self.ann.sidebar().count("🔒"), 1)
        self.ben.enter("/name A device of yours")
        self.settle()
        self.assertIn("ben", self.ann.header())

    def test_in_a_banner(self) -> None:
        """What is announced of messages never has the style of alarms, nor begins with their sign."""
        self.ann.enter("/chat Cay")
        self.say(self.ben, f"{SIGN} /alarms  🔒 Ben: Nothing can be said here now")
        [(style, text)] = render.info(self.ann.desk, 100, 40)
        self.assertEqual(style, "banner")
        self.assertTrue(text.startswith(" 🔒 Ben: "), text)
        self.assertNotIn("alarm", self.ann.status())

    def test_in_an_emoji(self) -> None:
        """Kinds that are not known, and their words, stand as messages do."""
        self.say(self.ben, "/react 1 ⚠")
        self.assertEqual(self.alarm_lines(self.ann), [])
