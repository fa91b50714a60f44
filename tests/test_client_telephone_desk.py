"""The telephone network at the terminal: each call is said to be open, wherever it is shown."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.phone import Phone
from safeum_home.client.desk.telephone_desk import ENDED, OPEN
from safeum_home.client.screen import render
from safeum_home.client.screen.blocks import text_of
from safeum_home.client.slash.commands import completions
from safeum_home.client.telephony.ending import TelephoneEnd
from safeum_home.client.words.telephone_numbers import shown, understood
from safeum_home.errors import Code, Problem
from safeum_home.protocol.telephone_events import (
    TelephoneAnswered,
    TelephoneIncoming,
    TelephoneKeys,
    TelephoneMissed,
    TelephoneOver,
    TelephonePaid,
    TelephoneProgress,
)
from safeum_home.protocol.telephone_types import TelephoneEnded
from tests.calls_media import FakeNetwork, FakeSource
from tests.client_double import FakeNode
from tests.sdk_telephone import ANSWER, CALLER, ID, NUMBER, FakeTelephoneSource, TelephoneCase

SHOWN, CALLER_SHOWN = "+49 30 12345678", "+49 170 12345678"
PRICE = {
    "currency": "EUR",
    "destination": "Germany",
    "kind": "fixed",
    "connection_fee": 0,
    "per_minute": 15_000,
    "first_increment": 1,
    "increment": 1,
    "vat_rate": 1900,
    "country": "DE",
}
BALANCE: dict[str, Any] = {"currency": "EUR", "balance": 1_000_000, "held": 0, "country": "DE"}
LOG: dict[str, Any] = {"calls": [], "more": False}


class TelephoneDeskCase(TelephoneCase):
    def setUp(self) -> None:
        super().setUp()
        self.country: str | None = "DE"
        self.wire.answers |= {
            "balance.price": lambda params: PRICE,
            "balance.get": lambda params: {**BALANCE, "country": self.country},
            "keys.launch": lambda params: {},
            "call.log": lambda params: LOG,
        }
        self.lacks: str | None = None
        self.bells = 0
        self.desk.bell = self._bell
        with_calls = FakeSource(FakeNetwork())
        phone = Phone(with_calls, lacks=lambda: self.lacks)
        self.desk.calls.take(phone)

    def _bell(self) -> None:
        self.bells += 1

    def said(self) -> list[str]:
        """All that was told since this was asked last."""
        said = [notice.text for notice in self.desk.notices]
        self.desk.notices.clear()
        return said

    def last_line(self) -> str:
        return text_of([render.status(self.desk, 120)])

    def line_above(self) -> str:
        return text_of([render.info(self.desk, 120, 24)]).strip()

    def dialled(self) -> str:
        """Somebody was called: the id."""
        self.enter(f"/dial {NUMBER}")
        call: str = self.params("telephone.dial")[-1]["call"]
        return call


class DialTests(TelephoneDeskCase):
    def test_call(self) -> None:
        """The price first; that it is open whenever it is shown; what it has cost."""
        call = self.dialled()
        self.assertEqual(
            self.said(),
            [
                f"Calling {SHOWN} ({OPEN}). Germany: 0.015 EUR a minute, billed 1 s, then every 1 s,"
                " with 19 % tax (DE). /hangup ends it."
            ],
        )
        self.assertIn(f"open call with {SHOWN}: calling", self.last_line())
        self.wire.event(TelephoneProgress(call))
        self.assertEqual(self.said(), [f"It rings at {SHOWN}."])
        self.wire.event(TelephoneAnswered(call, ANSWER))
        self.assertEqual(self.said()[-1], f"You are connected with {SHOWN} ({OPEN}).")
        self.now = int(self.client._milliseconds()) + 65_000
        self.assertIn(f"open call with {SHOWN}: 1:05", self.last_line())
        self.wire.event(TelephonePaid(call, 90, last=False))
        self.assertEqual(self.said(), [])
        self.wire.event(TelephonePaid(call, 90, last=True))
        self.wire.event(TelephonePaid(call, 90, last=True))
        self.assertEqual(self.said(), ["The call can last for 25 s more."])
        self.wire.event(TelephoneOver(call, TelephoneEnded.HANGUP, 200, 65, 16_250, "EUR"))
        self.assertEqual(self.said(), [f"The call with {SHOWN} is over, after 1:05, for 0.01625 EUR."])
        self.assertNotIn("open call", self.last_line())

    def test_hung_up(self) -> None:
        """What it has cost is told once the node says it."""
        call = self.dialled()
        self.wire.event(TelephoneAnswered(call, ANSWER))
        self.said()
        self.enter("/hangup")
        self.assertIn(f"The call with {SHOWN} is over", self.said()[-1])
        self.wire.event(TelephoneOver(call, TelephoneEnded.HANGUP, 200, 65, 16_250, "EUR"))
        self.assertEqual(self.said(), [f"The call with {SHOWN} has cost 0.01625 EUR."])

    def test_no_words(self) -> None:
        """Nothing is to be compared: nothing would be proved by it."""
        call = self.dialled()
        self.wire.event(TelephoneAnswered(call, ANSWER))
        self.assertFalse([text for text in self.said() if "Compare" in text])

    def test_how_it_ends(self) -> None:
        """Each reason has words, and the number in them."""
        self.assertEqual(set(ENDED), set(TelephoneEnd))
        for reason in TelephoneEnded:
            call = self.dialled()
            self.said()
            self.wire.event(TelephoneOver(call, reason, 403))
            [over] = self.said()
            self.assertIn(SHOWN, over)
            self.assertEqual("(SIP 403)" in over, reason is TelephoneEnded.REFUSED)

    def test_refused(self) -> None:
        """In words, by the node's code; the price that is not there keeps nobody from trying."""
        self.wire.answers["balance.price"] = lambda params: Problem(Code.NO_RATE)
        refusals = {
            Code.NO_BALANCE: "The balance is not enough for this: /balance.",
            Code.DESTINATION_REFUSED: "emergency",
            Code.SPEND_LIMIT: "in a day",
            Code.COUNTRY_NEEDED: "/country CODE",
            Code.NO_SAFENUM: "/number request",
            Code.CARRIER_UNAVAILABLE: "telephone network",
            Code.LIMIT_REACHED: "too many calls",
        }
        for code, words in refusals.items():
            detail = "emergency" if code is Code.DESTINATION_REFUSED else None
            problem = Problem(code, detail)
            self.wire.answers["telephone.dial"] = lambda params, problem=problem: problem  # type: ignore[misc]
            self.enter(f"/dial {NUMBER}")
            self.assertIn(words, self.said()[-1])
        self.assertEqual(self.last_line().count("open call"), 0)

    def test_national(self) -> None:
        """With the account's country where that is certain; else it is asked to be written whole."""
        self.enter("/dial 030 12345678")
        self.assertEqual(self.params("telephone.dial")[-1]["to"], NUMBER)
        self.enter("/hangup")
        self.country = None
        self.enter("/dial 030 12345678")
        self.assertEqual(self.said()[-1], "Write it with + and the country: +49 30 123456.")
        self.enter("/dial")
        self.assertEqual(self.said()[-1], "Which number? As +49 30 123456.")
        self.assertEqual(len(self.params("telephone.dial")), 1)

    def test_one_at_a_time(self) -> None:
        """And none where nobody would be heard."""
        self.lacks = "No microphone was found"
        self.enter(f"/dial {NUMBER}")
        self.assertIn("No microphone was found", self.said()[-1])
        self.lacks = None
        self.dialled()
        self.enter(f"/dial {CALLER}")
        self.assertEqual(self.said()[-1], "You are in a call: /hangup ends it.")
        self.enter("/call Bob")
        self.assertEqual(self.said()[-1], "You are in a call: /hangup ends it.")
        self.enter("/hangup")
        self.assertEqual(self.said()[-1], f"The call with {SHOWN} is over.")
        self.enter("/hangup")
        self.assertEqual(self.said()[-1], "You are in no call.")

    def test_keys(self) -> None:
        self.enter("/keys 1")
        self.assertEqual(self.said()[-1], "You are in no call with a telephone.")
        call = self.dialled()
        self.enter("/keys 1")
        self.assertEqual(self.said()[-1], "You are in no call with a telephone.")
        self.wire.event(TelephoneAnswered(call, ANSWER))
        self.enter("/keys 12 3#a")
        self.assertEqual(self.params("telephone.dtmf"), [{"call": call, "digits": "123#A"}])
        self.assertEqual(self.said()[-1], "Pressed 123#A.")
        for wrong in ("/keys", "/keys hello", "/keys " + "1" * 33):
            self.enter(wrong)
            self.assertIn("Which ones?", self.said()[-1])
        self.wire.event(TelephoneKeys(call, "7"))
        self.assertEqual(self.said()[-1], f"{SHOWN} has pressed 7.")

    def test_mic(self) -> None:
        """The same command as in all calls."""
        self.dialled()
        self.enter("/mic off")
        self.assertEqual(self.said()[-1], "You are not heard: /mic on ends that.")
        self.assertEqual(self.source.links[0].sends[0], False)
        self.assertIn("muted", self.last_line())

    def test_leaving(self) -> None:
        """Who leaves hangs up."""
        call = self.dialled()
        self.desk.calls.end()
        self.assertEqual(self.params("telephone.hangup"), [{"call": call}])


class RingTests(TelephoneDeskCase):
    def test_answer(self) -> None:
        self.ring()
        words = f"{CALLER_SHOWN} is calling your number ({OPEN}): /answer or /decline"
        self.assertEqual((self.said(), self.line_above(), self.bells), ([words], words, 1))
        self.assertIn(f"{CALLER_SHOWN} is calling", self.last_line())
        self.assertEqual([text for text, _ in completions(self.desk, "/answer ")], [CALLER_SHOWN])
        self.enter("/answer")
        self.assertEqual(len(self.params("telephone.answer")), 1)
        self.assertEqual(self.said()[-1], f"You are connected with {CALLER_SHOWN} ({OPEN}).")
        self.wire.event(TelephoneOver(ID, TelephoneEnded.HANGUP, 200, 8))
        self.assertEqual(self.said(), [f"The call with {CALLER_SHOWN} is over, after 0:08."])

    def test_decline(self) -> None:
        self.ring()
        self.enter("/decline")
        self.assertEqual(self.params("telephone.decline"), [{"call": ID}])
        self.assertEqual(self.said()[-1], f"The call of {CALLER_SHOWN} is declined.")

    def test_which(self) -> None:
        """Of several by the end of the number; one that is withheld by that word."""
        self.ring()
        self.ring(None, "d" * 22)
        self.enter("/answer")
        self.assertIn(f"Which one? {CALLER_SHOWN}, a withheld number", self.said()[-1])
        self.enter("/decline withheld")
        self.assertEqual(self.params("telephone.decline"), [{"call": "d" * 22}])
        self.ring(None, "e" * 22)
        self.enter("/answer 345678")
        self.assertEqual(self.params("telephone.answer")[0]["call"], ID)

    def test_missed(self) -> None:
        """It is said once, by the node's own word; also of calls that did not ring here."""
        for reason in (TelephoneEnded.HANGUP, TelephoneEnded.NO_ANSWER):
            self.ring()
            self.said()
            self.wire.event(TelephoneOver(ID, reason))
            self.assertEqual(self.said(), [])
            self.wire.event(TelephoneMissed(1, False, CALLER))
            self.assertEqual(self.said(), [f"You have missed a call of {CALLER_SHOWN}."])
        self.ring(None)
        self.wire.event(TelephoneOver(ID, TelephoneEnded.VOICEMAIL))
        self.assertEqual(self.said()[-1], "Your voicemail has taken the call of a withheld number.")
        self.wire.event(TelephoneMissed(1, True))
        missed = "You have missed a call of a withheld number: the voicemail has answered."
        self.assertEqual(self.said(), [missed])

    def test_missed_before(self) -> None:
        """Those that came while nobody was here are listed until they are forgotten."""
        calls: list[dict[str, Any]] = [
            {"number": 2, "at": self.now - 60_000, "voicemail": True, "caller": CALLER},
            {"number": 1, "at": self.now - 120_000, "voicemail": False},
        ]
        self.wire.answers["telephone.missed"] = lambda params: {"calls": calls, "more": True}

        def forget(params: object) -> dict[str, Any]:
            calls.clear()
            return {}

        self.wire.answers["telephone.forget"] = forget
        self.enter("/missed")
        first, second, more = self.said()
        self.assertTrue(first.endswith("a withheld number"), first)
        self.assertTrue(second.endswith(f"{CALLER_SHOWN}: the voicemail has answered"), second)
        self.assertEqual(more, "There are older ones.")
        self.enter("/missed forget")
        self.enter("/missed")
        self.assertEqual(self.said()[-1], "You have missed no calls.")
        self.enter("/missed them")
        self.assertEqual(self.said()[-1], "/missed, or /missed forget.")

    def test_list(self) -> None:
        """`/calls` has those that go on, on whichever device."""
        self.open = [
            {"call": ID, "direction": "in", "here": True, "number": CALLER, "since": self.now - 8000},
            {"call": "d" * 22, "direction": "out", "here": False, "since": None},
        ]
        self.enter("/calls")
        self.assertEqual(
            self.said()[:2],
            [
                f"Now: {CALLER_SHOWN}, 0:08 ({OPEN})",
                f"Now: a withheld number, rings, on another device ({OPEN})",
            ],
        )


class NumberTests(TelephoneDeskCase):
    def test_number(self) -> None:
        """One's own, and whether contacts see it; or ask for one."""
        profile: dict[str, Any] = {"display_name": "Ada", "safenum": None, "show_safenum": False}
        self.wire.answers["profile.get"] = lambda params: {
            "account": "@" + "a" * 26 + ":home.test",
            "address": "ada@home.test",
            "profile": profile,
        }
        self.enter("/number")
        self.assertEqual(self.said()[-1], "You have no SafeNUM: /number request asks for one.")
        self.wire.answers["safenum.request"] = lambda params: {"safenum": "+3544900001"}
        self.enter("/number request")
        self.assertEqual(self.said()[-1], "Your SafeNUM is +354 490 0001.")
        profile |= {"safenum": "+3544900001"}
        self.enter("/number")
        self.assertIn("Your contacts do not see it: /safenum show changes that.", self.said()[-1])
        profile |= {"show_safenum": True}
        self.enter("/number")
        self.assertIn("Your contacts see it: /safenum hide", self.said()[-1])
        self.enter("/number please")
        self.assertEqual(self.said()[-1], "/number, or /number request.")


class WithoutSoundTests(SynchronousTestCase):
    def test_said(self) -> None:
        """Who cannot answer here hears that somebody calls, and why not."""
        node = FakeNode()
        wire = node.login()
        desk = Desk(node.client, node.clock, lambda: 0)
        desk.calls.take(Phone(None, "Calls need more packages"))
        wire.event(TelephoneIncoming(ID, "v=0\r\no=-\r\n", 30.0, CALLER))
        self.assertEqual(
            desk.notices[-1].text,
            f"{CALLER_SHOWN} is calling your number, and cannot be answered here. Calls need more packages.",
        )

    def test_phone(self) -> None:
        """What a terminal calls with has a telephone, too."""
        node = FakeNode()
        node.login()
        phone = Phone(FakeSource(FakeNetwork()), telephone=FakeTelephoneSource(), relay_only=True)
        phone.attach(node.client)
        self.assertIsNotNone(node.client.telephone)
        node.client.close()


class NumbersTests(SynchronousTestCase):
    def test_shown(self) -> None:
        for number, text in (
            ("+493012345678", SHOWN),
            ("+3544900001", "+354 490 0001"),
            (None, "a withheld number"),
            ("+49\x1b[2J", "+49\N{REPLACEMENT CHARACTER}[2J"),
        ):
            self.assertEqual(shown(number), text)

    def test_understood(self) -> None:
        """What is certain; nothing is guessed."""
        for text, country, number in (
            ("+49 (30) 123-456", None, "+4930123456"),
            ("+49\N{NO-BREAK SPACE}30/123456", "US", "+4930123456"),
            ("030 12345678", "DE", NUMBER),
            ("00354 490 0001", "DE", "+3544900001"),
            ("490 0001", "IS", "+3544900001"),
            ("(212) 555-2368", "US", "+12125552368"),
            ("011 49 30 12345678", "US", NUMBER),
            ("112", "DE", "112"),
            ("*100#", None, "*100#"),
        ):
            self.assertEqual(understood(text, country), number, text)
        for text, country in (
            ("030 12345678", None),
            ("12345678", "DE"),
            ("30 12345678", "DE"),
            ("0000000000", "DE"),
            ("030 12345678", "XX"),
            ("bob", "DE"),
            ("", "DE"),
            ("+", "DE"),
            ("+49 30 CALLME", "DE"),
            ("+\N{ARABIC-INDIC DIGIT ONE}234567", "DE"),
        ):
            self.assertRaises(ValueError, understood, text, country)
