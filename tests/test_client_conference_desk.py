"""Conferences at the terminal: what is entered, and what is said of them; on a node in memory."""

from unittest.mock import patch

from safeum_home.client.calling.conference_machine import ConferenceStage
from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.desk_events import Listening
from safeum_home.client.desk.phone import Phone
from safeum_home.client.screen import render
from safeum_home.client.screen.blocks import text_of
from safeum_home.client.slash.commands import completions, submit
from tests.sdk_calls import Caller
from tests.test_client_conferences import ConferencingCase

GROUP = "▣ Walks"


class ConferenceDeskTests(ConferencingCase):
    def setUp(self) -> None:
        super().setUp()
        self.desks = {who: self.sit_down(who) for who in self.people[:3]}

    def sit_down(self, who: Caller) -> Desk:
        desk = Desk(who.client, self.world.clock, lambda: int(self.world.clock.seconds() * 1000))
        who.client.listen(Listening(desk).heard)
        with patch.object(type(who.client), "take_calls"):  # it takes them already
            desk.calls.take(Phone(who.source))
        return desk

    def enter(self, who: Caller, line: str) -> list[str]:
        """What the desk said of it."""
        self.desks[who].notices.clear()
        submit(self.desks[who], line)
        self.settle(1)
        return self.said(who)

    def said(self, who: Caller) -> list[str]:
        return [notice.text for notice in self.desks[who].notices]

    def status(self, who: Caller) -> str:
        return text_of([render.status(self.desks[who], 110)])

    def test_conference(self) -> None:
        """It rings for the others, who join it; each is told who is there and what to compare; one leaves."""
        ann, ben, cyd = self.people[:3]
        self.assertEqual([text for text, _ in completions(self.desks[ann], "/conference w")], ["Walks"])
        joined = f"You are in the conference of {GROUP}. /hangup leaves it."
        self.assertEqual(self.enter(ann, "/conference walks"), [joined])
        self.assertEqual(self.said(ben)[-1], f"ann wants to speak in {GROUP}: /conference Walks or /decline")
        self.assertEqual(self.desks[ben].calls.rings(), self.said(ben)[-1])
        self.desks[ann].notices.clear()
        first, second = self.enter(ben, "/conference walks")
        self.assertEqual(first, joined)
        words = ann.client.conferences[0].peers[0].words
        self.assertTrue(second.startswith("ann is there. Compare with ann, by voice: "), second)
        self.assertTrue(second.endswith(f"  {words}"), second)
        self.assertEqual(len(self.said(ann)), 1)
        self.assertTrue(self.said(ann)[0].endswith(f"  {words}"))
        self.assertIn(f"conference in {GROUP}: you and 1", self.status(ann))
        self.assertEqual(self.desks[ben].calls.rings(), "")
        self.desks[ben].notices.clear()
        self.enter(cyd, "/conference walks")
        self.assertIn(f"conference in {GROUP}: you and 2", self.status(ann))
        self.assertTrue(self.said(ben)[0].startswith("cyd is there. Compare with cyd"), self.said(ben))
        self.assertEqual(self.enter(ben, "/mic off"), ["You are not heard: /mic on ends that."])
        self.assertIn("muted", self.status(ben))
        self.desks[ann].notices.clear()
        said = self.enter(ben, "/hangup")
        self.assertEqual(said, [f"You are not in the conference of {GROUP} any more."])
        self.assertEqual(self.said(ann), ["ben has left."])
        self.assertNotIn("conference", self.status(ben))

    def test_declined(self) -> None:
        """/decline is of the conference while one rings."""
        ann, ben = self.people[:2]
        self.enter(ann, "/conference walks")
        told = ["Nobody is calling you. /conference Walks joins who speaks there."]
        self.assertEqual(self.enter(ben, "/answer"), told)
        self.assertEqual(self.enter(ben, "/decline"), [f"Declined to speak in {GROUP}."])
        self.assertTrue(self.rung[ben][0].over)
        self.assertEqual(self.enter(ben, "/decline"), ["Nobody is asking to be your contact."])

    def test_beside_a_call(self) -> None:
        """Where a call rings, too, it is said which of the two is meant."""
        ann, ben, cyd = self.people[:3]
        cyd.befriend(ben)
        self.enter(ann, "/conference walks")
        self.enter(cyd, "/call ben")
        call, conference = self.desks[ben].calls.rings().split("; ")
        self.assertEqual(call, "cyd is calling: /answer cyd or /decline cyd")
        self.assertEqual(conference, f"ann wants to speak in {GROUP}: /conference Walks or /decline Walks")
        self.assertEqual(self.enter(ben, "/decline"), [f"Which one? cyd, {GROUP}: write one of these."])
        self.enter(ben, f"/decline {GROUP}")
        self.assertTrue(self.rung[ben][0].over)
        self.assertEqual(self.desks[ben].calls.rings(), "cyd is calling: /answer or /decline")
        self.enter(ben, "/decline cyd")
        self.assertEqual(self.desks[ben].calls.rings(), "")

    def test_one_at_a_time(self) -> None:
        """Who is in a conference calls nobody, and is called only after leaving it."""
        ann, ben = self.people[:2]
        self.enter(ann, "/conference walks")
        busy = ["You are in a conference: /hangup leaves it."]
        self.assertEqual(self.enter(ann, "/call ben"), busy)
        self.assertEqual(self.enter(ann, "/conference walks"), busy)
        self.enter(ben, "/call ann")
        self.assertEqual(self.enter(ann, "/answer"), busy)

    def test_no_group(self) -> None:
        """A conference is of a group that is open, or is named."""
        ann = self.people[0]
        self.assertEqual(self.enter(ann, "/conference"), ["No chat is open."])
        told = ["A conference is of a group: /conference GROUP. /call calls somebody."]
        self.assertEqual(self.enter(ann, "/conference ben"), told)

    def test_broken(self) -> None:
        """A way that breaks and is made anew is not told each time, and the words stay."""
        ann, ben = self.people[:2]
        self.enter(ann, "/conference walks")
        self.enter(ben, "/conference walks")
        self.desks[ann].notices.clear()
        self.network.cut()
        self.settle(10)
        self.assertEqual(self.said(ann), [])
        [conference] = ann.client.conferences
        self.assertEqual(conference.stage, ConferenceStage.JOINED)
