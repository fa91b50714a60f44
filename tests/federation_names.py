"""DNS that says what a test wants."""

from collections import defaultdict
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.names import dns
from twisted.names.error import DNSNameError, DNSServerError


class ScriptedDns:
    """Answers for names; the last answer to a question is repeated. An exception is what it fails with."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], list[Any]] = defaultdict(list)
        self.asked: list[tuple[str, str]] = []
        self.held: list[tuple[Deferred[Any], Deferred[Any]]] | None = None
        """Set to a list, it collects answers in place of giving them."""

    def say(self, name: str, *addresses: str) -> None:
        """The next answer for the addresses of a name."""
        six = [dns.Record_AAAA(each, 60) for each in addresses if ":" in each]
        four = [dns.Record_A(each, 60) for each in addresses if ":" not in each]
        self.answers["AAAA", name].append([dns.RRHeader(name, dns.AAAA, payload=each) for each in six])
        self.answers["A", name].append([dns.RRHeader(name, dns.A, payload=each) for each in four])

    def serve(self, name: str, *records: tuple[int, int, int, str]) -> None:
        """The next answer for a service: priority, weight, port and target."""
        found = [dns.RRHeader(name, dns.SRV, payload=dns.Record_SRV(*each[:3], each[3])) for each in records]
        self.answers["SRV", name].append(found)

    def broken(self, kind: str, name: str) -> None:
        """The next answer is a failure of the server's."""
        self.answers[kind, name].append(DNSServerError("broken"))

    def lookupAddress(self, name: str, timeout: Any = None) -> "Deferred[Any]":
        return self._answer("A", name)

    def lookupIPV6Address(self, name: str, timeout: Any = None) -> "Deferred[Any]":
        return self._answer("AAAA", name)

    def lookupService(self, name: str, timeout: Any = None) -> "Deferred[Any]":
        return self._answer("SRV", name)

    def _answer(self, kind: str, name: str) -> "Deferred[Any]":
        self.asked.append((kind, name))
        said = self.answers[kind, name]
        answer = said.pop(0) if len(said) > 1 else said[0] if said else DNSNameError("no such name")
        if isinstance(answer, Exception):
            return fail(answer)
        given: Deferred[Any] = succeed((answer, [], []))
        if self.held is None:
            return given
        later: Deferred[Any] = Deferred()
        self.held.append((later, given))
        return later
