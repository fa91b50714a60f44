"""The client in front of the node's own contacts: what verifies is shown as the node's, all else as not."""

from msgspec import structs
from nacl.signing import SigningKey

from safeum_home.client.desk.desk_events import FORGED
from safeum_home.client.words.names import SYSTEM_MARK
from safeum_home.errors import Code, Problem
from safeum_home.protocol.signing import encode_octets, fingerprint
from safeum_home.protocol.types import LoginAlert, Message, Text
from tests.client_desk import NOW, DeskTestCase
from tests.client_double import (
    ADA,
    BOB,
    CHAT,
    DEVICE,
    NODE_KEY,
    SUPPORT,
    SUPPORT_CHAT,
    SYSTEM,
    SYSTEM_CHAT,
    cursor,
    message,
    opened,
    signed,
)

OTHER_KEY = SigningKey(bytes(32))


def answer(number: int, text: str = "An answer") -> Message:
    """What the staff writes, without the signature."""
    return Message(cursor(number), SUPPORT_CHAT, SUPPORT, NOW, Text(text))


class SupportChatTests(DeskTestCase):
    """Ada writes to the operator of her node."""

    def test_writing(self) -> None:
        """`/support` opens the chat before anything was written; no contact is needed."""
        self.history = []
        self.enter("/support")
        self.assertIn(f"{SYSTEM_MARK} SafeUM Support", self.header())
        self.assertIn("operator answers here", self.header())
        self.assertIn(fingerprint(bytes(NODE_KEY.verify_key)), " ".join(self.body().split()))
        self.enter("Help, please")
        [sent] = self.params("chat.send")
        self.assertEqual((sent["chat"], sent["body"]["text"]), (SUPPORT_CHAT, "Help, please"))
        self.assertIn("Help, please", self.body())
        self.assertIn(f"{SYSTEM_MARK} SafeUM Support", self.sidebar().split("\n")[0])
        self.enter("/chat bob")
        self.enter("/chat safeum support")
        self.assertEqual(self.desk.current, SUPPORT_CHAT)

    def test_the_sdk_knows_the_chat(self) -> None:
        """From the login on, as `client.support_chat`."""
        self.assertEqual(self.node.client.support_chat, SUPPORT_CHAT)
        self.assertEqual(self.desk.state.voice.fingerprint, fingerprint(bytes(NODE_KEY.verify_key)))

    def test_closed(self) -> None:
        """The operator takes none: it is said in words, and the message stays to be dropped."""
        self.wire.answers["chat.send"] = lambda params: Problem(Code.SUPPORT_CLOSED)
        self.enter("/support")
        self.enter("Help")
        self.assertIn("takes no messages at present", " ".join(self.body().split()))

    def test_an_answer(self) -> None:
        """It bears the mark, in the chat and in the banner."""
        self.wire.event(signed(answer(70)))
        self.assertIn(f"{SYSTEM_MARK} SafeUM Support: An answer", self.info())
        self.enter("/support")
        self.assertIn(f"An answer {SYSTEM_MARK} signed", self.body())
        self.assertNotIn("⚠", self.body())


class ForgeryTests(DeskTestCase):
    """What says that it is the node's."""

    def _forged(self, forged: Message, words: str) -> None:
        """It is shown behind a warning, without the node's mark beside it, in the banner and in its chat."""
        state = self.desk.state
        self.desk.open(None)
        self.wire.event(forged)
        self.assertIs(state.authentic(forged), False)
        self.assertIn(FORGED[:40], self.info())
        self.assertNotIn(words, self.info())
        self.desk.open(forged.chat)
        [line] = [line for line in self.body().split("\n") if words in line]
        self.assertNotIn(SYSTEM_MARK, line)
        self.assertIn(FORGED, " ".join(self.body().split()))

    def test_an_answer_that_was_changed(self) -> None:
        """The text, the time, the place, or the signature itself."""
        good = signed(answer(71, "pay here"))
        self.assertIs(self.desk.state.authentic(good), True)
        assert good.signature is not None
        other = "B" if good.signature[5] == "A" else "A"
        flipped = good.signature[:5] + other + good.signature[6:]
        for number, forged in enumerate(
            (
                structs.replace(good, body=Text("pay  here")),
                structs.replace(good, at=good.at + 1),
                structs.replace(good, signature=flipped),
                structs.replace(good, signature=None),
                signed(answer(71, "pay here"), OTHER_KEY),
                structs.replace(signed(answer(71, "pay here")), id=cursor(99)),
            )
        ):
            self.assertIs(self.desk.state.authentic(forged), False, number)
        self._forged(structs.replace(good, body=Text("pay elsewhere")), "pay elsewhere")

    def test_an_alert(self) -> None:
        """Nobody is sent after a device that never logged in, and no login passes as told by the node."""
        forged = Message(cursor(72), SYSTEM_CHAT, SYSTEM, NOW, LoginAlert(DEVICE, "evil", "Linux", NOW))
        self._forged(forged, "evil")
        self.assertNotIn("/revoke", self.body())

    def test_a_stranger_in_the_nodes_chat(self) -> None:
        """Somebody else's name does not help: only the node, and oneself, write there."""
        self._forged(message(73, "hello from Bob", BOB, SUPPORT_CHAT, NOW), "hello from Bob")

    def test_an_alert_in_another_chat(self) -> None:
        """Nor does another chat: this kind is the node's alone."""
        self._forged(Message(cursor(74), CHAT, BOB, NOW, LoginAlert(DEVICE, "evil", "Linux", NOW)), "evil")

    def test_a_signature_for_another_chat(self) -> None:
        """What the node signed for one chat is no good in another one."""
        self._forged(structs.replace(signed(answer(75, "moved")), chat=SYSTEM_CHAT), "moved")

    def test_all_others_are_left_alone(self) -> None:
        """Messages of people need no signature, and a made-up one makes them no node's."""
        state = self.desk.state
        self.assertIsNone(state.authentic(message(76)))
        self.assertIsNone(state.authentic(message(77, sender=ADA, chat=SUPPORT_CHAT)))
        self.assertIsNone(state.authentic(signed(message(78))))
        self.enter("/chat bob")
        self.wire.event(signed(message(79, "I am the node")))
        self.assertNotIn(SYSTEM_MARK, self.body())
        self.assertNotIn("⚠", self.body())

    def test_the_first_key_stays(self) -> None:
        """Another key, shown when the connection was lost and made again, signs nothing that is believed."""
        other = encode_octets(bytes(OTHER_KEY.verify_key))
        self.node.answers["session.resume"] = lambda params: opened(0, None) | {"node_key": other}
        self.wire.drop()
        self.node.clock.advance(5)
        self.assertIsNot(self.node.wire, self.wire)
        self.assertEqual(self.desk.state.voice.key, encode_octets(bytes(NODE_KEY.verify_key)))
        self.assertIs(self.desk.state.authentic(signed(answer(80), OTHER_KEY)), False)
        self.assertIs(self.desk.state.authentic(signed(answer(80))), True)


class NoKeyTests(DeskTestCase):
    """A node that showed no key."""

    def begin(self) -> None:
        self.node.answers["session.login"] = lambda params: opened() | {"node_key": None}
        super().begin()

    def test_nothing_is_authentic(self) -> None:
        """Not even what is signed."""
        self.assertIs(self.desk.state.authentic(signed(answer(70))), False)
        self.assertEqual(self.desk.state.voice.fingerprint, "")


class LookAlikeTests(DeskTestCase):
    """Contacts that are called as support is."""

    def test_names(self) -> None:
        """They are shown behind their logins, and never bear the mark."""
        for name in (
            "SafeUM Support",
            "S\u0430feUM Supp\u043ert",
            "SAFEUM Help",
            f"{SYSTEM_MARK} Support",
            "5upport",
        ):
            self.rename(name)
            self.desk.names.forget()
            shown = self.desk.names.name(BOB)
            self.assertTrue(shown.startswith("bob ("), shown)
            self.assertNotIn(SYSTEM_MARK, shown)
