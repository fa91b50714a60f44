"""Locking and unlocking secure chats at a desk: who is asked for what, and what is left of it."""

from typing import Any

from mnemonic import Mnemonic
from twisted.internet.defer import Deferred, fail

from safeum_home.client.errors import local
from safeum_home.client.secure.people import Trust
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.slash.commands import completions
from safeum_home.errors import Code
from tests.secure_desk_case import OTHER, PASSPHRASE, SecureDeskCase, SecureWorldDesk


class UnlockTests(SecureDeskCase):
    def test_chosen(self) -> None:
        """A new passphrase is weighed, typed twice without being seen, and opens what follows from it."""
        self.cay.enter("/unlock")
        self.assertIn("no passphrase yet", self.cay.screen())
        self.assertTrue(self.cay.desk.questions.hidden)
        self.assertIn("Too weak", self.cay.enter("password1"))
        self.assertIn("Strong enough", self.cay.enter(PASSPHRASE))
        self.assertTrue(self.cay.desk.questions.hidden)
        self.assertIn("not the same", self.cay.enter("something else"))
        self.assertIn("are unlocked", self.cay.enter(PASSPHRASE))
        self.assertIsNotNone(self.cay.client.secure)
        for word in (PASSPHRASE, "password1", "something else"):
            self.assertNotIn(word, self.cay.screen())
            self.assertNotIn(word.encode(), b"".join(self.cay.line.given))

    def test_words(self) -> None:
        """Twelve of them are shown once, in place of the chat, and have to be typed."""
        self.cay.enter("/unlock")
        self.cay.enter("words")
        shown = [word for word in self.cay.reading().split() if word.islower() and word.isascii()]
        parts = [" ".join(shown[at : at + 12]) for at in range(len(shown))]
        found = next(part for part in parts if Mnemonic("english").check(part))
        self.assertEqual(self.cay.header(), "Your passphrase")
        self.cay.enter("")
        self.assertEqual(self.cay.desk.reading, [])
        self.assertNotIn(found.split()[0] + "   ", self.cay.screen())
        self.assertTrue(self.cay.desk.questions.hidden)
        self.cay.enter(found)
        self.assertIsNotNone(self.cay.client.secure)
        self.assertFalse(
            [notice for notice in self.cay.desk.notices if " ".join(found.split()[3:6]) in notice.text]
        )

    def test_given_up(self) -> None:
        """An empty line is no passphrase; nothing is published then."""
        self.cay.enter("/unlock")
        self.assertIn("No passphrase was chosen", self.cay.enter(""))
        self.assertIsNone(self.cay.client.secure)
        self.assertNotIn(b"keys.publish", b"".join(self.cay.line.given))

    def test_mistyped(self) -> None:
        """Another passphrase than the account has opens nothing, and publishes nothing."""
        other = SecureWorldDesk(self.world, "ben", known=True)
        other.enter("/unlock")
        for last in (False, False, True):
            self.assertIn("not the passphrase of this account", other.enter(OTHER))
            self.assertIs(other.desk.questions.hidden, not last, "it is typed again at once, and unseen")
        self.assertIsNone(other.client.secure)
        self.assertNotIn(b"keys.publish", b"".join(other.line.given))
        other.enter("/unlock")
        other.enter(OTHER)
        other.enter(PASSPHRASE)
        self.assertIsNotNone(other.client.secure)
        other.client.close()

    def test_mistyped_and_given_up(self) -> None:
        """What is too weak to be anybody's is mistyped as well."""
        other = SecureWorldDesk(self.world, "ben", known=True)
        other.desk.secure.stretch = UniqueKey.of
        other.enter("/unlock")
        self.assertIn("no passphrase of secure chats", other.enter("/chat Ann"))
        self.assertTrue(other.desk.questions.hidden)
        self.assertIn("Still locked", other.enter(""))
        self.assertFalse(other.desk.questions.open)
        other.client.close()

    def test_forgotten(self) -> None:
        """It takes a yes to have another key, and all in the chats are told."""
        self.pair()
        self.ben.enter("/lock")
        self.ben.enter("/unlock new")
        self.assertIn("Nothing was changed", self.ben.enter("no"))
        for line in ("/unlock new", "yes", OTHER, OTHER):
            self.ben.enter(line)
        self.settle()
        self.assertIsNotNone(self.ben.client.secure)
        self.assertEqual(self.ben.desk.secure.alarms.all, [])
        self.assertIn("⚠ The security key of Ben is said to be another one", self.ann.screen())

    def test_not_in_the_command(self) -> None:
        """Where it would be in what was typed before, and is taken for none."""
        wiped: list[None] = []
        self.cay.desk.wiped = lambda: wiped.append(None)
        self.cay.enter(f"/unlock {PASSPHRASE}")
        self.assertIn("not written into the command", self.cay.screen())
        self.assertIsNone(self.cay.client.secure)
        self.ann.desk.wiped = lambda: wiped.append(None)
        self.assertIn("not written into the command", self.ann.enter(f"/passphrase {PASSPHRASE}"))
        self.assertEqual(len(wiped), 2, "what was entered before is offered no more")

    def test_nothing_is_offered(self) -> None:
        """While it is asked for."""
        self.cay.enter("/unlock")
        self.assertEqual(list(completions(self.cay.desk, "/c")), [])


class TypedAheadTests(SecureDeskCase):
    """What is entered before the question is there is no message: it may be the passphrase."""

    def setUp(self) -> None:
        super().setUp()
        self.cay.enter("/chat Ann")

    def ahead(self, who: SecureWorldDesk, text: str) -> None:
        self.assertTrue(who.desk.questions.hidden)
        self.assertEqual(who.desk.questions.prompt, "One moment: ")
        for _ in range(2):
            self.assertNotIn(text, who.enter(text))
        self.assertNotIn(text.encode(), b"".join(who.line.given))

    def test_while_the_node_is_asked(self) -> None:
        gate: Deferred[None] = Deferred()
        straight = self.cay.client.keys_of

        async def later(accounts: Any, launches: bool = False) -> Any:
            await gate
            return await straight(accounts)

        self.cay.client.keys_of = later  # type: ignore[method-assign]
        self.cay.enter("/unlock")
        self.ahead(self.cay, PASSPHRASE)
        gate.callback(None)
        self.assertIn("New passphrase", self.cay.desk.questions.prompt)

    def test_while_it_is_weighed(self) -> None:
        weighed: Deferred[Any] = Deferred()
        self.cay.desk.secure.in_thread = lambda work: weighed.addCallback(lambda _: work())
        self.cay.enter("/unlock")
        self.cay.enter(PASSPHRASE)
        self.ahead(self.cay, PASSPHRASE)
        weighed.callback(None)
        self.assertIn("Once more", self.cay.desk.questions.prompt)

    def test_while_it_is_stretched(self) -> None:
        """Who sees that it was mistyped types it anew at once."""
        self.ann.enter("/lock")
        self.ann.enter("/chat Cay")
        stretched: Deferred[Any] = Deferred()
        self.ann.desk.secure.in_thread = lambda work: stretched.addCallback(lambda _: work())
        self.ann.enter("/unlock")
        self.ann.enter(PASSPHRASE)
        self.ahead(self.ann, PASSPHRASE)
        stretched.callback(None)
        self.assertIsNotNone(self.ann.client.secure)
        self.assertFalse(self.ann.desk.questions.open)

    def test_while_the_one_of_now_is_stretched(self) -> None:
        stretched: Deferred[Any] = Deferred()
        self.ann.enter("/chat Cay")
        self.ann.desk.secure.in_thread = lambda work: stretched.addCallback(lambda _: work())
        self.ann.enter("/passphrase")
        self.ann.enter(PASSPHRASE)
        self.ahead(self.ann, OTHER)
        stretched.callback(None)
        self.assertIn("New passphrase", self.ann.desk.questions.prompt)


class PassphraseTests(SecureDeskCase):
    def test_another(self) -> None:
        """The one of now is asked for; the other one is told in all chats, and what was said is read on."""
        self.pair()
        self.say(self.ann, "before")
        self.ben.enter("/passphrase")
        self.assertIn("not the passphrase of this account", self.ben.enter(OTHER))
        for line in ("/passphrase", PASSPHRASE, OTHER, OTHER):
            self.ben.enter(line)
        self.settle()
        self.assertIn("From now on it is the other passphrase", self.ben.screen())
        self.assertIn("All your secure chats are told", self.ben.screen())
        self.assertIn("⚠ Ben has taken another passphrase", self.ann.screen())
        self.say(self.ann, "after")
        self.assertIn("after", self.ben.screen())
        self.ben.enter("/lock")
        self.ben.enter("/unlock")
        self.assertIn("not the passphrase of this account", self.ben.enter(PASSPHRASE))
        self.ben.unlock(OTHER)
        self.settle()
        for words in ("before", "after"):
            self.assertIn(words, self.ben.screen())
        self.ben.enter("/passphrase")
        self.ben.enter(OTHER)
        self.ben.enter(PASSPHRASE)
        self.assertIn("was your passphrase before", self.ben.enter(PASSPHRASE))

    def test_no_alarm(self) -> None:
        """What this program does itself is no news for it; that another one has done it is."""
        other = SecureWorldDesk(self.world, "ben", known=True)
        other.unlock()
        for line in ("/passphrase", PASSPHRASE, OTHER, OTHER):
            self.ben.enter(line)
        self.settle()
        self.assertNotIn("Your security key has changed", self.ben.screen())
        self.assertIn("⚠ Your security key has changed", other.screen())
        other.client.close()

    def test_interrupted(self) -> None:
        """Where it ended before the directory knew, the other one unlocks nevertheless, and goes on."""
        self.pair()
        assert self.ben.client.secure is not None
        self.ben.client.secure._put_in_force = lambda *_: Deferred()  # type: ignore[method-assign,assignment]
        for line in ("/passphrase", PASSPHRASE, OTHER, OTHER):
            self.ben.enter(line)
        self.settle()
        other = SecureWorldDesk(self.world, "ben", known=True)
        other.unlock(OTHER)
        self.settle()
        self.assertIn("⚠ Ben has taken another passphrase", self.ann.screen())
        other.client.close()


class LockTests(SecureDeskCase):
    def setUp(self) -> None:
        super().setUp()
        self.pair()
        self.say(self.ann, "between us")
        self.say(self.ben, "only us")

    def test_locked(self) -> None:
        """Nothing that was said is on the screen, or to be called up; what is written is kept, not sent."""
        self.ann.enter("/search between")
        wiped: list[bool] = []
        self.ann.desk.wiped = lambda: wiped.append(True)
        self.ann.enter("/lock")
        self.assertTrue(wiped)
        for word in ("between us", "only us"):
            self.assertNotIn(word, self.ann.screen())
            self.assertFalse([each for each in self.ann.desk.notices if word in each.text])
        self.assertIn("Ben [sealed: /unlock]", self.ann.screen())
        self.assertEqual(self.ann.header(), "🔒 Ben  locked: /unlock")
        self.assertIn("locked", self.ann.status())
        back: list[str] = []
        self.ann.desk.opened = back.append
        self.assertIn("locked here: /unlock", self.ann.enter("not in clear"))
        self.assertEqual(back, [], "the line is free for /unlock")
        self.assertNotIn(b"not in clear", b"".join(self.ann.line.given))
        for line in ("/edit 1 x", "/react 1 👍", "/verify Ben", "/secure Cay"):
            self.ann.enter(line)
            self.assertIn("/unlock", self.ann.screen().rpartition("\n")[2], line)

    def test_what_was_written(self) -> None:
        """It stands in the line once they are unlocked, whichever chat is open then, and is sent by a key."""
        self.ann.enter("/lock")
        self.ann.enter("as I said")
        self.ann.enter("/chat Cay")
        self.ann.unlock()
        line: list[str] = []
        self.ann.desk.opened = line.append
        self.ann.enter("/secure Ben")
        self.assertEqual(line, ["as I said"])
        self.ann.enter("/lock")
        self.ann.enter("once more")
        self.ann.unlock()
        self.assertEqual(line[1:], ["once more"])
        self.settle()
        self.assertNotIn("as I said", self.ben.screen())
        self.assertNotIn(b"as I said", b"".join(self.ann.line.given))

    def test_again(self) -> None:
        self.ann.enter("/lock")
        self.ann.unlock()
        self.settle()
        self.assertIn("You between us", self.ann.screen())
        self.assertIn("Ben only us", self.ann.screen())
        self.assertEqual(self.ann.desk.secure.alarms.all, [])

    def test_not_read(self) -> None:
        """What nobody could read was not read: its author is told so once it was opened."""
        self.ann.enter("/lock")
        self.say(self.ben, "are you there?")
        self.assertIn("1 unread", self.ann.status())
        self.assertIn("Nobody has read it", self.ben.enter("/readers 1"))
        self.ann.unlock()
        self.settle()
        self.assertNotIn("unread", self.ann.status())
        self.assertIn("✓✓ Ann", self.ben.enter("/readers 1"))

    def test_come_back(self) -> None:
        """Who logs in sees by their names whom the secure chats are with, before opening one."""
        again = SecureWorldDesk(self.world, "ann", known=True)
        self.settle()
        self.assertIn("🔒 Ben", [again.desk.names.title(view) for view in again.desk.chats()])
        again.client.close()

    def test_elsewhere(self) -> None:
        """That something has come is said, and nothing of what it is."""
        self.ann.enter("/lock")
        self.ann.enter("/chat Cay")
        self.say(self.ben, "psst")
        self.assertEqual(self.ann.info(), "🔒 Ben, Ben: [sealed: /unlock]")


class WaitingTests(SecureDeskCase):
    def test_keys(self) -> None:
        """To somebody who has never unlocked: it waits, and says for whom, until that one has."""
        self.ann.enter("/secure Cay")
        self.settle()
        self.assertEqual(self.ann.header(), "🔒 Cay  waits for their keys")
        self.say(self.ann, "hello Cay")
        self.assertIn("hello Cay …", self.ann.screen())
        self.assertIn("for the keys of Cay", self.ann.screen())
        self.assertIn("1 not sent", self.ann.status())
        self.cay.unlock()
        self.cay.enter("/accept Ann")
        self.settle(120)
        self.assertIn("hello Cay ✓", self.ann.screen())
        self.assertNotIn("not sent", self.ann.status())
        self.assertIn("hello Cay", self.cay.screen())

    def test_dropped(self) -> None:
        """It can be forgotten; leaving, and locking, say first that it would be."""
        self.ann.enter("/secure Cay")
        self.say(self.ann, "hello Cay")
        left: list[bool] = []
        self.ann.desk.leave = lambda: left.append(True)
        self.assertIn("1 message was not sent", self.ann.enter("/quit"))
        self.ann.enter("/lock")
        self.assertIn("Nothing was locked", self.ann.enter("no"))
        self.assertIn("Dropped 1 message", self.ann.enter("/drop"))
        self.assertNotIn("hello Cay", self.ann.screen())
        self.ann.enter("/quit")
        self.assertEqual(left, [True])

    def test_refused(self) -> None:
        """What the node refuses stays with why, and goes when it is said again."""
        self.pair()
        straight = self.ann.client.send_body

        def refuse(*args: object, **more: object) -> object:
            return fail(local(Code.NOT_PERMITTED))

        self.ann.client.send_body = refuse  # type: ignore[method-assign,assignment]
        self.say(self.ann, "one more")
        self.assertIn("one more ✗", self.ann.screen())
        self.assertIn("has not taken it. /retry sends it again, /drop forgets it", self.ann.screen())
        self.ann.client.send_body = straight  # type: ignore[method-assign]
        self.say(self.ann, "/retry")
        self.assertIn("one more ✓", self.ann.screen())
        self.assertIn("one more", self.ben.screen())


class OwnTests(SecureDeskCase):
    def test_verified_is_kept(self) -> None:
        """Who was verified is so after locking and unlocking: the vault has it."""
        self.pair()
        self.ann.enter("/verify yes")
        self.ann.enter("yes")
        self.settle(30)
        self.ann.enter("/lock")
        self.ann.unlock()
        assert self.ann.client.secure is not None
        self.assertIs(self.ann.client.secure.trust(self.ben.account), Trust.VERIFIED)
