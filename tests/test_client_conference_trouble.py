"""Conferences whose node, or one of whose members, makes devices join anew: few times, not for nothing."""

from typing import Any

from twisted.internet.defer import CancelledError, succeed

from safeum_home.client.calling import handshake
from safeum_home.client.calling.channel import MOST_TRIES, TRY_SECONDS
from safeum_home.client.calling.conference_machine import ConferenceStage
from safeum_home.client.calling.directory import Bound
from safeum_home.client.calling.ending import CallEnd
from safeum_home.client.calling.handshake import Pair, Shown
from safeum_home.client.calling.link import LinkState
from safeum_home.client.calling.peer import _tag
from safeum_home.client.calling.renewal import CALM, PAUSES
from safeum_home.client.sas import Words
from safeum_home.client.secret import Secret, Signing, fresh
from safeum_home.protocol.call_types import RING_SECONDS, Ended, Media
from safeum_home.protocol.command import Done
from safeum_home.protocol.commands.calls import CallSignal
from safeum_home.protocol.commands.conferences import ConferenceStart, Joined, Participant
from safeum_home.protocol.events import CallEnded, CallSignalled, ConferenceJoined, ConferenceRings
from safeum_home.protocol.signing import encode_octets
from tests.sdk_calls import Caller
from tests.test_client_conferences import ConferencingCase

BENS = "D" + "m" * 16


class Middle:
    """Ann's own node, which is Ben in a conference, and looks for words."""

    def __init__(self, case: ConferencingCase) -> None:
        self.case, self.ann, self.ben = case, case.ann, case.ben.account
        calling: Any = self.ann.client._takes_calls()
        self.calling = calling
        self.signing, self.joins = Signing(), 0
        self.said: list[Any] = []
        self.words: set[Words | bytes] = set()
        self.theirs = self.participant(0)
        calling.ask = self.asked
        calling.tell = lambda params, failed=None: self.said.append(params)
        calling.means.directory.check = self.believes

    def participant(self, number: int) -> Participant:
        return Participant(self.ben, BENS, encode_octets(b"\1" + bytes([number]) * 32), 1)

    async def believes(self, *_: object) -> Bound:
        return Bound.NONE

    def asked(self, params: Any, _result: object) -> Any:
        if not isinstance(params, ConferenceStart):
            return succeed(Done())
        self.joins += 1
        account, device = self.calling.account, self.calling.device
        self.mine = Participant(account, device, params.hello, 10**12 + self.joins)
        self.theirs = self.participant(0)
        return succeed(Joined(params.call, Media.AUDIO, [self.theirs, self.mine]))

    def tries(self, conference: Any) -> None:
        """All five commitments of a join, if it can have them."""
        for number in range(5):
            self.theirs = self.participant(number)
            conference.take(ConferenceJoined(conference.id, self.ben, BENS, self.theirs.hello, 1))
            self.respond(conference)

    def respond(self, conference: Any) -> None:
        tag, mine = _tag(self.mine, self.theirs), self.mine
        pair = Pair(conference.id, "conference", mine.account, mine.device, self.ben, BENS, conference.chat)
        secret = Secret.random()
        shown = Shown(self.signing.public, secret.public(), fresh())
        hello = handshake.octets_of(mine.hello)
        signature = self.signing.sign(handshake.response_octets(pair, hello, shown))
        response = handshake.response(shown, signature)
        self.said.clear()
        conference.take(CallSignalled(conference.id, self.ben, BENS, tag + encode_octets(response)))
        for each in self.said:
            octets = handshake.octets_of(each.data[len(tag) :]) if isinstance(each, CallSignal) else b""
            if octets[:1] == handshake.REVEAL:
                opened, transcript = handshake.read_reveal(pair, hello, response, octets)
                self.words.add(handshake.agree(secret, opened.ephemeral, transcript).words)
        secret.wipe()


class GrindingTests(ConferencingCase):
    def test_tries(self) -> None:
        """A node that says again and again that it was replaced sees few words; then its user is told."""
        middle = Middle(self)
        conference = self.successResultOf(self.ann.client.conference(self.chat))
        for _ in range(50):
            middle.tries(conference)
            conference.take(CallEnded(conference.id, Ended.REPLACED))
        self.assertEqual(len(middle.words), MOST_TRIES)
        for _ in range(300):
            middle.tries(conference)
            conference.take(CallEnded(conference.id, Ended.REPLACED))
            self.settle(1)
        self.assertEqual(middle.joins, 1 + len(PAUSES))
        self.assertEqual((conference.stage, conference.why), (ConferenceStage.ENDED, CallEnd.REPLACED))
        self.assertLessEqual(len(middle.words), MOST_TRIES + 1 + int(sum(PAUSES) / TRY_SECONDS))
        middle.signing.wipe()


class MemberTests(ConferencingCase):
    def test_bye(self) -> None:
        """Who says good-bye to one of them, and stays, does not tear what that one has with all others."""
        conferences = self.join(*self.people)
        ann, flo = conferences[0], conferences[5]
        before = self.words(ann)
        (peer,) = (each for each in flo.peers if each.account == self.ann.account)
        assert peer._link is not None
        peer._link.close(bye=True)
        self.settle(60)
        self.assertEqual(self.words(ann), before)
        self.assertEqual(
            {each.state for each in ann.peers if each.account != flo.account}, {LinkState.CONNECTED}
        )

    def words(self, conference: Any) -> list[str]:
        return [str(each.words) for each in conference.peers if each.account != self.people[5].account]

    def test_closed_again_and_again(self) -> None:
        """Whoever closes the media each time has that done a few times."""
        conferences = self.join(self.ann, self.people[5])
        ann, flo = conferences
        seen = set()
        for _ in range(30):
            for peer in flo.peers:
                if peer.state is LinkState.CONNECTED and peer._link is not None:
                    peer._link.close(bye=False)
            self.settle(15)
            seen.add(ann.since)
        self.assertLessEqual(len(seen), 1 + len(PAUSES))
        self.assertIs(ann.stage, ConferenceStage.JOINED)
        self.assertGreater(CALM, sum(PAUSES))

    def test_comes_and_goes(self) -> None:
        """Who joins again and again has others wait for nobody but himself."""
        [ann] = self.join(self.ann)
        flo = self.people[5]
        for _ in range(MOST_TRIES + 6):
            [conference] = self.quickly(flo)
            conference.leave()
            self.settle(0.05)
        [ben] = self.quickly(self.ben)
        self.settle(1)
        self.whole([ann, ben])
        [again] = self.quickly(flo)
        self.settle(TRY_SECONDS + 1)
        self.whole([ann, ben, again])

    def quickly(self, person: Caller) -> list[Any]:
        found = [person.do(person.client.conference(self.chat))]
        self.settle(0.1)
        return found


class GivenUpTests(ConferencingCase):
    def test_cancelled(self) -> None:
        """A conference whose program does not wait for it any more is left, and may be joined again."""
        [other] = self.join(self.ben)
        joining = self.ann.client.conference(self.chat)
        joining.cancel()
        self.failureResultOf(joining, CancelledError)
        self.settle(1)
        self.assertEqual((other.peers, self.ann.client.conferences), ([], []))
        [again] = self.join(self.ann)
        self.whole([other, again])

    def test_rings(self) -> None:
        """For as long as any, whatever the node says."""
        for number, seconds in enumerate((1e6, -1.0)):
            call = str(number) * 22
            self.ben.client._hear(ConferenceRings(call, self.chat, self.ann.account, Media.AUDIO, seconds))
        self.settle(RING_SECONDS + 1)
        self.assertEqual([each.over for each in self.rung[self.ben]], [True, True])
