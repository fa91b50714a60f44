"""Media links without media: two of them are connected where the network that they are on lets them."""

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed

from safeum_home.client.calling.media import Flow, OnFlow, Relay


class FakeNetwork:
    """Connects links by what their descriptions say. While `blocked` nothing new is connected."""

    def __init__(self) -> None:
        self.links: list[FakeLink] = []
        self.blocked = False

    @property
    def open(self) -> list["FakeLink"]:
        """Those that are connected."""
        return [link for link in self.links if link.flow is Flow.CONNECTED]

    def describe(self, link: "FakeLink", kind: str) -> str:
        fingerprint = ":".join(f"{octet:02X}" for octet in self.links.index(link).to_bytes(32, "big"))
        return f"v=0\r\no=- {kind} IN IP4 0.0.0.0\r\na=fingerprint:sha-256 {fingerprint}\r\n"

    def found(self, sdp: str) -> "FakeLink":
        """The link that a description is of; raises `ValueError`."""
        digits = sdp.partition("sha-256 ")[2].strip().replace(":", "")
        number = int(digits or "none", 16)
        if number >= len(self.links):
            raise ValueError("nobody has this fingerprint")
        return self.links[number]

    def join(self, one: "FakeLink", other: "FakeLink") -> None:
        """Both have the other's description."""
        if one.closed or other.closed or self.blocked:
            return
        one.peer, other.peer = other, one
        for link in (one, other):
            link.set(Flow.CONNECTED)

    def cut(self) -> None:
        """No media gets through any more on what is there."""
        for link in self.open:
            link.set(Flow.FAILED)


class FakeLink:
    """`media.MediaLink`."""

    def __init__(
        self, network: FakeNetwork, relays: Sequence[Relay], options: dict[str, Any], on_flow: OnFlow
    ) -> None:
        self._network = network
        self._on_flow = on_flow
        self.relays = relays
        self.options = options
        self.flow = Flow.CONNECTING
        self.closed = False
        self.peer: FakeLink | None = None
        self.sends = (True, True)
        self.candidates: list[str] = []
        network.links.append(self)

    def set(self, flow: Flow) -> None:
        if not self.closed:
            self.flow = flow
            self._on_flow(flow)

    def offer(self) -> "Deferred[str]":
        return succeed(self._network.describe(self, "offer"))

    def answer(self, offer: str) -> "Deferred[str]":
        try:
            self.peer = self._network.found(offer)
        except ValueError as error:
            return fail(error)
        return succeed(self._network.describe(self, "answer"))

    def answered(self, answer: str) -> "Deferred[None]":
        try:
            other = self._network.found(answer)
        except ValueError as error:
            return fail(error)
        if other.peer is self:
            self._network.join(self, other)
        return succeed(None)

    def candidate(self, line: str) -> "Deferred[None]":
        self.candidates.append(line)
        return succeed(None)

    def send(self, *, audio: bool, video: bool) -> None:
        self.sends = audio, video

    def close(self) -> "Deferred[None]":
        peer, self.peer = self.peer, None
        was, self.flow, self.closed = self.flow, Flow.CLOSED, True
        if was is Flow.CONNECTED and peer is not None and not self._network.blocked:
            peer.set(Flow.CLOSED)
        return succeed(None)


class FakeSource:
    """`media.MediaSource`; `links` are those that it has made."""

    def __init__(self, network: FakeNetwork) -> None:
        self._network = network
        self.links: list[FakeLink] = []
        self.on_candidates: list[Callable[[str], Any]] = []

    def link(
        self,
        relays: Sequence[Relay],
        *,
        video: bool,
        relay_only: bool,
        on_flow: OnFlow,
        on_candidate: Callable[[str], Any],
    ) -> FakeLink:
        options = {"video": video, "relay_only": relay_only}
        self.links.append(FakeLink(self._network, relays, options, on_flow))
        self.on_candidates.append(on_candidate)
        return self.links[-1]
