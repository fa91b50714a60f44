"""What comes out of the sockets towards providers, octet by octet, and what it is when it is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from h2.settings import SettingCodes
from treq.testing import RequestTraversalAgent
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IProtocol
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.web.resource import Resource

from safeum_home.outgoing.http import Answer, HttpLimits, Outgoing
from safeum_home.outgoing.places import Place
from tests.http2_case import Peer, Peers


@dataclass(frozen=True)
class Sent:
    """One request."""

    provider: str
    raw: bytes
    """As it came out of the socket, below TLS."""
    method: str
    target: str
    fields: Mapping[str, str]
    """Header fields, their names in small letters."""
    body: bytes


class _Stream(ProtocolWrapper):
    def __init__(self, factory: Any, wrapped: IProtocol) -> None:
        super().__init__(factory, wrapped)
        self._came = bytearray()
        factory.streams.append(self._came)

    def dataReceived(self, data: bytes) -> None:
        self._came += data
        super().dataReceived(data)


class _Recording(WrappingFactory):
    noisy = False
    protocol = _Stream

    def __init__(self, wrapped: Any, streams: list[bytearray]) -> None:
        super().__init__(wrapped)
        self.streams = streams


class Wire:
    """The ways out to the doubles of providers, on which everything is kept."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._streams: dict[str, list[bytearray]] = {}
        self._http2: dict[str, RecordingPeers] = {}

    def http(self, provider: str, base: str, root: Resource) -> Any:
        """The way to a provider at one address."""
        agent: Any = RequestTraversalAgent(root)
        streams = self._streams.setdefault(provider, [])
        agent._serverFactory = _Recording(agent._serverFactory, streams)
        return _Way(self._clock, base, agent, HttpLimits())

    def places(self, provider: str, roots: Mapping[Place, Resource]) -> Any:
        """The way to the hosts that clients name."""
        ways = {place: self.http(provider, "https://place.invalid", root) for place, root in roots.items()}
        return _Places(ways)

    def peers(self, provider: str, answer: bytes = b"") -> "RecordingPeers":
        """Where a client for HTTP/2 connects to; everything is answered with 200, and so."""
        self._http2[provider] = RecordingPeers(provider, answer)
        return self._http2[provider]

    def flush(self) -> None:
        """What was said over HTTP/2 arrives."""
        for peers in self._http2.values():
            peers.flush()

    @property
    def sent(self) -> list[Sent]:
        """Every request that was made, those of each provider in their order."""
        found = [
            _read(provider, bytes(came)) for provider, streams in self._streams.items() for came in streams
        ]
        peers = [peer for each in self._http2.values() for peer in each.recording]
        return found + [each for peer in peers for each in peer.sent]

    @property
    def octets(self) -> dict[str, list[bytes]]:
        """All that came out of the sockets, by provider."""
        found = {provider: [bytes(each) for each in came] for provider, came in self._streams.items()}
        for provider, peers in self._http2.items():
            found[provider] = [bytes(peer.came) for peer in peers.recording]
        return found


class _Way(Outgoing):
    def close(self) -> "Deferred[None]":
        self.stop()
        return succeed(None)


class _Places:
    def __init__(self, ways: Mapping[Place, Any]) -> None:
        self._ways = ways

    def request(
        self, place: Place, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> "Deferred[Answer]":
        asked: Deferred[Answer] = self._ways[place].request(
            method, path, {**headers, "Host": place.authority}, body
        )
        return asked

    def close(self) -> "Deferred[None]":
        return succeed(None)


def _read(provider: str, raw: bytes) -> Sent:
    """A request of HTTP/1.1 (RFC 9112), with nothing before and nothing after it."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, version = first.split(" ")
    pairs = [line.split(": ", 1) for line in lines]
    fields = {name.lower(): value for name, value in pairs}
    assert version == "HTTP/1.1" and len(fields) == len(pairs), "a field that is there twice"
    assert int(fields["content-length"]) == len(body), "not one request"
    return Sent(provider, raw, method, target, fields, body)


class RecordingPeer(Peer):
    """Keeps what it reads, and takes everything."""

    def __init__(self, settings: dict[SettingCodes | int, int], provider: str, answer: bytes) -> None:
        super().__init__(settings)
        self._provider = provider
        self._answer = answer
        self.came = bytearray()
        self.sent: list[Sent] = []

    def dataReceived(self, data: bytes) -> None:
        self.came += data
        super().dataReceived(data)
        while len(self.sent) < len(self.whole):
            stream = self.whole[len(self.sent)]
            fields = next(fields for number, fields in self.asked if number == stream)
            special = {name: value for name, value in fields.items() if name.startswith(":")}
            assert set(special) == {":method", ":path", ":scheme", ":authority"}
            plain = {name: value for name, value in fields.items() if name not in special}
            plain["host"] = special[":authority"]
            body = self.bodies.get(stream, b"")
            # HPACK writes in a way of its own: what it says is looked at too.
            said = "\r\n".join(f"{name}: {value}" for name, value in fields.items())
            raw = said.encode("latin-1") + b"\r\n\r\n" + body
            if body:
                self.h2.acknowledge_received_data(len(body), stream)
            self.sent.append(Sent(self._provider, raw, special[":method"], special[":path"], plain, body))
            self.answer(stream, 200, self._answer)


class RecordingPeers(Peers):
    """Its peers are of that kind."""

    def __init__(self, provider: str, answer: bytes) -> None:
        super().__init__()
        self._about = (provider, answer)
        self.recording: list[RecordingPeer] = []

    def peer(self) -> Peer:
        self.recording.append(RecordingPeer(self.settings, *self._about))
        return self.recording[-1]
