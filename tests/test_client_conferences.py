"""Conferences of the SDK: clients on a node in memory, over media links without media."""

from itertools import combinations
from typing import Any

from safeum_home.client.calling.conference import Conference
from safeum_home.client.calling.conference_machine import ConferenceStage
from safeum_home.client.calling.conferences import Ringing
from safeum_home.client.calling.ending import CallEnd
from safeum_home.client.calling.link import LinkState
from safeum_home.client.errors import RemoteProblem
from safeum_home.errors import Code
from tests.sdk_calls import Caller, CallingCase

CONNECTED = LinkState.CONNECTED


class ConferencingCase(CallingCase):
    """Six people are in a group; Ann, who made it, knows all, and nobody else knows another."""

    def setUp(self) -> None:
        super().setUp()
        self.people = [self.ann, self.ben]
        for name in ("cyd", "dan", "eve", "flo"):
            person = self.register(name)
            self.ann.befriend(person)
            self.people.append(person.take_calls())
        self.rung: dict[Caller, list[Ringing]] = {person: [] for person in self.people}
        for person in self.people:
            person.client.on_conference(self.rung[person].append)
        made = self.ann.do(self.ann.client.create_group("Walks", [each.account for each in self.people[1:]]))
        self.chat = made.chat.chat
        for person in self.people[1:]:
            person.do(person.client.accept_invitation(self.chat))
        self.settle()

    def join(self, *people: Caller, video: bool = False) -> list[Conference]:
        found = [person.do(person.client.conference(self.chat, video)) for person in people]
        self.settle(1)
        return found

    def whole(self, conferences: list[Conference]) -> None:
        """Each is connected with each other one, and both see the same words."""
        words: dict[frozenset[str], set[str]] = {}
        for conference in conferences:
            self.assertEqual(conference.stage, ConferenceStage.JOINED, conference.why)
            states = {peer.account: (peer.state, peer.wrong) for peer in conference.peers}
            self.assertEqual(set(states.values()), {(CONNECTED, "")}, states)
            self.assertEqual(len(states), len(conferences) - 1)
            for peer in conference.peers:
                words.setdefault(frozenset((conference.account, peer.account)), set()).add(str(peer.words))
        self.assertEqual({len(each) for each in words.values()}, {1})
        self.assertEqual(len(words), len(conferences) * (len(conferences) - 1) // 2)
        self.assertEqual(len({word for each in words.values() for word in each}), len(words))


class MeshTests(ConferencingCase):
    def test_six(self) -> None:
        """All fifteen pairs are connected, strangers or not, with words of their own."""
        conferences = self.join(*self.people)
        self.whole(conferences)
        self.assertEqual(len(list(combinations(conferences, 2))), 15)
        self.assertEqual(len(self.network.open), 30)
        self.assertEqual([len(self.rung[each]) for each in self.people], [0, 1, 1, 1, 1, 1])
        self.assertTrue(all(each[0].over for each in self.rung.values() if each))

    def test_one_leaves(self) -> None:
        conferences = self.join(*self.people)
        conferences[2].leave()
        self.settle(1)
        self.assertEqual((conferences[2].stage, conferences[2].why), (ConferenceStage.ENDED, CallEnd.HANGUP))
        self.assertEqual(conferences[2].peers, [])
        rest = [each for each in conferences if each is not conferences[2]]
        self.whole(rest)
        self.assertEqual(len(self.network.open), 20)
        again = self.join(self.people[2])
        self.whole([*rest, *again])

    def test_a_seventh(self) -> None:
        self.join(*self.people)
        gus = self.register("gus")
        self.ann.befriend(gus)
        gus.take_calls()
        self.ann.do(self.ann.client.invite_to_group(self.chat, [gus.account]))
        gus.do(gus.client.accept_invitation(self.chat))
        refused = self.assertRaises(RemoteProblem, gus.do, gus.client.conference(self.chat))
        self.assertTrue(refused.of(Code.CONFERENCE_FULL))
        self.assertEqual(gus.client.conferences, [])

    def test_a_way_is_lost(self) -> None:
        """Ways that break are found again, with the same words."""
        conferences = self.join(*self.people[:4])
        before = [str(peer.words) for peer in conferences[0].peers]
        self.network.cut()
        self.settle(3)
        self.whole(conferences)
        self.assertEqual([str(peer.words) for peer in conferences[0].peers], before)

    def test_no_way_for_long(self) -> None:
        """One that comes to nothing at all is begun anew, with other keys."""
        conferences = self.join(*self.people[:3])
        before = [str(peer.words) for peer in conferences[0].peers]
        self.network.blocked = True
        self.network.cut()
        self.settle(118)
        self.assertEqual({peer.why for each in conferences for peer in each.peers}, {CallEnd.FAILED})
        self.network.blocked = False
        self.settle(30)
        self.whole(conferences)
        self.assertNotEqual([str(peer.words) for peer in conferences[0].peers], before)

    def test_muted(self) -> None:
        first, second = self.join(*self.people[:2], video=True)
        first.mute()
        first.show(False)
        self.settle()
        [seen] = second.peers
        self.assertEqual((seen.muted, seen.shows), (True, False))
        [third] = self.join(self.people[2])
        ann = next(peer for peer in third.peers if peer.account == self.ann.account)
        self.assertEqual((ann.muted, ann.shows), (True, False))
        ben = next(peer for peer in third.peers if peer.account == self.ben.account)
        self.assertEqual((ben.muted, ben.shows), (False, True))


class AwayTests(ConferencingCase):
    def test_a_connection_is_lost(self) -> None:
        """Media go on; whoever came or went meanwhile is known when it is back."""
        conferences = self.join(*self.people[:4])
        self.ben.drop()
        self.settle(5)
        self.assertEqual(len(self.network.open), 12)
        conferences[3].leave()
        conferences[3:] = self.join(self.people[4])
        self.ben.back()
        self.settle(8)
        self.whole(conferences)

    def test_away_for_too_long(self) -> None:
        """For the others it has left then; it is in it again when it is back."""
        conferences = self.join(*self.people[:3])
        self.ben.drop()
        self.settle(70)
        self.assertEqual(len(conferences[0].peers), 1)
        self.ben.back()
        self.settle(8)
        self.whole(conferences)

    def test_over_while_away(self) -> None:
        """Who was removed from the group meanwhile learns that it is over."""
        conferences = self.join(*self.people[:3])
        self.ben.drop()
        self.ann.do(self.ann.client.remove_from_group(self.chat, self.ben.account))
        self.ben.back()
        self.settle(1)
        self.assertEqual(conferences[1].why, CallEnd.LOST)
        self.whole([conferences[0], conferences[2]])

    def test_another_device(self) -> None:
        conferences = self.join(*self.people[:3])
        tablet = self.login("ben")
        conferences[1:2] = [*self.join(tablet), conferences[1]]
        self.assertEqual(conferences[2].why, CallEnd.ANSWERED_ELSEWHERE)
        self.whole([conferences[0], conferences[1], conferences[3]])


class RingTests(ConferencingCase):
    def test_decline(self) -> None:
        tablet = self.login("ben")
        rung: list[Ringing] = []
        tablet.client.on_conference(rung.append)
        self.join(self.ann)
        [ringing] = self.rung[self.ben]
        self.assertEqual((ringing.chat, ringing.account), (self.chat, self.ann.account))
        ringing.decline()
        self.settle()
        self.assertEqual([each.why for each in rung], [CallEnd.DECLINED_ELSEWHERE])
        state: Any = self.ben.do(self.ben.client.conference_of(self.chat))
        self.assertEqual(state.accounts, [self.ann.account])

    def test_nobody_joins(self) -> None:
        self.join(self.ann)
        self.settle(46)
        self.assertEqual([each.why for each in self.rung[self.ben]], [CallEnd.NO_ANSWER])

    def test_over(self) -> None:
        [conference] = self.join(self.ann)
        conference.leave()
        self.settle()
        self.assertEqual([each.why for each in self.rung[self.ben]], [CallEnd.HANGUP])

    def test_both_begin(self) -> None:
        """Who begins where one goes on is in that one."""
        first, second = self.join(self.ann, self.ben)
        self.assertEqual(first.id, second.id)
        self.assertIs(self.join(self.ann)[0], first)
