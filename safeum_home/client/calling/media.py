"""What carries sound and pictures between two devices: a port, so that calls can be without any."""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, NamedTuple, Protocol

from twisted.internet.defer import Deferred


class Flow(Enum):
    """How it is with the way between two devices."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    FAILED = "failed"
    """There is none, or none any more: it may be tried anew."""
    CLOSED = "closed"
    """The other has closed it."""


class Relay(NamedTuple):
    """A relay (TURN) and what it takes one for. `urls` as in RFC 7065."""

    urls: Sequence[str]
    username: str
    password: str

    def __repr__(self) -> str:
        return f"Relay({list(self.urls)!r})"


class MediaLink(Protocol):
    """The way to one other device: DTLS-SRTP over ICE (RFC 8827). It is closed once and for all.

    Descriptions are SDP with all candidates in them that are known (JSEP, RFC 8829); their octets are what
    is signed and sealed, so that the fingerprints in them are.
    """

    def offer(self) -> "Deferred[str]":
        """A description to begin with."""

    def answer(self, offer: str) -> "Deferred[str]":
        """The description that answers another's; raises `ValueError` where that is none."""

    def answered(self, answer: str) -> "Deferred[None]":
        """The other has answered; raises `ValueError`."""

    def candidate(self, line: str) -> "Deferred[None]":
        """The other can be reached there, too (an SDP candidate line); raises `ValueError`."""

    def send(self, *, audio: bool, video: bool) -> None:
        """What of this side is sent from now on: else silence, and black. Harmless after `close`."""

    def close(self) -> "Deferred[None]":
        """Nothing is told of the link any more."""


class OnFlow(Protocol):
    """Is told how it is with a link."""

    def __call__(self, flow: Flow, /) -> None: ...


class MediaSource(Protocol):
    """Makes links. `session.Client` is handed one, with whatever it plays and records."""

    def link(
        self,
        relays: Sequence[Relay],
        *,
        video: bool,
        relay_only: bool,
        on_flow: OnFlow,
        on_candidate: Callable[[str], Any],
    ) -> MediaLink:
        """A link that is to be offered or answered; raises `NoMedia`.

        `video`: there may be pictures. `relay_only`: the other does not learn one's address.
        `on_candidate` is called with each address of this side that was not in its description.
        """
