"""Where a node is served, for its name: delegated by its own web server, or by DNS, or nowhere else.

1. A name with a port is taken as it is, and so is an address.
2. `https://NAME/.well-known/safeum/node` says `{"server": "HOST"}` or `{"server": "HOST:PORT"}`: there, with
   a certificate for HOST. HOST is taken as it is: a delegation is never followed to another one.
3. SRV records of `_safeum-node._tcp.NAME`: there, with a certificate for NAME, since DNS proves nothing.
4. NAME, port 443.

What was found is kept as long as its web server says (`Cache-Control: max-age`), from 1 to 48 hours. Where it
could not be asked the rest of the list is used, for five minutes at first and an hour at most.
"""

import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import msgspec
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from safeum_home.outgoing.answers import TOO_MANY, NoAnswer
from safeum_home.outgoing.client import Client
from safeum_home.outgoing.hosts import host_and_port, is_address
from safeum_home.outgoing.http import Answer
from safeum_home.outgoing.places import HTTPS, Place
from safeum_home.outgoing.resolving import NO_SERVICE, Names
from safeum_home.protocol.http import NODE_DISCOVERY_PATH, NodeDiscovery

SERVICE = "_safeum-node._tcp."
LONGEST_DOCUMENT = 16 * 1024
SHORTEST_KEPT, LONGEST_KEPT = 3600.0, 48 * 3600.0
RETRY, LONGEST_RETRY = 300.0, 3600.0
MOST_KEPT = 10_000
"""Nodes whose places are kept."""
MOST_WAITING = 1024
"""Questions that wait for an answer, to all nodes together."""
SECONDS = 10.0
"""For a node's web server to answer."""

_MAX_AGE = re.compile(r"(?:\A|,)\s*max-age=\"?([0-9]{1,9})\"?\s*(?:,|\Z)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a node."""

    place: Place | None
    """None where there is no such node: DNS says so, or it has no name that DNS could know."""
    at: float
    until: float
    failures: int = 0
    """How often in a row its web server could not be asked."""
    sure: float | None = None
    """When it was last asked with success."""


class Discovery:
    """Finds nodes, and keeps what was found."""

    def __init__(self, reactor: Any, client: Client, names: Names) -> None:
        self._reactor = reactor
        self._client = client
        self._names = names
        self._found: OrderedDict[str, Found] = OrderedDict()
        self._waiting: dict[str, list[Deferred[Place]]] = {}
        self._questions = 0

    def find(self, node: str, reserved: bool = False) -> "Deferred[Place]":
        """Where `node` (as `ids.node_name` writes it) is served; fails with `NoAnswer`.

        `reserved` is as in `Client.request`.
        """
        wanted: Deferred[Place] = Deferred()
        known = self._found.get(node)
        if known is not None and self._reactor.seconds() < known.until:
            self._found.move_to_end(node)
            _tell(wanted, known.place)
            return wanted
        if self._questions >= MOST_WAITING:
            wanted.errback(NoAnswer(TOO_MANY, handed_over=False))
            return wanted
        self._questions += 1
        if node in self._waiting:
            self._waiting[node].append(wanted)
        else:
            self._waiting[node] = [wanted]
            # Nobody who waits can end it for the others; it ends by the limits of what it asks.
            Deferred.fromCoroutine(self._look(node, reserved)).addBoth(self._looked, node)
        return wanted

    def doubt(self, node: str) -> None:
        """`node` cannot be reached where it was found: it is looked for again, five minutes later at best."""
        if (known := self._found.get(node)) is not None:
            until = min(known.until, max(known.at + RETRY, self._reactor.seconds()))
            self._found[node] = Found(known.place, known.at, until, known.failures, known.sure)

    async def _look(self, node: str, reserved: bool) -> Found:
        now = self._reactor.seconds
        try:
            host, port = host_and_port(node)
        except ValueError:
            return Found(None, now(), now() + LONGEST_KEPT)
        if port is not None or is_address(host):
            return Found(Place(host, port or HTTPS), now(), now() + LONGEST_KEPT)
        before = self._found.get(node)
        answer = await self._ask(host, reserved)
        if answer is None or answer.status == 429 or answer.status >= 500:
            return await self._not_asked(node, before)
        place = _delegated(answer) or await self._by_dns(node)
        return Found(place, now(), now() + _kept(answer), sure=now())

    async def _ask(self, host: str, reserved: bool) -> Answer | None:
        fields = {"Accept": "application/json"}
        asked = self._client.request(
            Place(host), "GET", NODE_DISCOVERY_PATH, fields, most=LONGEST_DOCUMENT, reserved=reserved
        )
        try:
            return await asked.addTimeout(SECONDS, self._reactor)
        except NoAnswer as error:
            if error.reason == TOO_MANY:
                raise  # nobody was asked: nothing was found out that could be kept
            return None

    async def _not_asked(self, node: str, before: Found | None) -> Found:
        """Its web server cannot say: what it last said counts, as long as it may count at all."""
        now = self._reactor.seconds()
        failures = before.failures + 1 if before is not None else 1
        until = now + min(RETRY * 2 ** min(failures - 1, 10), LONGEST_RETRY)
        sure = before.sure if before is not None else None
        if before is not None and sure is not None and now < sure + LONGEST_KEPT:
            return Found(before.place, now, until, failures, sure)
        return Found(await self._by_dns(node), now, until, failures)

    async def _by_dns(self, node: str) -> Place | None:
        try:
            return Place(node, services=await self._names.service(SERVICE + node))
        except NoAnswer as error:
            return None if error.reason == NO_SERVICE else Place(node)

    def _looked(self, result: Any, node: str) -> None:
        if isinstance(result, Found):
            self._found[node] = result
            self._found.move_to_end(node)
            while len(self._found) > MOST_KEPT:
                self._found.popitem(last=False)
        error = result.value if isinstance(result, Failure) else None
        too_many = isinstance(error, NoAnswer) and error.reason == TOO_MANY
        for wanted in self._waiting.pop(node):
            self._questions -= 1
            if too_many:
                wanted.errback(NoAnswer(TOO_MANY, handed_over=False))
            else:
                _tell(wanted, result.place if isinstance(result, Found) else None)


def _tell(wanted: "Deferred[Place]", place: Place | None) -> None:
    if place is not None:
        wanted.callback(place)
    else:
        wanted.errback(NoAnswer(NO_SERVICE, handed_over=False))


def _delegated(answer: Answer) -> Place | None:
    """None where the answer delegates to nobody: most of the web has a page for every path."""
    if answer.status != 200:
        return None
    try:
        host, port = host_and_port(msgspec.json.decode(answer.body, type=NodeDiscovery).server)
    except (msgspec.DecodeError, ValueError):
        return None
    return Place(host, HTTPS if port is None else port)


def _kept(answer: Answer) -> float:
    """For how many seconds an answer may be kept."""
    said = _MAX_AGE.search(answer.cache_control or "")
    return min(max(float(said[1]) if said else 0.0, SHORTEST_KEPT), LONGEST_KEPT)
