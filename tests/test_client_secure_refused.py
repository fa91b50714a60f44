"""What a node does not take of what is said in a secure chat: its owner hears of it, and all else goes on."""

from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any

from twisted.internet.defer import Deferred, fail

from safeum_home.client.errors import BadAnswer, ClientError, local
from safeum_home.client.secure.events import Gap
from safeum_home.client.secure.payloads import Deletion, Edit, Reaction, Text
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.unlocked import saying
from safeum_home.client.unlocked.events import CompareChanged, NotChanged, SecureWarning
from safeum_home.client.unlocked.items import Fate, Item
from safeum_home.errors import Code
from safeum_home.protocol.types import Message, Secure
from tests.secure_file_case import SecureFileCase
from tests.secure_sdk_case import SecureSdkCase

Send = Callable[..., Awaitable[Any]]


class RefusedCase(SecureSdkCase):
    """Ann and Ben, and a node that does not take what Ann says next."""

    def setUp(self) -> None:
        super().setUp()
        self.chat_id = self.start(self.ben)
        self.conversation = self.chat(self.ann, self.chat_id)
        self.own = self.say(self.ann, self.chat_id, "own")
        self.theirs = self.say(self.ben, self.chat_id, "theirs")
        self.straight: Send = self.ann.client.send_body

    def hold(self) -> "Deferred[Any]":
        """The next thing that is posted waits for this; all that comes behind it goes as ever."""
        held: Deferred[Any] = Deferred()

        def hold(*_: object) -> Any:
            self.let()
            return held

        self.ann.client.send_body = hold  # type: ignore[method-assign,assignment]
        return held

    def let(self) -> None:
        self.ann.client.send_body = self.straight  # type: ignore[method-assign]

    def item(self, hash: str) -> Item:
        item = self.conversation.items.by_hash(hash)
        assert item is not None
        return item

    def look(self, hash: str) -> tuple[str, bool, bool, dict[str, str]]:
        """How Ann's client shows it."""
        item = self.item(hash)
        return item.text, item.edited, item.deleted, item.reactions


class ChangeTests(RefusedCase):
    """Edits, reactions and deletions."""

    def test_itself(self) -> None:
        """It is shown at once, and taken back with a word of why."""
        me = self.ann.account
        changes: list[tuple[Callable[[], None], Edit | Reaction | Deletion, str]] = [
            (lambda: self.conversation.edit(self.own, "other"), Edit(self.own, "other"), self.own),
            (lambda: self.conversation.react(self.theirs, "👍"), Reaction(self.theirs, "👍"), self.theirs),
            (lambda: self.conversation.delete(self.own), Deletion((self.own,)), self.own),
        ]
        for change, payload, hash in changes:
            before, held = self.look(hash), self.hold()
            before = (*before[:3], dict(before[3]))
            change()
            self.assertNotEqual(self.look(hash), before)
            self.ann.heard.clear()
            held.errback(local(Code.LIMIT_REACHED))
            self.settle()
            self.assertEqual(self.look(hash), before)
            self.assertEqual(self.ann.warnings(NotChanged), [NotChanged(payload, "limit_reached")])
        self.conversation.react(self.theirs, "👍")
        self.settle()
        self.assertEqual(self.item(self.theirs).reactions, {me: "👍"})
        held = self.hold()
        self.conversation.react(self.theirs, None)
        held.errback(local(Code.LIMIT_REACHED))
        self.settle()
        self.assertEqual(self.item(self.theirs).reactions, {me: "👍"})

    def test_behind_an_epoch(self) -> None:
        """Where the node takes nothing at all each is taken back, the last one first."""
        self.world.clock.advance(24 * 60 * 60)
        self.settle()
        before, held = self.look(self.own), self.hold()
        item = self.conversation.send("with another epoch")
        self.conversation.edit(self.own, "once")
        self.conversation.edit(self.own, "twice")
        self.conversation.delete(self.own)
        held.errback(BadAnswer("no answer"))
        self.settle()
        self.assertEqual((item.fate, item.refused, self.look(self.own)), (Fate.REFUSED, "", before))
        changes = [each.change for each in self.ann.warnings(NotChanged)]
        expected = [Deletion((self.own,)), Edit(self.own, "twice"), Edit(self.own, "once")]
        self.assertEqual(changes, expected)

    def test_one_after_another(self) -> None:
        """What was changed behind one that is taken back is shown upon what was before."""
        edit, react, delete = self.conversation.edit, self.conversation.react, self.conversation.delete
        own, theirs = self.own, self.theirs
        changes: list[tuple[str, list[Callable[[], None]]]] = [
            (own, [lambda: edit(own, "once"), lambda: edit(own, "twice")]),
            (own, [lambda: edit(own, "once"), lambda: delete(own)]),
            (own, [lambda: delete(own), lambda: delete(own)]),
            (own, [lambda: react(own, "👍"), lambda: edit(own, "once"), lambda: delete(own)]),
            (theirs, [lambda: react(theirs, "👍"), lambda: react(theirs, "👎")]),
        ]
        for hash, several in changes:
            before = (*self.look(hash)[:3], dict(self.look(hash)[3]))
            first, behind = Deferred[Any](), Deferred[Any]()
            left = iter((first, behind))
            self.ann.client.send_body = lambda *_, left=left: next(left)  # type: ignore[method-assign]
            for change in several:
                change()
            shown = self.item(hash).text
            first.errback(local(Code.LIMIT_REACHED))
            self.settle()
            self.assertEqual(self.item(hash).text, shown)
            self.assertEqual(len(self.ann.warnings(NotChanged)), 1)
            behind.errback(local(Code.LIMIT_REACHED))  # the epoch for all that is left
            self.settle()
            self.assertEqual(self.look(hash), before)
            self.assertEqual(len(self.ann.warnings(NotChanged)), len(several))
            self.let()
            self.say(self.ann, self.chat_id, "taken, with the epoch for it")
            self.ann.heard.clear()

    def test_deletion_at_the_node(self) -> None:
        """What the node holds of a message goes once others are told of that, and not before."""
        held, asked = self.hold(), list[str]()
        delete = self.ann.client.delete

        def erase(chat: str, message: str) -> Awaitable[Any]:
            asked.append(message)
            return delete(chat, message)

        self.patch(self.ann.client, "delete", erase)
        id = self.item(self.own).id
        self.conversation.delete(self.own)
        held.errback(local(Code.LIMIT_REACHED))
        self.settle()
        self.assertEqual(asked, [])
        self.conversation.delete(self.own)
        self.settle()
        self.assertEqual(asked, [id])
        self.assertEqual(self.chat(self.ben, self.chat_id).items.all[0].text, "")

    def test_changed_meanwhile(self) -> None:
        """What another device has made of it stays."""
        tablet = self.device().login("ann").unlock()
        self.everybody.append(tablet)
        self.settle()
        held = self.hold()
        self.conversation.delete(self.own)
        self.conversation.react(self.theirs, "👍")
        self.chat(tablet, self.chat_id).delete(self.own)
        self.settle()
        held.errback(local(Code.LIMIT_REACHED))
        self.settle()
        self.assertTrue(self.item(self.own).deleted)
        self.assertEqual([type(each.change) for each in self.ann.warnings(NotChanged)], [Deletion])
        self.assertEqual(self.item(self.theirs).reactions, {self.ann.account: "👍"})

    def test_of_what_is_not_loaded(self) -> None:
        """It is not kept for when it is."""
        held = self.hold()
        self.conversation.react("A" * 43, "👍")
        held.errback(local(Code.LIMIT_REACHED))
        self.settle()
        self.assertEqual(self.conversation.items._changes, [])

    def test_comparing(self) -> None:
        """A comparison that does not come to the other one is over, and doubts nobody."""
        held = self.hold()
        self.conversation.comparisons.begin(self.ben.account)
        held.errback(local(Code.LIMIT_REACHED))
        self.settle()
        told = [each for each in self.ann.heard if isinstance(each, CompareChanged)]
        self.assertEqual(told, [CompareChanged(self.chat_id, self.ben.account, None, False)])
        self.assertEqual(self.conversation.comparisons._running, {})


class QueueTests(RefusedCase):
    """What stands behind it."""

    def test_goes_on(self) -> None:
        """In its order, each under another name, by which what is said of it names it."""
        held = self.hold()
        refused = self.conversation.send("refused")
        second, third = (self.conversation.send(text) for text in ("second", "third"))
        assert second.hash is not None and third.hash is not None
        named = second.hash
        self.conversation.edit(named, "second, edited")
        answer = self.conversation.send("answer", reply=third.hash)
        held.errback(local(Code.LIMIT_REACHED))
        self.settle()
        self.assertEqual((refused.fate, refused.refused), (Fate.REFUSED, "limit_reached"))
        self.assertEqual([each.fate for each in (second, third, answer)], [Fate.SENT] * 3)
        shown = self.chat(self.ben, self.chat_id).items
        self.assertEqual([each.text for each in shown.all][2:], ["second, edited", "third", "answer"])
        payload = shown.all[-1].payload
        assert isinstance(payload, Text) and payload.reply is not None
        self.assertEqual(payload.reply.hash, third.hash)
        self.assertNotEqual(second.hash, named)
        self.conversation.edit(named, "twice")
        self.settle()
        self.assertEqual(self.ben.said(self.chat_id)[2], "twice")
        self.assertEqual((self.ann.alarms, self.ben.alarms), ([], []))

    def test_said_at_once(self) -> None:
        """Whoever answers as soon as something is told stands behind what was sealed before."""
        step = self.conversation._chat.say(Text("first"), "first")
        step.events.append(Gap(self.ben.account, 1))

        def answer(event: object) -> None:
            if isinstance(event, SecureWarning):
                self.conversation.send("second")

        self.ann.client.listen(answer)
        self.conversation._done(step)
        self.settle()
        self.assertEqual(self.ben.said(self.chat_id)[2:], ["first", "second"])
        self.assertEqual(self.ben.alarms, [])

    def test_each_by_itself(self) -> None:
        """A node that takes none of them is asked once for each."""
        asked: list[object] = []

        def refuse(*arguments: object) -> Any:
            asked.append(arguments)
            return fail(local(Code.LIMIT_REACHED))

        self.ann.client.send_body = refuse  # type: ignore[method-assign,assignment]
        items = [self.conversation.send(text) for text in "abc"]
        self.settle()
        self.assertEqual([each.fate for each in items], [Fate.REFUSED] * 3)
        self.assertEqual(len(asked), 3)

    def test_what_nobody_could_read(self) -> None:
        """Half of a character is refused at once."""
        before = list(self.conversation.items.all)
        for text in ("\ud800", "", "x" * 8193):
            with self.assertRaises(Refused) as caught:
                self.conversation.send(text)
            self.assertIs(caught.exception.reason, Reason.MALFORMED)
        self.assertEqual(self.conversation.items.all, before)

    def test_told_otherwise(self) -> None:
        """What comes to others though the node has said that it does not take it is sent."""
        held = self.hold()
        item = self.conversation.send("taken all the same")
        body = Secure(self.conversation._posting._posts[0].data, False)
        held.errback(local(Code.LIMIT_REACHED))
        self.settle()
        self.assertIs(item.fate, Fate.REFUSED)
        self.ann.do(self.straight(self.chat_id, body, "again"))
        [message] = [each for each in self.ben.heard if isinstance(each, Message) and each.body == body]
        self.ann.secure.take(message)
        self.assertEqual((item.fate, item.id), (Fate.SENT, message.id))
        self.assertEqual(self.ann.alarms, [])

    def test_erased(self) -> None:
        """What is on its way stays where the history is erased, and has its name."""
        held = self.hold()
        item = self.conversation.send("on its way")
        self.conversation.erased()
        self.assertEqual(self.conversation.items.all, [item])
        self.assertIs(self.conversation.items.by_hash(item.hash or ""), item)
        self.assertIsNone(self.conversation.items.by_hash(self.own))
        held.errback(local(Code.LIMIT_REACHED))

    def test_bound(self) -> None:
        """Without a connection so much waits, and no more."""
        self.patch(saying, "MOST_UNSENT", 3)
        self.ann.drop()
        for text in "abc":
            self.conversation.send(text)
        with self.assertRaises(Refused) as caught:
            self.conversation.send("d")
        self.assertIs(caught.exception.reason, Reason.TOO_MANY)
        self.ann.back()
        self.settle()
        self.assertEqual(self.ben.said(self.chat_id)[2:], ["a", "b", "c"])
        self.say(self.ann, self.chat_id, "d")


class ClosedTests(RefusedCase):
    """What is held of a chat after it was locked, or left, says so: by its code."""

    def refused(self, call: Callable[[], Any]) -> None:
        with self.assertRaises(ClientError) as caught:
            self.ann.do(call())
        error: Any = caught.exception
        self.assertTrue(error.of(Code.WRONG_STATE), error)

    def of_the_chat(self) -> list[Callable[[], Any]]:
        chat, own = self.conversation, self.own
        return [
            lambda: chat.send("x"),
            lambda: chat.edit(own, "x"),
            lambda: chat.react(own, "👍"),
            lambda: chat.delete(own),
            lambda: chat.forget(self.item(own)),
            chat.earlier,
            lambda: chat.comparisons.begin(self.ben.account),
            lambda: chat.comparisons.judge(self.ben.account, True),
            lambda: chat.files.send(BytesIO(b"x"), name="x"),
            lambda: chat.files.send_voice(BytesIO(b"x"), 1),
            lambda: chat.files.sound_of(self.item(own)),
            lambda: chat.files.save(self.item(own), BytesIO()),
        ]

    def test_locked(self) -> None:
        secure, chat, ben = self.ann.secure, self.conversation, self.ben.account
        self.ann.lock()
        for call in self.of_the_chat():
            self.refused(call)
        of_all: list[Callable[[], Any]] = [
            lambda: secure.start([ben]),
            lambda: secure.enter(self.chat_id),
            lambda: secure.accept(self.chat_id),
            lambda: secure.invite(chat, [ben]),
            lambda: secure.remove(chat, ben),
            lambda: secure.leave(chat),
            lambda: secure.verify(ben),
            lambda: secure.scanned(ben, ""),
            lambda: secure.accept_keys(ben),
            secure.replace_keys,
            secure.save,
            secure.accept_vault,
            secure.replace_vault,
            lambda: secure.drafts.set(self.chat_id, "x"),
            lambda: secure.settings.set("x", 1),
        ]
        for call in of_all:
            self.refused(call)
        self.assertEqual(self.ann.client.state.chats[0].chat, self.ben.client.state.chats[0].chat)

    def test_left(self) -> None:
        self.ann.do(self.ann.secure.leave(self.conversation))
        for call in self.of_the_chat():
            self.refused(call)

    def test_meanwhile(self) -> None:
        """Where it is locked while the node is asked."""
        self.settle(15)
        earlier: Any = self.conversation.earlier()
        self.ann.lock()
        self.settle()
        failure = self.failureResultOf(earlier, ClientError)
        self.assertTrue(failure.value.of(Code.WRONG_STATE))


class FileTests(SecureFileCase):
    """Files that wait for keys of somebody for so long that the node has thrown them away."""

    def test_thrown_away(self) -> None:
        """They are not sent, and say why; what stands behind them goes."""
        dan = self.device().register("dan")
        self.everybody.append(dan)
        self.use(dan)
        self.ann.befriend(dan)
        conversation = self.ann.do(self.ann.secure.start([dan.account]))
        first = conversation.send("first")
        gone = self.ann.do(conversation.files.send(BytesIO(b"secret"), name="a"))
        behind = conversation.send("behind")
        self.world.database.transact(lambda c: c.exec_driver_sql("DELETE FROM uploads"))
        kept = self.ann.do(conversation.files.send(BytesIO(b"kept"), name="b"))
        last = conversation.send("last")
        dan.unlock()
        dan.do(dan.secure.accept(conversation.id))
        self.settle(90)
        self.assertEqual((gone.fate, gone.refused), (Fate.REFUSED, "not_found"))
        self.assertEqual([each.fate for each in (first, behind, kept, last)], [Fate.SENT] * 4)
        shown = self.chat(dan, conversation.id).items.all
        self.assertEqual([each.text for each in shown], ["first", "behind", "", "last"])
        self.assertEqual(dan.do(self.files(dan, conversation.id).sound_of(shown[2])), b"kept")
        self.assertEqual(self.ann.alarms + dan.alarms, [])
