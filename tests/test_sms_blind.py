"""Providers of text messages learn a number and a code, and nothing else of anybody."""

import re
from collections.abc import Callable
from functools import cache
from random import Random
from struct import pack, unpack
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.trial.unittest import SynchronousTestCase

from bridges.sms.kannel import Kannel, KannelSettings
from bridges.sms.smpp import Smpp
from bridges.sms.twilio import Twilio, TwilioSettings
from bridges.sms.vonage import Vonage, VonageSettings
from safeum_home.ports.sms import Accepted, Outcome, SmsContext
from tests.blind_people import Somebody, enter
from tests.blind_search import Secrets
from tests.blind_wire import Wire
from tests.doubles.sms import KannelDouble, TwilioDouble, VonageDouble
from tests.sms_case import Reports
from tests.world import World

PEOPLE = 150
SECRETS = {
    "twilio": TwilioDouble.TOKEN.encode(),
    "vonage": VonageDouble.SECRET.encode(),
    "kannel": KannelDouble.PASSWORD.encode(),
    "smpp": b"password",
}
Send = Callable[[str, str], "Deferred[Outcome]"]
BIND_ANSWER, SUBMIT_ANSWER = 0x80000009, 0x80000004


class Smsc(StringTransport):
    """The other end of SMPP: takes everything."""

    def __init__(self, reactor: MemoryReactorClock) -> None:
        super().__init__()
        links: Any = reactor.tcpClients[-1][2]
        self._link = links.buildProtocol(IPv4Address("TCP", "127.0.0.1", 2775))
        self._link.makeConnection(self)
        self.take(BIND_ANSWER)

    def take(self, command: int) -> bytes:
        """What came since the last time, one PDU, which is answered."""
        came: bytes = self.value()
        self.clear()
        (length, _, _, sequence) = unpack("!4I", came[:16])
        assert length == len(came), "not one PDU"
        name = b"m1\0"
        self._link.dataReceived(pack("!4I", 16 + len(name), command, 0, sequence) + name)
        return came


@cache
def crowd() -> tuple[World, list[Somebody], Secrets]:
    """A node where they all proved their numbers, and all that is theirs."""
    world, secrets, random = World(), Secrets(), Random(21)
    people = [Somebody(random) for _ in range(PEOPLE)]
    for somebody in people:
        client = enter(world, somebody)
        client.call("profile.set", profile={"display_name": somebody.name})
        for secret in (*somebody.secrets, client.account, client.device, client.token):
            secrets.add(secret)
    return world, people, secrets


class BlindTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world, self.people, self.secrets = crowd()
        self.wire = Wire(self.world.clock)

    def context(self, name: str, reactor: Any = None) -> SmsContext:
        url = f"https://home.example/v1/sms/{name}"
        return SmsContext(name, reactor or self.world.clock, lambda _: SECRETS[name], url, Reports())

    def way(self, name: str, url: str, root: Any) -> Any:
        return self.wire.http(name, url, root)

    def twilio(self) -> Send:
        settings = TwilioSettings(account=TwilioDouble.ACCOUNT, key="secret:twilio", sender="+15005550006")
        way = self.way("twilio", settings.url, TwilioDouble())
        return Twilio(self.context("twilio"), settings, way).send

    def vonage(self) -> Send:
        settings = VonageSettings(account=VonageDouble.ACCOUNT, key="secret:vonage", sender="SafeUM")
        way = self.way("vonage", settings.url, VonageDouble())
        return Vonage(self.context("vonage"), settings, way).send

    def kannel(self) -> Send:
        url = "http://127.0.0.1:13013/cgi-bin/sendsms"
        settings = KannelSettings(url=url, user=KannelDouble.USER, key="secret:kannel", sender="SafeUM")
        way = self.way("kannel", settings.url, KannelDouble())
        return Kannel(self.context("kannel"), settings, way).send

    def hands_over(self, send: Send, number: str, text: str) -> None:
        outcome = self.successResultOf(send(number, text))
        self.assertIsInstance(outcome, Accepted)

    def only_its_number(self, number: str, octets: bytes) -> None:
        """Of all that is anybody's only the number that the message is for is there."""
        found = self.secrets.found(octets) | self.secrets.found(octets.replace(b"\0", b""))
        self.assertEqual(found - {number[1:].encode()}, set())

    def test_texts(self) -> None:
        """All are the same, but for six digits."""
        self.assertEqual(len(self.world.texts.sent), PEOPLE)
        self.assertGreater(len(self.secrets), 1000)
        self.assertEqual(len({re.sub(r"\d{6}", "", text) for _, text, _ in self.world.texts.sent}), 1)
        for number, text, _ in self.world.texts.sent:
            self.only_its_number(number, text.encode())

    def test_it_would_be_noticed(self) -> None:
        """Whatever else of anybody is in a message, and another's number too."""
        first, second = self.people[:2]
        self.only_its_number(first.number, first.number.encode())
        for hidden in (first.name, first.text, first.host, second.number, second.name):
            for octets in (hidden.encode(), hidden.encode().hex().encode(), hidden.encode("utf-16-be")):
                with self.assertRaises(self.failureException):
                    self.only_its_number(first.number, b"Text=" + octets)

    def test_over_http(self) -> None:
        """Twilio, Vonage and Kannel."""
        for make in (self.twilio, self.vonage, self.kannel):
            send = make()
            for number, text, _ in self.world.texts.sent:
                self.hands_over(send, number, text)
        streams = self.wire.octets
        self.assertEqual({name: len(each) for name, each in streams.items()}, dict.fromkeys(streams, PEOPLE))
        self.assertEqual(set(streams), {"twilio", "vonage", "kannel"})
        for each in streams.values():
            for (number, _, _), octets in zip(self.world.texts.sent, each, strict=True):
                self.only_its_number(number, octets)

    def test_over_smpp(self) -> None:
        """In short messages, in GSM's alphabet or in UCS2."""
        for only_ucs2 in (False, True):
            reactor = MemoryReactorClock()
            reactor.advance(self.world.clock.seconds())
            settings = {"endpoint": "tcp:127.0.0.1:2775", "system_id": "home", "password": "secret:smpp"}
            provider = Smpp(self.context("smpp", reactor), settings | {"only_ucs2": only_ucs2})
            smsc = Smsc(reactor)
            for number, text, _ in self.world.texts.sent:
                sending = provider.send(number, text)
                self.only_its_number(number, smsc.take(SUBMIT_ANSWER))
                self.assertIsInstance(self.successResultOf(sending), Accepted)
