"""Tests of hostile peers notice when what they test is gone: the defence is taken out, and they fail.

One line for each class of vulnerabilities that servers of this sort have had.
"""

from typing import Any

import msgspec
from treq.client import HTTPClient
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from federation import inbound, receiving
from federation.committing import Committing
from federation.event_verifier import EventVerifier
from federation.policy import Policy
from federation.replay import NonceWindow
from federation.signatures import SignedRequest
from federation.verifier import RequestVerifier
from safeum_home import ids
from safeum_home.accounts.foreign_finding import ForeignFinder
from safeum_home.chats.across.arrivals import Arrivals
from safeum_home.chats.across.groups.authors import Authors
from safeum_home.errors import Code, Problem
from safeum_home.gateway import edge as first_request
from safeum_home.gateway import limits as edge
from safeum_home.limits import RateLimit
from safeum_home.node.federation import NodeFederation
from safeum_home.outgoing import addresses, answers, http
from safeum_home.outgoing.addresses import Addresses
from safeum_home.ports.outbox import Reached
from safeum_home.protocol.federation import canonical, events, keys
from safeum_home.protocol.federation.canonical import Canonical
from safeum_home.protocol.federation.questions import FoundAccount
from safeum_home.protocol.federation.transactions import events_in
from tests import test_client_file_names
from tests.hostile_peer import HostileCase
from tests.without import Defence, Whatever, check, nothing, run, without, yes

HOSTILE = "tests.test_federation_hostile."
INBOUND = "tests.test_federation_inbound."
NET = "tests.test_outgoing_client."
ENDLESS = 10**9


async def _without_numbers(
    self: Any, origin: str, stream: bytes, number: int, body: bytes, digest: bytes
) -> Any:
    """`Receiver._received` that takes whatever number comes."""
    verified = await self._events.verified(events_in(body), origin)
    reached = await self._apply(origin, verified, Reached(stream, number - 1, 0, digest, ()))
    return receiving._answer(reached)


_applied = receiving._applied


async def _failing(kind: Any, origin: str, event: Any) -> Any:
    """`receiving._applied` that does not expect that a kind may fail."""
    return await kind.apply(origin, event)


async def _talkative(kind: Any, origin: str, event: Any) -> Any:
    """`receiving._applied` that writes down what comes."""
    receiving._log.info("{event}", event=event)
    return await _applied(kind, origin, event)


async def _stored_or_not(self: Any, origin: str, run: Any, before: Any, is_last: bool) -> Any:
    """`Committing.store` that does not expect that a commit may fail."""
    return await self._commit(origin, run, before, is_last)


def _for_anybody(self: Any, node: str, *more: Any) -> None:
    _verifier(self, Whatever(node), *more)


_verifier = RequestVerifier.__init__


class _Exact(Canonical[Any]):
    """Reads what is there, in whatever form."""

    def __init__(self, of: type[Any]) -> None:
        self._decoder = msgspec.json.Decoder(of)

    def decode(self, octets: bytes, most: int) -> Any:
        return self._decoder.decode(octets)


def _served_more(self: Any) -> Any:
    return {**self._resources, "/_safeum/federation/v2": Resource()}


class _Following(HTTPClient):
    """Goes wherever it is sent."""

    def request(self, *arguments: Any, **named: Any) -> Any:
        return super().request(*arguments, **{**named, "allow_redirects": True})


async def _any_chat(self: Any, _node: str, event: Any) -> Any:
    """`Arrivals.chat` without a question."""
    return await self._registry.load(event.chat)


async def _believed(_self: Any, _origin: str, _chat: str, plain: Any) -> Any:
    """`Authors._verified` that takes a hub's word."""
    return msgspec.convert(plain, events.Event)


async def _tells_more(self: Any, node: str, question: Any) -> Any:
    """`ForeignFinder.answer` that says why not."""
    login = ids.username(question.login)
    if (found := await self._directory.by_username(login)) is None:
        raise Problem(Code.NOT_FOUND)
    return FoundAccount(found.account)


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
        (Defence(events, "_canonical", _Exact(events.Event)),),
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
        (Defence(Committing, "store", _stored_or_not),),
    ),
    "what is said, in logs (synapse#3327)": (
        HOSTILE + "LogTests.test_nothing",
        (Defence(receiving, "_applied", _talkative),),
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


DEFENCES |= {
    "addresses inside, in any way of writing them (CVE-2021-21392)": (
        NET + "WhereTests.test_inside",
        (Defence(Addresses, "allows", yes),),
    ),
    "names that lead inside the second time (CVE-2021-21392)": (
        NET + "WhereTests.test_rebinding",
        (Defence(Addresses, "allows", yes),),
    ),
    "delegation that leads inside (CVE-2021-21392)": (
        "tests.test_federation_destinations.DelegationTests.test_delegated_inside",
        (Defence(Addresses, "allows", yes),),
    ),
    "transitional IPv6": (
        "tests.test_outgoing_addresses.ExceptionTests.test_inside",
        (Defence(addresses, "embedded", lambda _address: ()),),
    ),
    "redirects (CVE-2021-21392)": (
        NET + "BoundTests.test_redirect",
        (Defence(http, "HTTPClient", _Following),),
    ),
    "endless answers (CVE-2022-41952)": (
        "tests.test_outgoing_http.OutgoingTests.test_sizes",
        (Defence(http, "read_body", lambda response, _most: answers.read_body(response, ENDLESS)),),
    ),
    "compressed answers": (
        "tests.test_outgoing_http.OutgoingTests.test_nothing_is_unpacked",
        (Defence(http, "_Plain", lambda agent: agent),),
    ),
    "slow heads (CVE-2026-43506)": (
        "tests.test_gateway_edge.FirstRequestTests.test_dripping_head_is_closed",
        (Defence(first_request.FirstRequest, "_too_late", nothing),),
    ),
    "connections of an address": (
        "tests.test_gateway_edge.LimitTests.test_per_address_and_total",
        (Defence(edge.ConnectionLimits, "admit", yes),),
    ),
    "paths instead of ids (CVE-2021-41281)": (
        HOSTILE + "PathTests.test_ids",
        (Defence(inbound, "decode", lambda octets, _kind: msgspec.json.decode(octets)),),
    ),
    "names of files (CVE-2021-41281)": (
        "tests.test_client_file_names.NameTests.test_nasty",
        (Defence(test_client_file_names, "storable", lambda name: name),),
    ),
    "accounts that are told apart (CVE-2023-43796)": (
        HOSTILE + "PathTests.test_nobody_alike",
        (Defence(ForeignFinder, "answer", _tells_more),),
    ),
    "messages of other nodes' accounts": (
        "tests.test_chats_across_hostile.SenderTests.test_another_node",
        (Defence(Arrivals, "chat", _any_chat),),
    ),
    "messages of authors, passed on by a hub": (
        "tests.test_posts_hostile.HubTests.test_made_up",
        (Defence(Authors, "_verified", _believed),),
    ),
    "messages of authors, changed by a hub": (
        "tests.test_posts_hostile.HubTests.test_changed",
        (Defence(Authors, "_verified", _believed),),
    ),
    "copies that a hub has erased all the time": (
        "tests.test_groups_across_floods.LifeTests.test_lives",
        (Defence(RateLimit, "take", nothing),),
    ),
    "floods of an account": (
        "tests.test_chats_across_hostile.FloodTests.test_messages_and_reactions",
        (Defence(RateLimit, "take", nothing),),
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


class WithoutTests(SynchronousTestCase):
    """The table's own means."""

    def test_unnoticed(self) -> None:
        """A test that does not notice is found, and so is one that only breaks, or is not there."""
        harmless = Defence(inbound, "LONGEST_QUESTION", inbound.LONGEST_QUESTION)
        breaks = Defence(RequestVerifier, "head", None)
        for test, defence in (
            (HOSTILE + "EventTests.test_its_own", harmless),
            (HOSTILE + "EventTests.test_passed_on", Defence(HostileCase, "event", None)),
            (HOSTILE + "EventTests.test_nothing", breaks),
        ):
            self.assertRaises(AssertionError, check, self, test, defence)

    def test_put_back(self) -> None:
        """Afterwards the defence is there again."""
        before = SignedRequest.verify
        with without(Defence(SignedRequest, "verify", nothing)):
            self.assertIs(SignedRequest.verify, nothing)
        self.assertIs(SignedRequest.verify, before)
        self.assertTrue(run(INBOUND + "HeadTests.test_before_the_body").wasSuccessful())
