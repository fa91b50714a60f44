"""What a client makes of changed messages, of kinds that it does not know, and of what is set for chats."""

from typing import Any

import msgspec
from msgspec import structs
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.desk.drafts import PAUSE, Drafts
from safeum_home.client.methods.message import FOR_EVER
from safeum_home.client.words.text import moment
from safeum_home.protocol.carried import decode
from safeum_home.protocol.commands import ChatList, History
from safeum_home.protocol.events import ChatChanged, Reacted, SettingsChanged
from safeum_home.protocol.frames import encode_params
from safeum_home.protocol.message_types import ChatSettings, Deleted, Draft, Forwarded, Reaction, Unknown
from safeum_home.protocol.types import ChatSummary, Message, Text
from tests.client_desk import NOW, DeskTestCase
from tests.client_double import ADA, BOB, CHAT, cursor, message

THUMB = (Reaction("👍", 1),)


def changed(number: int, now: Message, reacted: Reacted | None = None) -> ChatChanged:
    return ChatChanged(cursor(number), now, None, reacted)


class StateCase(DeskTestCase):
    def begin(self) -> None:
        super().begin()
        self.state = self.node.client.state
        view = self.state.chat(CHAT)
        assert view is not None
        self.view = view


class ChangeTests(StateCase):
    def test_in_its_place(self) -> None:
        """A message that is held is another one where it stands."""
        self.state.page(CHAT, [message(1), message(2), message(3)], False)
        edited = structs.replace(message(2), body=Text("new"), edited=5)
        self.state.take(changed(9, edited))
        self.assertEqual(self.view.messages, [message(1), edited, message(3)])
        stub = structs.replace(message(3), body=Deleted(BOB, 7))
        self.state.take(changed(10, stub))
        self.assertEqual(self.view.last, stub)

    def test_a_page_from_before_the_change(self) -> None:
        """History that was read before a message changed, and comes after that, brings nothing back."""
        stub = structs.replace(message(2), body=Deleted(BOB, 7))
        self.state.take(changed(9, stub))
        self.state.page(CHAT, [message(1), message(2), message(3)], False)
        self.assertEqual(self.view.messages, [message(1), stub, message(3)])

    def test_ones_own_reaction(self) -> None:
        """It stays until one's own account is named, or no reaction is left."""
        self.state.page(CHAT, [message(3)], False)
        liked = structs.replace(message(3), reactions=THUMB)
        self.state.take(changed(9, liked, Reacted(ADA, "👍")))
        self.assertEqual(self.view.messages[0].mine, "👍")
        both = structs.replace(message(3), reactions=(*THUMB, Reaction("🎉", 1)))
        self.state.take(changed(10, both, Reacted(BOB, "🎉")))
        self.assertEqual(self.view.messages[0], structs.replace(both, mine="👍"))
        self.state.take(changed(11, structs.replace(both, body=Text("new"))))
        self.assertEqual(self.view.messages[0].mine, "👍")
        party = structs.replace(message(3), reactions=(Reaction("🎉", 1),))
        self.state.take(changed(12, party, Reacted(ADA, None)))
        self.assertIsNone(self.view.messages[0].mine)
        self.state.take(changed(13, liked, Reacted(ADA, "👍")))
        self.state.take(changed(14, structs.replace(message(3), body=Deleted(BOB, 1))))
        self.assertIsNone(self.view.messages[0].mine)

    def test_ones_own_reaction_in_a_page(self) -> None:
        """Where a live change said nothing of it, the page does; where it did, that is newer."""
        liked = structs.replace(message(2), reactions=THUMB, mine="👍")
        told = structs.replace(message(2), reactions=(Reaction("👍", 2),))
        self.state.take(changed(9, told, Reacted(BOB, "👍")))
        self.state.page(CHAT, [liked, message(3)], False)
        self.assertEqual(self.view.messages[0], structs.replace(told, mine="👍"))

    def test_a_message_that_comes_after_its_change(self) -> None:
        """Nothing that is told later is older; both orders end the same."""
        edited = structs.replace(message(4), body=Text("new"), edited=5)
        self.state.take(edited)
        self.state.take(changed(9, edited))
        self.assertEqual(self.view.last, edited)

    def test_chats_that_are_not_held(self) -> None:
        """What becomes of their messages is of no matter, and makes no chat."""
        self.state.take(changed(9, message(1, chat="!" + "z" * 26)))
        self.assertEqual([view.chat for view in self.state.chats], [CHAT])


class SettingsTests(StateCase):
    def test_archived_until_something_new_comes(self) -> None:
        """A new message brings it back, unless the chat is muted."""
        self.state.take(SettingsChanged(cursor(9), CHAT, ChatSettings(archived=cursor(3))))
        self.assertTrue(self.view.archived(NOW))
        self.state.take(message(4))
        self.assertFalse(self.view.archived(NOW))
        self.state.take(SettingsChanged(cursor(10), CHAT, ChatSettings(NOW + 1, cursor(3))))
        self.assertTrue(self.view.archived(NOW))
        self.assertFalse(self.view.archived(NOW + 1))

    def test_from_the_list(self) -> None:
        """A client that begins finds what was set."""
        kept = ChatSettings(FOR_EVER, draft=Draft("dear"))
        self.chats[0] = structs.replace(self.chats[0], settings=kept)
        self.begin()
        self.assertEqual((self.view.settings, self.view.muted(NOW)), (kept, True))


class UnknownTests(SynchronousTestCase):
    """A node, or another client, knows a kind that this one does not."""

    def test_wherever_it_comes(self) -> None:
        """In an event, a page, a list: the rest is decoded as ever."""
        body = Unknown({"kind": "poll", "text": "yes?", "deep": [{"body": {"kind": "x"}, "id": "1"}]})
        odd = structs.replace(message(2), body=body)
        plain = message(1)
        event = decode(encode_params(changed(9, odd)), ChatChanged)
        self.assertEqual(event.message.body, body)
        self.assertEqual(decode(encode_params(odd), Message), odd)
        page = decode(encode_params(History([plain, odd, plain], False)), History)
        self.assertEqual(page.messages, [plain, odd, plain])
        summary = ChatSummary(CHAT, "direct", BOB, "bob", "Bob", odd, 0, None, None, None)
        self.assertEqual(decode(encode_params(ChatList([summary])), ChatList).chats[0].last, odd)
        kind = event.message.body
        assert isinstance(kind, Unknown)
        self.assertEqual((kind.kind, kind.text), ("poll", "yes?"))
        self.assertEqual(msgspec.json.decode(kind.octets), dict(body))

    def test_a_known_kind_with_more_in_it(self) -> None:
        """A later version's text is shown by what it says, and not lost."""
        frame = encode_params(message(1)).replace(b'"text":"hi"', b'"text":"hi","colour":"red"')
        found = decode(frame, Message)
        assert isinstance(found.body, Unknown)
        self.assertEqual((found.body.kind, found.body.text), ("text", "hi"))

    def test_what_is_wrong_elsewhere(self) -> None:
        """A message that is not one is not made one."""
        for wrong in (b"{}", b'{"id":1}', encode_params(message(1)).replace(b'"at":', b'"at":"x","b":')):
            self.assertRaises(msgspec.DecodeError, decode, wrong, Message)
        odd = encode_params(structs.replace(message(1), body=Unknown({"kind": "poll"})))
        self.assertRaises(msgspec.DecodeError, decode, odd.replace(b'"chat":"!', b'"chat":"'), Message)

    def test_strange_members(self) -> None:
        """A kind or a text that is no text, and none at all."""
        for body in ({}, {"kind": 1, "text": {}}, {"kind": None}):
            found = Unknown(body)
            self.assertEqual((found.kind, found.text), ("", ""))
            hash(found)


class ScreenTests(DeskTestCase):
    """What a person sees of it."""

    def show(self, *messages: Message) -> str:
        self.history[:] = messages
        self.chats[0] = structs.replace(self.chats[0], last=messages[-1], unread=0)
        self.begin()
        self.enter("/chat bob")
        return self.body()

    def test_forwarded_from_you(self) -> None:
        """One's own message that somebody forwarded is said to be from you."""
        copy = structs.replace(message(3, "copy"), forwarded=Forwarded(1, ADA))
        self.assertIn("[forwarded from you]", self.show(copy))

    def test_all_that_stands_around_a_message(self) -> None:
        """Answers, marks, reactions; a stub where something was deleted."""
        answer = structs.replace(
            message(2, "well", sender=ADA),
            reply_to=cursor(1),
            edited=5,
            reactions=(Reaction("👍", 2), Reaction("🎉", 1)),
            mine="👍",
        )
        copy = structs.replace(message(3, "copy"), forwarded=Forwarded(1), mentions=(ADA,))
        stub = structs.replace(message(4), body=Deleted(BOB, 1))
        shown = self.show(message(1, "how are you"), answer, copy, stub)
        for words in (
            "↪ Bob: how are you",
            "well (edited)",
            "👍 2*  🎉 1",
            "[forwarded]",
            "@ you",
            "[deleted]",
        ):
            self.assertIn(words, shown)

    def test_nothing_of_others_moves_the_terminal(self) -> None:
        """Escapes in a kind, a text, an emoji: none of them gets out."""
        odd = structs.replace(
            message(1),
            body=Unknown({"kind": "po\x1b[2Jll", "text": "a\x1b]0;x\x07b"}),
            reactions=(Reaction("\x1b[31m", 1),),
        )
        shown = self.show(odd)
        self.assertIn("]: a", shown)
        self.assertNotIn("\x1b", shown)
        self.assertNotIn("\x07", shown)

    def given(self, method: str, line: str) -> dict[str, Any]:
        self.node.answers[method] = lambda params: {}
        before = len(self.wire.of(method))
        self.enter(line)
        requests = self.wire.of(method)
        self.assertEqual(len(requests), before + 1, self.body())
        return dict(requests[-1]["params"])

    def test_commands(self) -> None:
        """Each names its message by the number from the end."""
        self.enter("/chat bob")
        about = {"chat": CHAT, "message": cursor(3)}
        self.assertEqual(self.given("message.react", "/react 1 👍"), {**about, "emoji": "👍"})
        self.assertEqual(self.given("message.react", "/react 1"), {**about, "emoji": None})
        self.assertEqual(self.given("message.delete", "/delete 2"), {**about, "message": cursor(2)})
        self.assertEqual(
            self.given("message.edit", "/edit 1 a b"), {**about, "body": {"kind": "text", "text": "a b"}}
        )
        self.assertEqual(self.given("chat.pin", "/pin-message 1"), about)
        self.assertEqual(self.given("chat.unpin", "/unpin-message 1"), about)
        self.enter("/reply 3 well")
        sent = self.wire.of("chat.send")[-1]["params"]
        self.assertEqual((sent["reply_to"], sent["body"]["text"]), (cursor(1), "well"))
        self.enter("/forward 1 notes")
        sent = self.wire.of("chat.send")[-1]["params"]
        source = {"chat": CHAT, "message": cursor(50)}  # the answer is the last message by now
        self.assertEqual((sent["forward"], sent["chat"]), (source, self.node.client.notes))
        for line in ("/react", "/react 99 👍", "/react x", "/edit 1", "/reply 0 x", "/forward 1"):
            before = len(self.wire.requests)
            self.enter(line)
            self.assertEqual(len(self.wire.requests), before, line)

    def test_settings(self) -> None:
        """Muting, putting away, drafts."""
        self.node.answers["chat.settings.set"] = lambda params: {"settings": {}}
        self.enter("/chat bob")
        for line, given in (
            ("/mute 2", {"muted_until": NOW + 7_200_000}),
            ("/mute", {"muted_until": FOR_EVER}),
            ("/draft dear", {"draft": {"text": "dear"}}),
            ("/draft", {"draft": None}),
            ("/archive", {"archived": True}),
        ):
            self.enter(line)
            self.assertEqual(self.wire.of("chat.settings.set")[-1]["params"], {"chat": CHAT, **given})

    def test_words_for_settings(self) -> None:
        """Until when, and what comes of it: not what is not so."""
        self.node.answers["chat.settings.set"] = self.wire.answers["chat.settings.set"] = lambda params: {
            "settings": {}
        }
        self.enter("/chat bob")
        self.enter("/unmute")
        self.assertEqual(self.wire.of("chat.settings.set"), [])
        self.assertTrue(self.body().endswith("This chat is not muted."))
        until = moment(NOW + 7_200_000)
        self.enter("/mute 2")
        self.assertIn(f"{until:%H:%M}. /unmute ends that.", " ".join(self.body().split()))
        self.enter("/mute 48")
        self.assertIn("November", self.body().split("Muted until")[-1])
        self.enter("/archive")
        self.assertIn("Put away until a new message comes.", " ".join(self.body().split()))
        self.wire.event(SettingsChanged(cursor(9), CHAT, ChatSettings(FOR_EVER)))
        self.enter("/chat bob")
        self.enter("/archive")
        self.assertIn("for as long as it is muted, and then until", " ".join(self.body(80).split()))
        self.wire.event(SettingsChanged(cursor(10), CHAT, ChatSettings(FOR_EVER, cursor(3))))
        self.wire.event(message(4))
        self.enter("/archived")
        self.assertIn("Bob  1 unread", self.body())
        self.enter("/chat bob")
        self.enter("/unmute")
        self.assertEqual(self.params("chat.settings.set")[-1], {"chat": CHAT, "muted_until": None})

    def test_archived_chats_are_not_in_the_list(self) -> None:
        """Until something new comes in."""
        self.chats[0] = structs.replace(self.chats[0], settings=ChatSettings(archived=cursor(3)))
        self.begin()
        self.assertNotIn("Bob", self.sidebar())
        self.wire.event(message(4))
        self.assertIn("Bob", self.sidebar())


class DraftTests(DeskTestCase):
    """A draft is told when the keys rest."""

    def setUp(self) -> None:
        super().setUp()
        self.node.answers["chat.settings.set"] = lambda params: {"settings": {}}
        self.drafts = Drafts(self.node.client, self.node.client.state, self.node.clock)

    def kept(self) -> list[Any]:
        return [request["params"].get("draft") for request in self.wire.of("chat.settings.set")]

    def test_a_moment_after_the_last_key(self) -> None:
        """Not with each of them."""
        for words in ("d", "de", "dear"):
            self.drafts.typed(CHAT, words)
            self.node.clock.advance(PAUSE / 2)
        self.assertEqual(self.kept(), [])
        self.assertEqual(self.drafts.of(CHAT), Draft("dear"))
        self.node.clock.advance(PAUSE)
        self.assertEqual(self.kept(), [{"text": "dear"}])
        self.drafts.typed(CHAT, "dear Bob")
        self.drafts.keep()
        self.assertEqual(self.kept()[-1], {"text": "dear Bob"})
        self.node.clock.advance(PAUSE)
        self.assertEqual(len(self.kept()), 2)

    def test_sent(self) -> None:
        """What was sent is a draft no more; where none was kept nobody has to be told."""
        self.drafts.typed(CHAT, "dear")
        self.drafts.sent(CHAT)
        self.assertEqual(self.kept(), [])
        self.wire.event(SettingsChanged(cursor(60), CHAT, ChatSettings(draft=Draft("from elsewhere"))))
        self.assertEqual(self.drafts.of(CHAT), Draft("from elsewhere"))
        self.drafts.take(CHAT)
        self.drafts.sent(CHAT)
        self.assertEqual(self.kept(), [None])
