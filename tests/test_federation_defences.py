"""Each test of a hostile peer notices when what it tests is gone: the defence is taken out, and the test fails.

One line for each class of vulnerabilities that servers of this sort have had.
"""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from federation import inbound, receiving
from federation.event_verifier import EventVerifier
from federation.policy import Policy
from federation.replay import NonceWindow
from federation.signatures import SignedRequest
from federation.verifier import RequestVerifier
from safeum_home.limits import RateLimit
from safeum_home.node.federation import NodeFederation
from safeum_home.ports.outbox import Reached
from safeum_home.protocol.federation import canonical, events, keys
from safeum_home.protocol.federation.canonical import Canonical
from safeum_home.protocol.federation.transactions import events_in
from tests.without import Defence, Whatever, check, nothing, yes

HOSTILE = "tests.test_federation_hostile."
INBOUND = "tests.test_federation_inbound."
NET = "tests.test_federation_client."
ENDLESS = 10**9


async def _without_numbers(
    self: Any, origin: str, stream: bytes, number: int, body: bytes, digest: bytes
) -> Any:
    """`Receiver._received` that takes whatever number comes."""
    verified = await self._events.verified(events_in(body), origin)
    reached = await self._apply(origin, verified, Reached(stream, number - 1, 0, digest, ()))
    return receiving._answer(reached)


async def _failing(kind: Any, origin: str, event: Any) -> Any:
    """`receiving._applied` that does not expect that a kind may fail."""
    return await kind.apply(origin, event)


async def _stored_or_not(self: Any, origin: str, run: Any, before: Any, is_last: bool) -> Any:
    """`Receiver._store` that does not expect that a commit may fail."""
    return await self._commit(origin, run, before, is_last)


def _anybody(verifier: RequestVerifier) -> Any:
    """What the head of a request says, believed as it is."""
    return verifier


def _for_anybody(self: Any, node: str, *more: Any) -> None:
    _verifier(self, Whatever(node), *more)


_verifier = RequestVerifier.__init__
_loose = Canonical(events.Event)
_loose._decoder = __import__("msgspec").json.Decoder(events.Event)


class _Exact(Canonical[Any]):
    """Reads what is there, in whatever form."""

    def decode(self, octets: bytes, most: int) -> Any:
        return self._decoder.decode(octets)


def _served_more(self: Any) -> Any:
    return {**self._resources, "/_safeum/federation/v2": Resource()}


DEFENCES: dict[str, tuple[str, tuple[Defence, ...]]] = {
    "events of other senders (CVE-2018-16515)": (
        HOSTILE + "EventTests.test_not_its_sender",
        (Defence(events, "node_of", Whatever),),
    ),
    "events of other nodes": (
        HOSTILE + "EventTests.test_passed_on",
        (Defence(EventVerifier, "_allowed", lambda _self, event, *_: event),),
    ),
    "signatures of events": (
        INBOUND + "HeadTests.test_whose_events",
        (Defence(events, "is_signed", yes),),
    ),
    "signatures of requests, at every endpoint (CVE-2019-18835)": (
        HOSTILE + "EndpointTests.test_unsigned",
        (Defence(SignedRequest, "verify", nothing),),
    ),
    "an endpoint that nobody has thought of (CVE-2019-18835)": (
        HOSTILE + "EndpointTests.test_all_known",
        (Defence(NodeFederation, "resources", property(_served_more)),),
    ),
    "requests to other nodes": (
        INBOUND + "HeadTests.test_before_the_body",
        (Defence(RequestVerifier, "__init__", _for_anybody),),
    ),
    "who may come": (INBOUND + "HeadTests.test_before_the_body", (Defence(Policy, "check", nothing),)),
    "requests of long ago": (
        INBOUND + "HeadTests.test_before_the_body",
        (Defence(NonceWindow, "check_time", nothing),),
    ),
    "requests that were recorded": (
        INBOUND + "HeadTests.test_twice",
        (Defence(NonceWindow, "take", nothing),),
    ),
    "bodies that were changed": (
        INBOUND + "HeadTests.test_twice",
        (Defence(SignedRequest, "check_body", nothing),),
    ),
    "integers out of range (CVE-2025-30355)": (
        HOSTILE + "EventTests.test_numbers",
        (Defence(canonical, "MAX_INTEGER", 10**500),),
    ),
    "floats (CVE-2020-26890)": (
        HOSTILE + "EventTests.test_no_numbers",
        (Defence(events, "_canonical", _Exact(events.Event)), Defence(canonical, "_no_floats", float)),
    ),
    "two readings of the same octets": (
        HOSTILE + "EventTests.test_two_readings",
        (Defence(events, "_canonical", _Exact(events.Event)),),
    ),
    "depth": (HOSTILE + "EventTests.test_deep", (Defence(canonical, "_check", nothing),)),
    "one poison event (CVE-2023-32323)": (
        HOSTILE + "EventTests.test_poison",
        (Defence(receiving, "_applied", _failing),),
    ),
    "one that cannot be stored (CVE-2025-61672)": (
        HOSTILE + "EventTests.test_poison_in_the_database",
        (Defence(receiving.Receiver, "_store", _stored_or_not),),
    ),
    "numbers that go back": (
        INBOUND + "SequenceTests.test_rewound",
        (Defence(receiving.Receiver, "_received", _without_numbers),),
    ),
    "numbers that are left out": (
        INBOUND + "SequenceTests.test_gap",
        (Defence(receiving.Receiver, "_received", _without_numbers),),
    ),
    "documents of keys that nobody has signed": (
        HOSTILE + "KeyTests.test_documents",
        (Defence(keys, "is_signed", yes),),
    ),
    "keys that are asked for again and again": (
        HOSTILE + "KeyTests.test_fetched_seldom",
        (Defence(RateLimit, "take", nothing),),
    ),
    "floods of a node": (HOSTILE + "FloodTests.test_requests", (Defence(RateLimit, "take", nothing),)),
    "floods of an address": (
        INBOUND + "AddressTests.test_of_an_address",
        (Defence(RateLimit, "take", nothing),),
    ),
    "endless bodies, received (CVE-2021-21274)": (
        INBOUND + "HeadTests.test_too_large",
        (Defence(inbound, "MOST_OCTETS", ENDLESS), Defence(inbound, "LONGEST_QUESTION", ENDLESS)),
    ),
    "bodies that do not come": (
        "tests.test_federation_kept_out.KeptOutTests.test_by_slow_bodies",
        (Defence(inbound, "OF_A_NODE", ENDLESS),),
    ),
    "heads whose keys do not come": (
        "tests.test_federation_kept_out.KeptOutTests.test_by_a_stranger",
        (Defence(inbound, "OF_AN_ADDRESS", ENDLESS),),
    ),
}


def _of(name: str) -> Any:
    test, defences = DEFENCES[name]

    def notices(self: "DefenceTests") -> None:
        check(self, test, *defences)

    notices.__doc__ = f"Without it the test of {name} fails."
    return notices


class DefenceTests(SynchronousTestCase):
    """A method for each of `DEFENCES`."""


for _number, _name in enumerate(DEFENCES):
    setattr(DefenceTests, f"test_{_number:02}", _of(_name))
