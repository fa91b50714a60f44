"""Voicemail: whose calls it takes, and what becomes of what callers leave."""

from unittest.mock import patch

import msgspec
from hypothesis import given, settings
from hypothesis.strategies import lists, sampled_from
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.chats.voicemail import delivering
from safeum_home.node.voicemail import GREETING
from safeum_home.ports.carrier import CarrierEnd
from safeum_home.ports.voicemail import Over, Unanswered
from safeum_home.protocol.carried import decode_message
from safeum_home.protocol.signing import is_authentic
from safeum_home.protocol.voicemail_types import MAX_GREETING
from safeum_home.safenum.voicemail import mailbox
from safeum_home.safenum.voicemail.deliveries import PAUSES
from safeum_home.safenum.voicemail.taking import Core, taking
from tests.voicemail_case import (
    ANSWER,
    CALLER,
    NOBODY_HEARS,
    OFFER,
    SOUND,
    Answered,
    PlayedCall,
    VoicemailCase,
)
from tests.world import NODE, PASSWORD, Refused


class TakingTests(VoicemailCase):
    """A call, the carrier at one side and what answers at the other."""

    def test_answered_and_delivered(self) -> None:
        """Answered, recorded, and told as a message that the node has signed, with the sound as a file."""
        call, listener = self.take()
        assert listener is not None
        [answered] = self.answering.calls
        self.assertEqual(
            (answered.sdp, answered.greeting, answered.seconds), (OFFER, GREETING.read_bytes(), 120)
        )
        called_at = int(self.world.clock.seconds() * 1000)
        answered.record()
        self.assertEqual(call.asked, [("answer", ANSWER)])
        self.assertEqual(self.voicemails(), [])
        self.world.clock.advance(25)
        answered.listener.ended(Over.SILENCE)
        self.assertEqual(call.asked[1:], [("hang_up", None)])
        listener.ended(CarrierEnd(200, far=False))
        [message] = self.voicemails()
        body = message["body"]
        self.assertEqual((message["chat"], body["caller"]), (self.voicemail_chat, CALLER))
        self.assertEqual((body["at"], body["sound"]["duration"]), (called_at, 23_400))
        self.assertEqual((body["sound"]["type"], body["sound"]["size"]), ("audio/ogg", len(SOUND)))
        self.assertEqual(self.fetched(message), SOUND)
        signed = decode_message(msgspec.json.encode(message))
        self.assertTrue(is_authentic(signed, NODE, self.world.services.node_key))

    def test_withheld(self) -> None:
        """Who does not show his number has none in the message."""
        self.leave(caller="")
        [message] = self.voicemails()
        self.assertNotIn("caller", message["body"])

    def test_caller_hangs_up(self) -> None:
        """What was recorded by then is delivered when what answers has handed over all of it."""
        call, listener = self.take()
        assert listener is not None
        [answered] = self.answering.calls
        answered.listener.answered(ANSWER)
        listener.ended(CarrierEnd(200))
        self.assertTrue(answered.stopped)
        answered.listener.sound(SOUND, 5000, 4000)
        self.assertEqual(self.voicemails(), [])
        answered.listener.ended(Over.HANGUP)
        [message] = self.voicemails()
        self.assertEqual(self.fetched(message), SOUND)
        self.assertEqual(call.asked, [("answer", ANSWER)])

    def test_answerer_dies(self) -> None:
        """What was recorded until then is delivered, and the caller is not left alone with silence."""
        call, listener = self.take()
        assert listener is not None
        self.answering.calls[0].record()
        self.answering.calls[0].listener.ended(Over.LOST)
        self.assertEqual(call.asked[-1], ("hang_up", None))
        self.assertEqual(len(self.voicemails()), 1)
        listener.ended(CarrierEnd(200, far=False))
        self.assertEqual(self.voicemails(), [])

    def test_refused_by_answerer(self) -> None:
        """An offer that cannot be answered: the caller is told that nobody is there."""
        call, listener = self.take()
        assert listener is not None
        self.answering.calls[0].listener.ended(Over.REFUSED)
        self.assertEqual(call.asked, [("decline", 480)])
        listener.ended(CarrierEnd(480, far=False))

    def test_short(self) -> None:
        """Who says nothing for a second has left nothing."""
        for heard in (0, 999):
            _, listener = self.take()
            assert listener is not None
            answered = self.answering.calls[-1]
            answered.record(heard=heard)
            listener.ended(CarrierEnd(200))
            answered.listener.ended(Over.HANGUP)
        self.world.settle()
        self.assertEqual(self.voicemails(), [])
        self.assertEqual(self.store.written, {})

    def test_keys(self) -> None:
        """Keys that the carrier signals reach what answers."""
        _, listener = self.take()
        assert listener is not None
        listener.dtmf("1#")
        self.assertEqual(self.answering.calls[0].pressed, "1#")

    def test_nobody_answers(self) -> None:
        """Without what answers no call is taken, and it rings whatever the rule."""
        self.alice.call("voicemail.set", always=True)
        self.answering.is_up = False
        _, listener = self.take()
        self.assertIsNone(listener)
        self.assertFalse(self.at_once())
        self.assertFalse(self.alice.call("voicemail.get")["available"])

    def test_storage_away(self) -> None:
        """A recording waits for the storage, and is delivered once; a node that stops tries once more."""
        _, listener = self.take()
        assert listener is not None
        self.answering.calls[0].record()
        self.store.failing = True
        self.answering.calls[0].listener.ended(Over.KEY)
        self.assertEqual(self.voicemails(), [])
        self.world.clock.advance(PAUSES[0])
        self.assertEqual(self.voicemails(), [])
        self.store.failing = False
        self.world.clock.advance(PAUSES[1])
        self.assertEqual(len(self.voicemails()), 1)
        self.assertEqual(self.world.domain.voicemail.deliveries.delivered, 1)

    def test_room(self) -> None:
        """Where an account has as many as are kept, no more calls are taken, until one is deleted."""
        with patch.object(delivering, "MOST", 2):
            self.leave()
            self.leave()
            self.assertIsNone(self.take()[1])
            message = self.voicemails()[0]
            self.alice.call("message.delete", chat=message["chat"], message=message["id"])
            self.assertIsNotNone(self.take()[1])

    def test_many_at_once(self) -> None:
        """Who is called a lot does not take the room of others; when a call is over there is room again."""
        taken = [self.take()[1] for _ in range(mailbox.MOST)]
        self.assertNotIn(None, taken)
        self.assertIsNone(self.take()[1])
        self.answering.calls[0].listener.ended(Over.LOST)
        self.assertIsNotNone(self.take()[1])
        self.assertIsNone(self.take()[1])

    def test_closed_meanwhile(self) -> None:
        """A recording for an account that is closed is left nowhere."""
        _, listener = self.take()
        assert listener is not None
        self.answering.calls[0].record()
        self.alice.call("account.pin.set", password=PASSWORD, pin="284716")
        self.bob.drop()
        self.alice.call("session.block", pin="284716")
        self.world.settle()
        listener.ended(CarrierEnd(200))
        self.answering.calls[0].listener.ended(Over.HANGUP)
        self.world.settle()
        self.assertEqual(self.world.database.count("voicemails"), 0)
        self.assertEqual(self.store.written, {})


class RuleTests(VoicemailCase):
    """What accounts set."""

    def taken(self, why: Unanswered) -> bool:
        """Whether one is, that is over at once."""
        if self.take(why)[1] is None:
            return False
        self.answering.calls[-1].listener.ended(Over.HANGUP)
        return True

    def test_at_first(self) -> None:
        """It takes each call that nobody has answered; it rings before that."""
        told = self.alice.call("voicemail.get")
        self.assertEqual((told["rule"], told["greeting"]), ({}, False))
        self.assertEqual((told["seconds"], told["days"], told["available"]), (120, 30, True))
        self.assertEqual(told["chat"], self.voicemail_chat)
        reasons = [why for why in Unanswered if why is not Unanswered.ALWAYS]
        self.assertEqual([self.taken(why) for why in reasons], [True] * 4)

    def test_each(self) -> None:
        """Each reason is switched off for itself; the others, and other accounts, stay as they are."""
        for why in (Unanswered.NO_ANSWER, Unanswered.BUSY, Unanswered.DECLINED, Unanswered.OFFLINE):
            told = self.alice.call("voicemail.set", **{why.value: False})
            self.assertEqual(told["rule"], {why.value: False})
            self.assertFalse(self.taken(why))
            self.assertIsNotNone(self.take(why, client=self.bob)[1])
            self.alice.call("voicemail.set", **{why.value: True})
            self.assertTrue(self.taken(why))

    def test_off_and_always(self) -> None:
        """Switched off it takes none; always is always, and does not ring."""
        self.assertFalse(self.at_once())
        self.alice.call("voicemail.set", always=True, busy=False)
        self.assertTrue(self.at_once())
        self.assertEqual([self.taken(why) for why in Unanswered], [True] * 5)
        self.alice.call("voicemail.set", enabled=False)
        self.assertFalse(self.at_once())
        self.assertEqual([self.taken(why) for why in Unanswered], [False] * 5)

    def test_greeting(self) -> None:
        """One's own is made anew, kept, played, and taken away again; what is none is refused."""
        standard = self.alice.call("voicemail.greeting.get")["data"]
        kept = self.alice.call("voicemail.greeting.set", data="aGVsbG8=")
        self.assertEqual(self.answering.given, [b"hello"])
        self.assertEqual(self.alice.call("voicemail.greeting.get"), kept)
        self.assertTrue(self.alice.call("voicemail.set", busy=False)["greeting"])
        self.take(Unanswered.OFFLINE)
        self.assertEqual(self.answering.calls[-1].greeting, b"remade hello")
        self.take(Unanswered.OFFLINE, client=self.bob)
        self.assertEqual(self.answering.calls[-1].greeting, GREETING.read_bytes())
        refused = self.assertRaises(Refused, self.alice.call, "voicemail.greeting.set", data="bm90IG9uZQ==")
        self.assertEqual(refused.code, "bad_greeting")
        self.alice.call("voicemail.greeting.remove")
        self.assertEqual(self.alice.call("voicemail.greeting.get")["data"], standard)
        self.assertEqual(self.alice.call("voicemail.get")["rule"], {"busy": False})

    def test_standard_greeting(self) -> None:
        """The one of the node fits what it would be allowed to be."""
        self.assertLess(len(GREETING.read_bytes()), MAX_GREETING)
        self.assertIn("eSpeak NG", GREETING.with_suffix(".txt").read_text())


class OrderTests(SynchronousTestCase):
    """Carrier and answerer tell what they tell in any order, and again."""

    @settings(max_examples=300, deadline=None)
    @given(lists(sampled_from(["answered", "sound", "over", "ended", "pressed"]), max_size=12))
    def test_any_order(self, order: list[str]) -> None:
        """What was left is told once, when the answerer is done; a call that goes on is ended, once."""
        call, left = PlayedCall(), list[bytes]()
        core = Core(call, lambda sound, length, heard, why: left.append(sound))
        core.answered = answered = Answered("", b"", 1, NOBODY_HEARS)
        taken = taking(core)
        does = {
            "answered": lambda: taken.answered(ANSWER),
            "sound": lambda: taken.sound(b"x", 20, 20),
            "over": lambda: taken.over(Over.KEY),
            "ended": taken.ended,
            "pressed": lambda: taken.pressed("#"),
        }
        for each in order:
            does[each]()
        done, gone = "over" in order, "ended" in order
        self.assertEqual(len(left), int(done))
        asked = [name for name, _ in call.asked]
        first = min((order.index(each) for each in ("over", "ended") if each in order), default=len(order))
        was_answered = "answered" in order[:first]
        ends = ["hang_up" if was_answered else "decline"] if done and order[first] == "over" else []
        self.assertEqual(asked, ["answer"] * was_answered + ends)
        self.assertEqual(answered.stopped, gone and order[first] == "ended")
