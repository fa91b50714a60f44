"""Names become addresses: asked once, bounded, checked; what is connected to is what was checked.

DNS is not trusted. Whatever it says, the certificate has to be right for the name; it is the addresses that
the operator's own networks are guarded against.
"""

from collections.abc import Iterable
from ipaddress import ip_address
from random import Random, SystemRandom
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError, maybeDeferred
from twisted.internet.interfaces import IResolver
from twisted.names import dns
from twisted.names.error import DNSNameError, DomainError
from twisted.python.failure import Failure

from safeum_home.outgoing.addresses import Addresses
from safeum_home.outgoing.answers import NoAnswer
from safeum_home.outgoing.hosts import host_and_port, is_address

UNKNOWN_NAME = "the name is not known"
NOT_ALLOWED = "the address is not allowed"
NO_SERVICE = "there is no such service"
TOO_MANY_NAMES = "too many names are being looked up"

MOST_ADDRESSES = 8
"""Of one place. What DNS says beyond it is passed over."""
MOST_TARGETS = 4
"""Of one service."""
MOST_QUESTIONS = 512
"""Questions to DNS at once."""
TIMES = (1, 1, 2)
"""Seconds after which a question is put again, and at last given up."""
PATIENCE = 0.25
"""Seconds that an IPv6 address may come later than an IPv4 address."""

Target = tuple[str, int]


class Names:
    """Asks DNS."""

    def __init__(
        self, reactor: Any, resolver: IResolver, addresses: Addresses, random: Random | None = None
    ) -> None:
        self._reactor = reactor
        self._resolver = resolver
        self._addresses = addresses
        self._random = random or SystemRandom()
        self._questions = 0

    async def addresses(self, targets: Iterable[Target]) -> list[Target]:
        """Addresses, with ports, that may be connected to, in the order of `targets`; IPv6 and IPv4 by turns.

        Fails with `NoAnswer`.
        """
        found = [(address, port) for host, port in targets for address in await self._of(host)]
        if not found:
            raise NoAnswer(UNKNOWN_NAME, handed_over=False)
        allowed = [each for each in dict.fromkeys(found) if self._addresses.allows(each[0])]
        if not allowed:
            raise NoAnswer(NOT_ALLOWED, handed_over=False)
        return allowed[:MOST_ADDRESSES]

    async def service(self, name: str) -> tuple[Target, ...]:
        """The targets of a service (SRV, RFC 2782), in the order of their priorities and by their weights.

        Empty where there is none. Fails with `NoAnswer` where it is said that the service is not offered,
        and where nothing can be found out.
        """
        records = [each for each in await self._ask("lookupService", name) if each.type == dns.SRV]
        if len(records) == 1 and not records[0].payload.target.name.strip(b"."):
            raise NoAnswer(NO_SERVICE, handed_over=False)
        ordered = sorted(
            (each.payload for each in records[: 4 * MOST_TARGETS]),
            key=lambda one: (one.priority, self._random.random() ** (1 / (one.weight or 0.01)) * -1),
        )
        targets = [(_host(one.target.name), one.port) for one in ordered]
        return tuple((host, port) for host, port in targets if host and port)[:MOST_TARGETS]

    async def _of(self, host: str) -> list[str]:
        if is_address(host):
            return [host]
        if self._questions + 2 > MOST_QUESTIONS:
            raise NoAnswer(TOO_MANY_NAMES, handed_over=False)
        asked = Deferred.fromCoroutine(self._records(host, "lookupIPV6Address", dns.AAAA))
        four = await self._records(host, "lookupAddress", dns.A)
        if four:
            # RFC 8305 section 3: what is known is not held up for long by what may never come.
            asked.addTimeout(PATIENCE, self._reactor)
        try:
            six = await asked
        except TimeoutError:
            six = []
        by_turns = [each for pair in zip(six, four, strict=False) for each in pair]
        return by_turns + six[len(four) :] + four[len(six) :]

    async def _records(self, host: str, method: str, kind: int) -> list[str]:
        try:
            records = await self._ask(method, host)
        except NoAnswer:
            # One kind of address is enough, and many networks do not know of the other.
            return []
        found = [each.payload.dottedQuad() for each in records if each.type == kind == dns.A]
        found += [_ipv6(each.payload.address) for each in records if each.type == kind == dns.AAAA]
        return found[:MOST_ADDRESSES]

    def _ask(self, method: str, name: str) -> "Deferred[list[Any]]":
        """The records that answer; none where there is no such name. Giving up leaves the question alone:
        others may have put the same one, and it ends in a few seconds.
        """
        answer: Deferred[list[Any]] = Deferred()
        if self._questions >= MOST_QUESTIONS:
            answer.errback(NoAnswer(TOO_MANY_NAMES, handed_over=False))
            return answer
        self._questions += 1

        def ended(result: Any) -> None:
            self._questions -= 1
            if isinstance(result, Failure):
                # DomainError is what the file of hosts says of names that it does not have.
                if result.check(DNSNameError) or result.type is DomainError:
                    answer.callback([])
                else:
                    answer.errback(NoAnswer(UNKNOWN_NAME, handed_over=False))
            else:
                answer.callback(list(result[0]))

        maybeDeferred(getattr(self._resolver, method), name, TIMES).addBoth(ended)
        return answer


def _host(name: bytes) -> str | None:
    """The host that DNS names; None for what cannot be the name of one."""
    try:
        return host_and_port(name.decode("ascii").rstrip(".").lower())[0]
    except ValueError:
        return None


def _ipv6(octets: bytes) -> str:
    return str(ip_address(octets))
