"""Calls with the telephone network: real Kamailio and Janus, SIPp as the carrier, the SDK as the app.

Tones go both ways: what the app hears it says itself, what the carrier hears is taken from the wire.
"""

from collections.abc import Sequence
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.e2e import g711, relay
from tests.e2e.relay import until
from tests.e2e.sniffer import Datagram
from tests.e2e.telephoner import TelephonerProcess
from tests.e2e.telephones import RATE, VOICES, Telephones, telephones
from tests.e2e.trunk import CARRIER_TONE, Sipp, needs

WORLD = "+4930123456"


class SafenumCase(SynchronousTestCase):
    """All tests have the same node, carrier and people: after each no call is left."""

    world: Telephones

    def setUp(self) -> None:
        needs()
        self.world = telephones()
        self.trunk = self.world.trunk
        self.ada, self.ben = (self.world.people[login] for login in ("ada", "ben"))

    def heard(self, datagrams: Sequence[Datagram], login: str) -> bool:
        """Whether the carrier heard somebody."""
        said = g711.said(datagrams, self.trunk.edge_address, self.trunk.carrier_address)
        return g711.is_heard(said, VOICES[login])

    def dial(self, person: TelephonerProcess, number: str = WORLD) -> None:
        """They are shown as their own number."""
        self.assertEqual(person.do("dial", number), self.world.numbers[person.login])

    def rung(self, person: TelephonerProcess, sipp_at: int = 5070, **how: Any) -> Sipp:
        """Somebody calls a person, until it rings."""
        caller = self.trunk.call_in(self.world.numbers[person.login], WORLD, port=sipp_at, **how)
        self.assertEqual(person.do("rings"), WORLD)
        return caller

    def over(self, *sipps: Sipp) -> None:
        """All went as their scenarios say."""
        for sipp in sipps:
            self.assertEqual(sipp.wait(), 0, sipp.errors() + sipp.messages()[-2000:])


class SoundTests(SafenumCase):
    def test_in(self) -> None:
        """Somebody calls: both hear each other; the caller hangs up, and it has cost nothing."""
        before = self.ada.do("balance")
        with self.trunk.sniffer() as sniffer:
            caller = self.rung(self.ada)
            self.ada.do("answer")
            self.assertEqual(self.ada.do("reached", "active"), "active")
            self.ada.do("hears", CARRIER_TONE)
            self.over(caller)
        ended = self.ada.do("ended")
        self.assertEqual((ended["why"], ended["amount"]), ("hangup", 0))
        self.assertTrue(self.heard(sniffer.datagrams, "ada"))
        self.assertEqual(self.ada.do("balance"), before)

    def test_out(self) -> None:
        """Somebody is called: both hear each other; what it has cost is gone from the balance."""
        before, _ = self.ada.do("balance")
        carrier = self.trunk.answers()
        with self.trunk.sniffer() as sniffer:
            self.dial(self.ada)
            self.assertEqual(self.ada.do("reached", "active"), "active")
            self.ada.do("hears", CARRIER_TONE)
            self.ada.do("wait", 2)
            self.ada.do("hang_up")
            self.over(carrier)
        self.assertTrue(self.heard(sniffer.datagrams, "ada"))
        self.assertEqual(self.ada.do("ended")["why"], "hangup")
        until(lambda: self.ada.do("balance")[1] == 0)  # nothing is held: it is settled
        after, _ = self.ada.do("balance")
        self.assertGreater(before - after, 0)
        self.assertLess(before - after, RATE)

    def test_early(self) -> None:
        """What the carrier lets hear before it answers is heard, and free."""
        carrier = self.trunk.answers("out_early")
        self.dial(self.ada)
        self.assertTrue(self.ada.do("early"))
        self.ada.do("hears", CARRIER_TONE)
        self.assertEqual(self.ada.do("reached", "active"), "active")
        self.ada.do("hears", CARRIER_TONE)
        self.ada.do("hang_up")
        self.over(carrier)

    def test_relayed(self) -> None:
        """Who shows no address to the bridge is heard through the node's relay, and hears."""
        relay.needs()
        relaying = self.world.relay()
        self.addCleanup(relaying.stop)
        relaying.started()
        eve = self.world.person("eve", VOICES["ben"])
        self.addCleanup(eve.close)
        eve.do("sign_up", "eve", True)
        self.world.numbers["eve"] = eve.do("number")
        with self.trunk.sniffer() as sniffer:
            caller = self.rung(eve, seconds=5.0)
            eve.do("answer")
            self.assertEqual(eve.do("reached", "active"), "active")
            eve.do("hears", CARRIER_TONE)
            self.over(caller)
        self.assertTrue(self.heard(sniffer.datagrams, "ben"))
        self.assertEqual(eve.do("ended")["why"], "hangup")

    def test_two_at_once(self) -> None:
        """One comes in while another goes out: each is heard by its own."""
        carrier = self.trunk.answers()
        with self.trunk.sniffer() as sniffer:
            self.dial(self.ada)
            # From the carrier's other server: two SIPp at one address get in each other's way.
            caller = self.rung(self.ben, seconds=6.0, at=self.trunk.second_address)
            self.ben.do("answer")
            for person in (self.ada, self.ben):
                self.assertEqual(person.do("reached", "active"), "active")
            for person in (self.ada, self.ben):
                person.begin("hears", CARRIER_TONE)
            for person in (self.ada, self.ben):
                person.done()
            self.over(caller)
            self.ada.do("hang_up")
            self.over(carrier)
        edge, servers = self.trunk.edge_address, (self.trunk.carrier_address, self.trunk.second_address)
        streams = [each for to in servers for each in g711.streams(sniffer.datagrams, edge, to)]
        found = [{who for who, hertz in VOICES.items() if g711.is_heard(each, hertz)} for each in streams]
        self.assertEqual(sorted(map(sorted, found)), [["ada"], ["ben"]])
        self.assertEqual(self.ben.do("ended")["why"], "hangup")


class EndTests(SafenumCase):
    def test_busy(self) -> None:
        """The other side is: it has cost nothing, and nothing stays held."""
        before = self.ada.do("balance")
        carrier = self.trunk.answers("out_refused", code="486", reason="Busy Here")
        self.dial(self.ada)
        self.assertEqual(self.ada.do("ended"), {"why": "busy", "sip": 486, "seconds": 0, "amount": 0})
        self.over(carrier)
        until(lambda: self.ada.do("balance") == before)

    def test_refused_by_the_carrier(self) -> None:
        """4xx: each has a reason that people understand."""
        for code, reason, why in (
            ("404", "Not Found", "unallocated"),
            ("403", "Forbidden", "refused"),
            ("480", "Temporarily Unavailable", "no_answer"),
        ):
            carrier = self.trunk.answers("out_refused", code=code, reason=reason)
            self.dial(self.ada)
            ended = self.ada.do("ended")
            self.assertEqual((ended["why"], ended["sip"], ended["amount"]), (why, int(code), 0))
            self.over(carrier)

    def test_carrier_in_trouble(self) -> None:
        """5xx, of all servers that it has: that none takes it is said as 500 (RFC 3261, section 16.7)."""
        servers = [
            self.trunk.answers("out_refused", at=at, code="503", reason="Service Unavailable")
            for at in (self.trunk.carrier_address, self.trunk.second_address)
        ]
        self.dial(self.ada)
        ended = self.ada.do("ended")
        self.assertEqual((ended["why"], ended["sip"], ended["amount"]), ("unreachable", 500, 0))
        self.over(*servers)

    def test_in_a_call(self) -> None:
        """Who calls somebody that is in a call hears that it is busy."""
        carrier = self.trunk.answers()
        self.dial(self.ada)
        self.assertEqual(self.ada.do("reached", "active"), "active")
        number, other = self.world.numbers["ada"], self.trunk.second_address
        caller = self.trunk.call_in(number, scenario="in_refused", at=other)
        self.over(caller)
        self.assertTrue(caller.received("SIP/2.0 486"))
        self.ada.do("hang_up")
        self.over(carrier)

    def test_caller_hangs_up_first(self) -> None:
        """Before anybody answers: it rings no more, and was missed."""
        missed = len(self.ada.do("missed"))
        caller = self.rung(self.ada, scenario="in_cancelled", seconds=1.0)
        self.assertEqual(self.ada.do("ended")["why"], "hangup")
        self.over(caller)
        until(lambda: len(self.ada.do("missed")) > missed)
        self.assertEqual(self.ada.do("missed")[0], WORLD)

    def test_called_hangs_up_first(self) -> None:
        """The carrier ends a call that it has answered."""
        carrier = self.trunk.answers("out_hangs_up", seconds=2.0)
        self.dial(self.ada)
        ended = self.ada.do("ended")
        self.assertEqual((ended["why"], ended["sip"]), ("hangup", 200))
        self.assertGreater(ended["amount"], 0)
        self.over(carrier)

    def test_declined(self) -> None:
        """The caller is told so."""
        caller = self.rung(self.ada, scenario="in_refused")
        self.ada.do("decline")
        self.assertEqual(self.ada.do("ended")["why"], "declined")
        self.over(caller)
        self.assertTrue(caller.received("SIP/2.0 603"))

    def test_given_up(self) -> None:
        """Who calls does not wait for an answer: the carrier is told."""
        carrier = self.trunk.answers("out_unanswered")
        self.dial(self.ada)
        self.assertEqual(self.ada.do("reached", "ringing"), "ringing")
        self.ada.do("hang_up")
        self.over(carrier)
        self.assertEqual(self.ada.do("ended")["why"], "hangup")


class KeyTests(SafenumCase):
    def test_both_ways(self) -> None:
        """Keys are pressed by the app and by the carrier, and arrive as what they are."""
        carrier = self.trunk.answers("out_keys", seconds=1.0)
        self.dial(self.ada)
        self.assertEqual(self.ada.do("reached", "active"), "active")
        self.ada.do("press", "12#")
        self.ada.do("pressed", "7")
        self.over(carrier)
        keys = [line for line in carrier.messages().splitlines() if line.startswith("Signal=")]
        self.assertEqual(keys[:3], ["Signal=1", "Signal=2", "Signal=#"])


class CaptureTests(SafenumCase):
    def test_nothing_of_the_account(self) -> None:
        """A capture of the trunk has no account, name or address of an app in it, whoever calls."""
        carrier = self.trunk.answers()
        with self.trunk.sniffer() as sniffer:
            self.dial(self.ada)
            self.ada.do("reached", "active")
            self.ada.do("hears", CARRIER_TONE)
            self.ada.do("hang_up")
            self.over(carrier)
            caller = self.rung(self.ben, seconds=1.0)
            self.ben.do("answer")
            self.over(caller)
            self.ben.do("ended")
        octets = b"\n".join(each.octets for each in sniffer.datagrams if each.rtp is None)
        self.assertIn(self.world.numbers["ada"].encode(), octets)
        for canary in self.canaries():
            self.assertNotIn(canary.encode(), octets, canary)

    def canaries(self) -> list[str]:
        """What the carrier must not learn."""
        found = [self.trunk.app_address, self.trunk.app]
        for person in (self.ada, self.ben):
            name, _, node = person.account.removeprefix("@").partition(":")
            found += [name, f"{person.login}@{node}", f'"{person.login}"', f":{person.login}@"]
        return found
