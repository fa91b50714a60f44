"""Calls at the terminal: what is entered, and what is said of them; on a node in memory, without sound."""

from typing import Any
from unittest.mock import Mock, patch

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.desk_events import Listening
from safeum_home.client.desk.phone import Phone
from safeum_home.client.screen import render
from safeum_home.client.screen.blocks import text_of
from safeum_home.client.slash.commands import completions, submit
from safeum_home.client.words.text import length
from safeum_home.errors import Code, Problem
from safeum_home.protocol.command import Done
from safeum_home.protocol.commands.calls import (
    CallEntries,
    CallForget,
    CallInvite,
    CallLog,
    LoggedCall,
    RelayCredentials,
)
from tests.sdk_calls import ACTIVE, Caller, CallingCase


class CallDeskCase(CallingCase):
    """Ann and Ben sit at desks."""

    def setUp(self) -> None:
        super().setUp()
        self.lacks: str | None = None
        self.desks = {who: self.sit_down(who) for who in (self.ann, self.ben)}

    def sit_down(self, who: Caller) -> Desk:
        desk = Desk(who.client, self.world.clock, lambda: int(self.world.clock.seconds() * 1000))
        who.client.listen(Listening(desk).heard)
        with patch.object(type(who.client), "take_calls"):  # it takes them already
            desk.calls.take(Phone(who.source, lacks=lambda: self.lacks))
        return desk

    def enter(self, who: Caller, line: str) -> None:
        submit(self.desks[who], line)
        self.settle()

    def said(self, who: Caller) -> list[str]:
        """All that was told since this was asked last."""
        notices = self.desks[who].notices
        said = [notice.text for notice in notices]
        notices.clear()
        return said

    def info(self, who: Caller) -> str:
        return text_of([render.info(self.desks[who], 100, 24)]).strip()

    def status(self, who: Caller) -> str:
        return text_of([render.status(self.desks[who], 100)])


class CommandTests(CallDeskCase):
    def test_call(self) -> None:
        """It rings, is answered, goes on, and ends: each is told on both sides."""
        bells: list[None] = []
        self.desks[self.ben].bell = lambda: bells.append(None)
        self.said(self.ann)
        self.enter(self.ann, "/call ben")
        self.assertEqual(self.said(self.ann), ["Calling ben… /hangup ends it.", "It rings at ben."])
        self.assertEqual(self.said(self.ben)[-1], "ann is calling: /answer or /decline")
        self.assertEqual((len(bells), self.info(self.ben)), (1, "ann is calling: /answer or /decline"))
        self.assertIn("ann is calling", self.status(self.ben))
        self.assertIn("call with ben: ringing", self.status(self.ann))
        self.assertEqual([text for text, _ in completions(self.desks[self.ben], "/answer ")], ["ann"])
        self.enter(self.ben, "/answer")
        (mine,), (theirs,) = self.ann.client.calls, self.ben.client.calls
        self.assertEqual((mine.state, theirs.state), (ACTIVE, ACTIVE))
        symbols = " ".join(each.symbol for each in mine.words.emoji) if mine.words else ""
        for who, other in ((self.ann, "ben"), (self.ben, "ann")):
            said = self.said(who)
            self.assertEqual(said[0], f"You and {other} are being connected…")
            self.assertIn(f"Compare with {other}, by voice: {symbols}  {mine.words}", said)
            self.assertIn(f"You are connected with {other}.", said)
            self.assertEqual(len(said), 3)
        self.settle(65)
        self.assertIn("call with ben: 1:0", self.status(self.ann))
        self.enter(self.ben, "/hangup")
        for who, other in ((self.ann, "ben"), (self.ben, "ann")):
            [over] = self.said(who)
            self.assertTrue(over.startswith(f"The call with {other} is over, after 1:0"), over)
            self.assertNotIn("call with", self.status(who))
        self.assertEqual(self.info(self.ben), "")

    def test_mic(self) -> None:
        """Off and on; the status line says so."""
        self.enter(self.ann, "/mic off")
        self.assertEqual(self.said(self.ann)[-1], "You are in no call.")
        self.talk()
        for line, muted in (("/mic", True), ("/mic off", True), ("/mic on", False), ("/mic", True)):
            self.enter(self.ann, line)
            [call] = self.ann.client.calls
            self.assertIs(call.muted, muted)
            self.assertIs(", muted" in self.status(self.ann), muted)
        self.enter(self.ann, "/mic loud")
        self.assertEqual(self.said(self.ann)[-1], "/mic off or /mic on; /mic alone is the other one.")

    def test_other_muted(self) -> None:
        """It is told where the other is not to be heard."""
        self.talk()
        self.enter(self.ben, "/mic off")
        self.assertEqual(self.said(self.ann)[-1], "ben is not to be heard.")
        self.enter(self.ben, "/mic on")
        self.assertEqual(self.said(self.ann)[-1], "ben is to be heard again.")

    def test_camera(self) -> None:
        """Off and on, in a call with pictures, where there is a camera."""
        self.talk()
        self.enter(self.ann, "/camera off")
        self.assertEqual(self.said(self.ann)[-1], "You are in no call with pictures.")
        self.enter(self.ann, "/hangup")
        call, _ = self.talk(video=True)
        self.enter(self.ann, "/camera off")
        self.assertIn("--call-video", self.said(self.ann)[-1])
        self.desks[self.ann].calls.phone.shows = True
        for line, shows in (("/camera", False), ("/camera on", True), ("/camera off", False)):
            self.enter(self.ann, line)
            self.assertIs(call.shows, shows)
        self.assertEqual(self.said(self.ann)[-1], "You are not seen: /camera on ends that.")

    def test_rings_already(self) -> None:
        """Who sits down while it rings is told who calls."""
        self.enter(self.ann, "/call ben")
        self.desks[self.ben] = self.sit_down(self.ben)
        self.assertEqual(self.said(self.ben), ["ann is calling: /answer or /decline"])
        self.enter(self.ben, "/answer")
        self.assertIs(self.ann.client.calls[0].state, ACTIVE)

    def test_leaving(self) -> None:
        """Who leaves hangs up."""
        self.talk()
        self.desks[self.ann].calls.end()
        self.settle()
        self.assertEqual(self.ben.client.calls, [])

    def test_declined(self) -> None:
        """/decline is of the call while one rings; a second one is busy."""
        for line, told in (
            ("/decline", "ben does not take the call."),
            ("/decline ann", "ben does not take the call."),
        ):
            self.enter(self.ann, "/call ben")
            self.enter(self.ben, line)
            self.assertEqual(self.said(self.ann)[-1], told)
            self.assertEqual(self.said(self.ben)[-1], "The call of ann is declined.")
        self.enter(self.ben, "/decline")
        self.assertEqual(self.said(self.ben)[-1], "Nobody is asking to be your contact.")

    def test_busy(self) -> None:
        """Who speaks to somebody is not called into the next call, and may say so."""
        cay = self.register("cay")
        cay.befriend(self.ben)
        cay.take_calls()
        self.desks[cay] = self.sit_down(cay)
        self.talk()
        self.enter(cay, "/call ben")
        self.enter(self.ben, "/answer")
        self.assertEqual(self.said(self.ben)[-1], "You are in a call: /hangup ends it.")
        self.enter(self.ben, "/call cay")
        self.assertEqual(self.said(self.ben)[-1], "You are in a call: /hangup ends it.")
        self.enter(self.ben, "/decline cay")
        self.assertEqual(self.said(cay)[-1], "ben is in another call.")

    def two_call(self) -> Caller:
        """Ann calls Ben, then Cay."""
        cay = self.register("cay")
        cay.befriend(self.ben)
        cay.take_calls()
        self.desks[cay] = self.sit_down(cay)
        self.enter(self.ann, "/call ben")
        self.enter(cay, "/call ben")
        return cay

    def taken(self) -> list[str]:
        return [call.peer for call in self.ben.client.calls if call.since is not None]

    def test_two_ring(self) -> None:
        """Nobody is answered whom the screen does not name: with two that ring it is said who."""
        cay = self.two_call()
        self.assertEqual(self.info(self.ben), "ann and cay are calling: /answer NAME or /decline NAME")
        self.assertIn("ann and cay are calling", self.status(self.ben))
        self.assertEqual(self.said(self.ben)[-1], "cay is calling: /answer cay or /decline cay")
        for line in ("/answer", "/decline", "/hangup"):
            self.enter(self.ben, line)
            self.assertEqual(self.said(self.ben), ["Which one? ann, cay: write one of these."])
        self.enter(self.ben, "/answer zoe")
        self.assertEqual(self.said(self.ben)[-1], "It is ann, cay who calls.")
        self.enter(self.ben, "/answer cay")
        self.assertEqual(self.taken(), [cay.account])
        self.assertEqual(self.info(self.ben), "ann is calling: /answer or /decline")
        self.enter(self.ben, "/decline")
        self.assertEqual(self.said(self.ann)[-1], "ben is in another call.")
        self.assertEqual((self.info(self.ben), self.taken()), ("", [cay.account]))

    def test_one_of_two_gives_up(self) -> None:
        """The screen still says who rings, and that one is answered."""
        cay = self.two_call()
        self.enter(cay, "/hangup")
        self.assertEqual(self.info(self.ben), "ann is calling: /answer or /decline")
        self.enter(self.ben, "/answer")
        self.assertEqual(self.taken(), [self.ann.account])

    def test_message_while_it_rings(self) -> None:
        """What comes in meanwhile does not take the place of who calls."""
        self.enter(self.ann, "/call ben")
        self.desks[self.ben].banner = "cay: hello"
        self.assertEqual(self.info(self.ben), "ann is calling: /answer or /decline")

    def test_refused(self) -> None:
        """Of a call that the node does not take it is said why, and nothing else."""
        routes: Any = self.world.services.routes
        for code, told in (
            (Code.LIMIT_REACHED, "You are in too many calls already, on other devices."),
            (Code.BUSY, "The node is busy."),
        ):
            routes[CallInvite] = Mock(side_effect=Problem(code))
            self.said(self.ann)
            self.enter(self.ann, "/call ben")
            self.assertEqual(self.said(self.ann), [told])

    def test_trouble(self) -> None:
        """What does not work is told once in a call, however often it is tried."""
        self.talk()
        self.said(self.ann)
        trouble = self.desks[self.ann].calls.phone.trouble
        for _ in range(2):
            trouble("No loudspeaker was found")
        self.assertEqual(self.said(self.ann), ["No loudspeaker was found."])
        self.enter(self.ann, "/hangup")
        self.talk()
        trouble("No loudspeaker was found")
        self.assertEqual(self.said(self.ann)[-1], "No loudspeaker was found.")

    def test_spoken(self) -> None:
        """How long it was counts from when the two were connected, and not from the answer."""
        self.network.blocked = True
        self.enter(self.ann, "/call ben")
        self.enter(self.ben, "/answer")
        self.settle(10)
        self.network.blocked = False
        self.settle(25)
        self.assertIs(self.ann.client.calls[0].state, ACTIVE)
        self.assertIn("call with ben: 0:1", self.status(self.ann))
        self.enter(self.ann, "/hangup")
        self.assertIn("The call with ben is over, after 0:1", self.said(self.ann)[-1])

    def test_no_relay(self) -> None:
        """Who takes no other way than the relay is told at once where there is none."""
        self.desks[self.ann].calls.phone.relay_only = True
        self.enter(self.ann, "/call ben")
        self.assertIn("Your node has no relay", self.said(self.ann)[-1])
        self.assertEqual(self.ben.client.calls, [])
        self.relay = RelayCredentials(["turn:relay.example"], "name", "password", 10**15)
        self.enter(self.ann, "/call ben")
        self.assertEqual(len(self.ben.client.calls), 1)

    def test_no_way(self) -> None:
        """Where there is none it is over, and it is said what it may be."""
        self.network.blocked = True
        self.desks[self.ben].calls.phone.relay_only = True
        self.relay = RelayCredentials(["turn:relay.example"], "name", "password", 10**15)
        self.enter(self.ann, "/call ben")
        self.enter(self.ben, "/answer")
        self.settle(140)
        self.assertEqual(self.said(self.ann)[-1], "No way was found between your devices and ben's.")
        self.assertIn("--call-relay-only", self.said(self.ben)[-1])

    def test_missed(self) -> None:
        """Who was called and did not answer is told."""
        self.enter(self.ann, "/call ben")
        self.enter(self.ann, "/hangup")
        self.assertEqual(self.said(self.ben)[-1], "ann has called you.")
        self.enter(self.ann, "/call ben")
        self.settle(50)
        self.assertEqual(self.said(self.ann)[-1], "ben has not answered.")
        self.assertEqual(self.said(self.ben)[-1], "ann has called you.")

    def test_broken(self) -> None:
        """A connection that breaks is told, and that it is there again."""
        self.talk()
        self.said(self.ann)
        self.network.cut()
        self.settle(10)
        self.assertEqual(
            self.said(self.ann)[-2:],
            ["The connection has broken, and is made anew…", "You are connected with ben."],
        )

    def test_whom(self) -> None:
        """A contact, and nobody else."""
        cay = self.register("cay")
        self.ann.do(self.ann.client.request(cay.account, "cay"))
        self.enter(self.ann, "/call cay")
        self.assertEqual(self.said(self.ann)[-1], "cay: asked, no answer yet.")
        self.enter(self.ann, "/call zoe")
        self.assertEqual(self.said(self.ann)[-1], "zoe is not among those you know. /contacts lists them.")
        for line in ("/answer", "/hangup"):
            self.enter(self.ann, line)
        self.assertEqual(self.said(self.ann), ["Nobody is calling you.", "You are in no call."])
        self.ann.drop()
        self.enter(self.ann, "/call ben")
        self.assertIn("Not connected: nobody was called", self.said(self.ann)[-1])

    def test_pictures(self) -> None:
        """Only where there is something to show."""
        self.enter(self.ann, "/video ben")
        self.assertIn("--call-video", self.said(self.ann)[-1])
        self.desks[self.ann].calls.phone.shows = True
        self.enter(self.ann, "/video ben")
        self.assertEqual(self.said(self.ben)[-1], "ann is calling with video: /answer or /decline")

    def test_log(self) -> None:
        """/calls shows what the node keeps, the newest last, and has it forgotten."""
        kept = [LoggedCall(3_700_000, 65), LoggedCall(60_000, 3900)]
        routes: Any = self.world.services.routes
        routes[CallLog] = lambda _caller, _params: CallEntries(list(kept), more=False)
        routes[CallForget] = lambda _caller, _params: kept.clear() or Done()  # type: ignore[func-returns-value]
        where = "Your node keeps when, and for how long; not with whom. /calls forget erases it."
        self.enter(self.ann, "/calls")
        first, second, last = self.said(self.ann)[-3:]
        self.assertEqual((first.split("  ")[1], second.split("  ")[1], last), ("1:05:00", "1:05", where))
        self.enter(self.ann, "/calls forget")
        self.enter(self.ann, "/calls")
        self.assertEqual(
            self.said(self.ann)[-2:],
            ["Your node keeps nothing of your calls any more.", "Your node keeps nothing of calls."],
        )
        self.enter(self.ann, "/calls all")
        self.assertEqual(self.said(self.ann), ["/calls, or /calls forget."])

    def test_length(self) -> None:
        lengths = [length(seconds) for seconds in (-1, 8.9, 750, 3900)]
        self.assertEqual(lengths, ["0:00", "0:08", "12:30", "1:05:00"])
