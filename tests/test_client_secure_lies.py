"""Nodes that answer with something else than what was asked, or say it again: what a program makes of it."""

from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import structs
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.errors import BadAnswer
from safeum_home.client.secure.events import Gone, Refusal
from safeum_home.client.secure.people import Trust
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.unlocked import hearing, vault_store
from safeum_home.client.unlocked.items import Fate, Items, unread
from safeum_home.protocol.commands import GroupInvited
from safeum_home.protocol.commands.vault import VaultPart
from safeum_home.protocol.events import KeysChanged, MemberChanged
from safeum_home.protocol.group_types import GroupMember, NotInvited
from safeum_home.protocol.types import Message
from tests.secure_case import account
from tests.secure_sdk_case import SecureDevice, SecureSdkCase, key_of

Call = Callable[..., Awaitable[Any]]


class LyingCase(SecureSdkCase):
    """Ann, Ben and Cay are in a group."""

    def setUp(self) -> None:
        super().setUp()
        self.chat_id = self.start(self.ben, self.cay, group=True)
        self.conversation = self.chat(self.ann, self.chat_id)

    def instead(self, device: SecureDevice, name: str, answer: Callable[[Call], Call]) -> None:
        """What a device's client does with a command, given what it did."""
        self.patch(device.client, name, answer(getattr(device.client, name)))

    def heard(self, device: SecureDevice) -> list[Message]:
        return [each for each in device.heard if isinstance(each, Message) and each.chat == self.chat_id]

    def moved(self, device: SecureDevice, other: SecureDevice, state: Any) -> None:
        """The node says to a device that somebody has another place in the group."""
        member = GroupMember(other.account, "", "", "member", state)
        device.secure.take(MemberChanged("A" * 22, self.chat_id, member, 3))
        self.settle()


class BeginTests(LyingCase):
    """A node chooses the id of what is new."""

    def refused(self, *others: SecureDevice, group: bool = False) -> None:
        with self.assertRaises(BadAnswer):
            self.ann.do(self.ann.secure.start([each.account for each in others], group=group))

    def test_another_chat(self) -> None:
        """One with others in it, that is there already, is not taken for a new one."""
        pair = self.start(self.cay)
        shown = {chat: self.ann.client.state.held(chat) for chat in (self.chat_id, pair)}
        for chat, view in shown.items():
            created: Any = self.ann.do(self.ann.client.create_group("Secure chat", secure=True))
            assert view is not None
            info = structs.replace(created.chat, chat=chat, group=view.group)
            with self.subTest(chat):
                self.instead(self.ann, "create_group", _answers(structs.replace(created, chat=info)))
                self.refused(self.ben)
                self.refused(self.ben, group=True)

    def test_another_kind(self) -> None:
        """Nor is a group taken for a pair, or what is in clear for either."""
        for secure in (True, False):
            created: Any = self.ann.do(self.ann.client.create_group("Secure chat", secure=secure))
            self.instead(self.ann, "create_group", _answers(created))
            self.refused(self.ben)

    def test_another_partner(self) -> None:
        """Who is told who the other one is before there is an answer goes by whom it was begun with."""

        def lies(straight: Call) -> Call:
            async def members(*arguments: Any, **named: Any) -> Any:
                page = await straight(*arguments, **named)
                one = structs.replace(page.members[0], account=self.cay.account)
                return structs.replace(page, members=[one])

            return members

        def opens(straight: Call) -> Call:
            async def create(*arguments: Any, **named: Any) -> Any:
                created = await straight(*arguments, **named)
                await deferLater(self.world.clock, 1.0)  # what tells of it comes first
                opened = self.ann.secure.chats[created.chat.chat]
                self.assertEqual(opened.peer, self.cay.account)
                return created

            return create

        before = set(self.ann.secure.chats)
        self.instead(self.ann, "members", lies)
        self.instead(self.ann, "create_group", opens)
        self.refused(self.ben)
        self.assertEqual(set(self.ann.secure.chats), before)

    def test_others_refused(self) -> None:
        """Whom it says that it has not invited is removed again; nobody else."""
        lie = GroupInvited([NotInvited(self.cay.account, "blocked")])
        self.instead(self.ann, "invite_to_group", _answers(lie))
        self.ann.do(self.ann.secure.invite(self.conversation, [self.ben.account]))
        self.settle()
        for device in self.everybody:
            self.assertIn(self.cay.account, self.chat(device, self.chat_id).members)


class RosterTests(LyingCase):
    """Who is in it."""

    def test_said_by_another(self) -> None:
        """That somebody is removed is so once it has come back as what it is: nothing is sealed before."""
        gate: Deferred[None] = Deferred()
        posted: list[Any] = []

        def holds(straight: Call) -> Call:
            async def send_body(chat: str, body: Any, *arguments: Any) -> Any:
                posted.append(body)
                await gate
                return await straight(chat, body, *arguments)

            return send_body

        self.instead(self.ann, "send_body", holds)
        removing: Any = self.ann.secure.remove(self.conversation, self.cay.account)
        self.settle()
        lie = structs.replace(self.last_of(self.ben), sender=self.cay.account, body=posted[0])
        self.ann.secure.take(lie)
        self.settle()
        item = self.conversation.send("not for Cay")
        self.assertEqual((item.fate, removing.called), (Fate.WAITING, False))
        self.assertIn(Reason.BAD_SIGNATURE, self.ann.refused)
        gate.callback(None)
        self.settle()
        self.assertIs(item.fate, Fate.SENT)
        self.assertEqual(self.ben.said(self.chat_id), ["not for Cay"])

    def last_of(self, device: SecureDevice) -> Message:
        self.say(self.cay, self.chat_id, "here")
        self.ben.secure.chats[self.chat_id].items.wipe()
        return self.heard(device)[-1]

    def test_invited_again(self) -> None:
        """A member who is shown as one who has yet to come is gone: that is told."""
        self.moved(self.ann, self.cay, "invited")
        self.assertEqual(self.ann.warnings(Gone), [Gone((self.cay.account,))])

    def test_removed_and_shown_again(self) -> None:
        """Who is shown as removed, and has the chat opened anew, knows all that had come."""
        self.settle(15)
        self.say(self.ann, self.chat_id, "once")
        seen = self.heard(self.ben)[-1]

        def forgets(straight: Call) -> Call:
            async def history(*arguments: Any, **named: Any) -> Any:
                page = await straight(*arguments, **named)
                left = [each for each in page.messages if each.id != seen.id]
                return structs.replace(page, messages=left)

            return history

        self.instead(self.ben, "history", forgets)
        self.moved(self.ben, self.ben, "removed")
        self.assertNotIn(self.chat_id, self.ben.secure.chats)
        self.ben.do(self.ben.secure.enter(self.chat_id))
        self.ben.secure.take(structs.replace(seen, id=seen.id[:-1] + ("a" if seen.id[-1] != "a" else "b")))
        self.settle()
        self.assertEqual((self.ben.said(self.chat_id), self.ben.refused), ([], [Reason.REPLAYED]))


class AgainTests(LyingCase):
    """What is said once more, or in another order."""

    def test_another_origin(self) -> None:
        """A message that claims to be an earlier one does not take its place."""
        hash = self.say(self.ann, self.chat_id, "first")
        item = self.chat(self.ben, self.chat_id).items.by_hash(hash)
        assert item is not None
        id = item.id

        def bend(frame: dict[str, Any]) -> list[dict[str, Any]]:
            if frame.get("method") == "chat.message":
                frame["params"]["origin"] = id
            return [frame]

        self.ben.bend = bend
        self.say(self.ann, self.chat_id, "second")
        self.assertEqual(item.id, id)
        self.assertEqual(self.ben.said(self.chat_id), ["first", "second"])

    def test_edits_in_another_order(self) -> None:
        """Of two that a program has said the later one counts, wherever history has them."""
        hash = self.say(self.ann, self.chat_id, "one")
        for text in ("two", "three"):
            self.conversation.edit(hash, text)
            self.chat(self.ben, self.chat_id).react(hash, "👍" if text == "two" else "❤️")
            self.settle()
        tablet = self.device().login("cay")
        self.everybody.append(tablet)

        def turned(straight: Call) -> Call:
            async def history(*arguments: Any, **named: Any) -> Any:
                page = await straight(*arguments, **named)
                return structs.replace(page, messages=[*page.messages[:-4], *reversed(page.messages[-4:])])

            return history

        self.instead(tablet, "history", turned)
        tablet.unlock()
        self.settle()
        [item] = self.chat(tablet, self.chat_id).items.all
        self.assertEqual((item.text, item.reactions), ("three", {self.ben.account: "❤️"}))

    def test_former_keys(self) -> None:
        """What cannot be read stands there once, however often its page comes."""
        items = Items()
        for _ in range(3):
            items.page([unread(Refusal(Reason.FORMER_KEYS, self.ben.account, "m1"), 1)])
        self.assertEqual(len(items.all), 1)

    def test_keys_changed(self) -> None:
        """That keys are others is looked at once for all that comes at the same time."""
        asked: list[str] = []
        self.ann.secure._directory.need = asked.extend  # type: ignore[method-assign,assignment]
        for number in range(5):
            self.ann.secure.take(KeysChanged("!1", self.ben.account, "A" * 43, "A" * 43, number))
        self.settle(5)
        self.assertEqual(asked, [self.ben.account])

    def test_other_keys_meanwhile(self) -> None:
        """What was compared, or was to be accepted, are those keys, and no others that are shown by then."""
        secure, ben = self.ann.secure, self.ben.account
        number, first = secure.safety_number(ben), key_of(ben, 1)
        secure._keys_told(ben, first.public)
        secure._keys_told(ben, key_of(ben, 2).public)
        for hash in (first.hash, self.ben.secure.own.hash):
            with self.assertRaises(Refused) as caught:
                secure.accept_keys(ben, hash)
            self.assertIs(caught.exception.reason, Reason.NO_KEYS)
        secure.accept_keys(ben, key_of(ben, 2).hash)
        with self.assertRaises(Refused) as caught:
            secure.verify(ben, number)
        self.assertEqual((caught.exception.reason, secure.trust(ben)), (Reason.OLD_KEYS, Trust.CHANGED))
        secure.verify(ben, secure.safety_number(ben))
        self.assertIs(secure.trust(ben), Trust.VERIFIED)

    def test_messages_of_what_is_not_open(self) -> None:
        """The vault is asked for once, whatever comes meanwhile."""
        self.say(self.ann, self.chat_id, "hello")
        message = self.heard(self.ben)[-1]
        self.ben.lock()
        asked: list[Any] = []

        def get(client: object) -> Any:
            asked.append(client)
            return Deferred() if client is self.ben.client else None

        self.patch(vault_store, "get", get)
        self.ben.client.unlock_with(key_of(self.ben.account))
        for _ in range(10):
            self.ben.secure.take(message)
        self.settle()
        self.assertEqual(len(asked), 1)

    def test_strangers(self) -> None:
        """Of so many whom nobody vouches for keys are asked for, and of all members."""
        self.patch(hearing, "MOST_ASKED", 3)
        asked: list[str] = []
        self.ann.secure._directory.need = asked.extend  # type: ignore[method-assign,assignment]
        self.conversation._asked.clear()
        strangers = [account(number) for number in range(9)]
        self.conversation._ask([*strangers[:5], self.ben.account])
        self.conversation._ask([*strangers[5:], strangers[0], self.cay.account])
        self.assertEqual(asked, [*strangers[:3], self.ben.account, strangers[0], self.cay.account])
        pair = self.chat(self.ann, self.start(self.ben))
        asked.clear()
        pair._ask([strangers[0], self.cay.account, self.ben.account])
        self.assertEqual(asked, [self.ben.account])


class PartTests(SynchronousTestCase):
    def test_without_end(self) -> None:
        """A vault of parts in which nothing is is none."""
        asked: list[Any] = []

        class Node:
            async def call(self, params: Any) -> VaultPart:
                asked.append(params)
                return VaultPart(1, 2**53, "")

        getting = Deferred.fromCoroutine(vault_store.get(Node()))  # type: ignore[arg-type]
        self.failureResultOf(getting, BadAnswer)
        self.assertEqual(len(asked), 1)


def _answers(with_this: Any) -> Callable[[Call], Call]:
    async def answer(*_: Any, **__: Any) -> Any:
        return with_this

    return lambda _: answer
