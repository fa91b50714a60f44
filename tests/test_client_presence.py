"""Presence in the client: what its state holds, what it says again, and what the terminal shows."""

from datetime import UTC

from safeum_home.client.abilities.attention import IDLE_SECONDS, SAY_SECONDS, Attention
from safeum_home.client.screen import render
from safeum_home.client.screen.blocks import text_of
from safeum_home.protocol.events import PresenceChanged, PrivacyChanged
from safeum_home.protocol.presence import Presence, PresenceState, Privacy
from safeum_home.protocol.types import ContactState
from tests.client_desk import NOW, DeskTestCase
from tests.client_double import ADA, BOB, FakeNode

ONLINE = PresenceChanged([Presence(BOB, PresenceState.ONLINE)])
SEEN = PresenceChanged([Presence(BOB, PresenceState.OFFLINE, NOW - 600_000)])


class StateTests(DeskTestCase):
    def state_of(self, account: str = BOB) -> PresenceState:
        return self.node.client.state.presence.of(account).state

    def test_changes(self) -> None:
        """The last that was told holds; `reset` forgets the rest, and `unknown` is nothing known."""
        self.assertEqual(self.state_of(), PresenceState.UNKNOWN)
        self.wire.event(ONLINE)
        self.assertEqual(self.state_of(), PresenceState.ONLINE)
        self.wire.event(SEEN)
        self.assertEqual(self.node.client.state.presence.of(BOB), SEEN.changes[0])
        self.wire.event(PresenceChanged([Presence(ADA, PresenceState.AWAY)], reset=True))
        self.assertEqual((self.state_of(), self.state_of(ADA)), (PresenceState.UNKNOWN, PresenceState.AWAY))
        self.wire.event(PresenceChanged([Presence(ADA, PresenceState.UNKNOWN)]))
        self.assertEqual(self.state_of(ADA), PresenceState.UNKNOWN)

    def test_before_it_is_loaded(self) -> None:
        """What comes first is not lost: it does not come again."""
        node = FakeNode()
        wire = node.login()
        wire.event(ONLINE)
        wire.event(PrivacyChanged(Privacy(hide_typing=True)))
        self.assertTrue(node.client.state.presence.is_online(BOB))
        self.assertTrue(node.client.state.presence.privacy.hide_typing)

    def test_no_contact_any_more(self) -> None:
        """Nothing stays of one that is no contact any more."""
        self.wire.event(ONLINE)
        self.meet(ContactState.REMOVED, account=BOB)
        self.assertEqual(self.state_of(), PresenceState.UNKNOWN)

    def test_another_connection(self) -> None:
        """Without a connection nothing is known, and a new one begins with nothing."""
        self.wire.event(ONLINE)
        self.wire.event(PrivacyChanged(Privacy(hide_presence=True)))
        self.wire.drop()
        self.assertEqual(self.state_of(), PresenceState.UNKNOWN)
        self.node.clock.advance(60)
        self.assertFalse(self.node.client.state.presence.privacy.hide_presence)

    def test_put_away(self) -> None:
        """That nobody is there is said again on each connection, until somebody is."""
        self.wire.event(ONLINE)
        self.assertTrue(self.node.client.set_active(False))
        self.assertEqual(self.state_of(), PresenceState.UNKNOWN)
        self.wire.drop()
        self.assertFalse(self.node.client.set_active(False))
        self.node.clock.advance(60)
        self.assertEqual([each["params"] for each in self.node.wire.of("presence.set")], [{"active": False}])
        self.node.client.set_active(True)
        self.node.wire.drop()
        self.node.clock.advance(60)
        self.assertEqual(self.node.wire.of("presence.set"), [])


class TerminalTests(DeskTestCase):
    def header(self) -> str:
        return text_of([render.header(self.desk, 80, UTC)])

    def test_header_and_list(self) -> None:
        """Who is online has a dot in the list; the header says it, and when others were seen."""
        self.wire.event(ONLINE)
        self.assertTrue(self.sidebar().startswith("●Bob"), self.sidebar())
        self.enter("/chat bob")
        self.assertIn("bob@home.test  online", self.header())
        self.assertTrue(self.sidebar().startswith("▌Bob"))
        self.wire.event(SEEN)
        self.assertIn("last seen 22:13", self.header())
        self.wire.event(PresenceChanged([Presence(BOB, PresenceState.AWAY, NOW - 86_400_000)]))
        self.assertIn("away, last seen 13 Nov", self.header())
        self.meet(ContactState.REMOVED, account=BOB)
        self.assertNotIn("seen", self.header())

    def test_command(self) -> None:
        """`/presence` says how it is, hides and shows."""
        settings = {"hide_presence": False, "hide_typing": False}

        def answer(params: dict[str, bool | None]) -> dict[str, bool]:
            settings.update({name: value for name, value in params.items() if value is not None})
            return settings

        self.wire.answers["account.privacy"] = answer
        for line, words in (
            ("/presence", "Your contacts see whether you are online"),
            ("/presence hide", "Nobody sees whether you are online"),
            ("/presence hide typing", "Nobody sees that you type"),
            ("/presence show", "Your contacts see whether you are online"),
        ):
            self.enter(line)
            self.assertIn(words, self.desk.notices[-1].text)
        self.assertEqual(settings, {"hide_presence": False, "hide_typing": True})
        for line in ("/presence typing", "/presence hide me", "/presence no"):
            self.enter(line)
            self.assertIn("/presence hide or /presence show", self.desk.notices[-1].text)
        self.assertEqual(len(self.wire.of("account.privacy")), 4)


class AttentionTests(DeskTestCase):
    def said(self) -> list[bool]:
        return [each["params"]["active"] for each in self.wire.of("presence.set")]

    def test_keys(self) -> None:
        """Keys are told once a minute; three minutes without one are told once."""
        attention = Attention(self.node.client, self.node.clock)
        for _ in range(int(SAY_SECONDS) + 1):
            attention.used()
            self.node.clock.advance(1.0)
        self.assertEqual(self.said(), [True, True])
        self.node.clock.advance(2 * IDLE_SECONDS)
        self.assertEqual(self.said(), [True, True, False])
        attention.used()
        self.assertEqual(self.said(), [True, True, False, True])
        attention.stop()
        attention.stop()
        self.node.clock.advance(2 * IDLE_SECONDS)
        self.assertEqual(len(self.said()), 4)
