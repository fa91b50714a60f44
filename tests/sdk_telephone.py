"""A telephone of the SDK in front of a node in memory that says what a test wants, without sound."""

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed

from safeum_home.client.calling.call_state import CallState
from safeum_home.client.calling.media import Flow, OnFlow, Relay
from safeum_home.client.telephony.call import TelephoneCall, TelephoneCallChanged
from safeum_home.client.telephony.incoming import IncomingTelephoneCall
from safeum_home.client.telephony.outgoing import OutgoingTelephoneCall
from safeum_home.protocol.telephone_events import TelephoneIncoming
from tests.calls_media import FakeLink, FakeNetwork
from tests.client_desk import DeskTestCase

CALLING, RINGING, CONNECTING = CallState.CALLING, CallState.RINGING, CallState.CONNECTING
ACTIVE, ENDED = CallState.ACTIVE, CallState.ENDED
NUMBER = "+493012345678"
CALLER = "+4917012345678"
CLI = "+3544900001"
OFFER = "v=0\r\no=- offer of the bridge\r\n"
ANSWER = "v=0\r\no=- answer of the bridge\r\n"
ID = "c" * 22


class BridgeLink(FakeLink):
    """A link to a bridge, which is connected once both descriptions are there. `broken`: it has none."""

    broken = False

    def offer(self) -> "Deferred[str]":
        return fail(ValueError("no address")) if self.broken else super().offer()

    def answer(self, offer: str) -> "Deferred[str]":
        assert offer == OFFER
        return self.offer().addCallback(self._connected)

    def answered(self, answer: str) -> "Deferred[None]":
        if answer != ANSWER:
            return fail(ValueError("no description of the bridge"))
        self.set(Flow.CONNECTED)
        return succeed(None)

    def _connected(self, sdp: str) -> str:
        self.set(Flow.CONNECTED)
        return sdp


class FakeTelephoneSource:
    """`media.TelephoneSource`; `links` are those that it has made."""

    def __init__(self) -> None:
        self._network = FakeNetwork()
        self.links: list[BridgeLink] = []
        self.broken = False

    def telephone_link(self, relays: Sequence[Relay], *, relay_only: bool, on_flow: OnFlow) -> BridgeLink:
        link = BridgeLink(self._network, relays, {"relay_only": relay_only}, on_flow)
        link.broken = self.broken
        self.links.append(link)
        return link


class TelephoneCase(DeskTestCase):
    """Ada has a SafeNUM, and a telephone."""

    relay_only = False

    def setUp(self) -> None:
        super().setUp()
        self.source = FakeTelephoneSource()
        self.relay: dict[str, Any] = {"urls": [], "username": "", "password": "", "until": 0}
        self.open: list[dict[str, Any]] = []
        answers = {
            "turn.credentials": lambda params: self.relay,
            "telephone.dial": lambda params: {"cli": CLI, "seconds": 60},
            "telephone.answer": lambda params: {},
            "telephone.decline": lambda params: {},
            "telephone.hangup": lambda params: {},
            "telephone.dtmf": lambda params: {},
            "telephone.list": lambda params: {"calls": self.open},
        }
        self.wire.answers |= answers
        self.node.answers |= answers
        self.client = self.node.client
        self.telephone = self.client.take_telephone(self.source, relay_only=self.relay_only)
        self.rang: list[IncomingTelephoneCall] = []
        self.telephone.on_call(self.rang.append)
        self.changes: list[tuple[CallState, TelephoneCall]] = []
        self.client.listen(self._heard)
        self.addCleanup(self._all_closed)

    def _all_closed(self) -> None:
        self.client.close()
        self.assertEqual([link for link in self.source.links if not link.closed], [])
        self.assertEqual(self.telephone.calls, [])

    def _heard(self, event: Any) -> None:
        if isinstance(event, TelephoneCallChanged):
            self.changes.append((event.call.state, event.call))

    def result(self, awaitable: Any) -> Any:
        return self.successResultOf(awaitable)

    def dialling(self) -> Any:
        """The Deferred of a call that goes out."""
        return self.telephone.dial(NUMBER)

    def dial(self) -> OutgoingTelephoneCall:
        """A call that goes out: it has been dialled."""
        call: OutgoingTelephoneCall = self.result(self.dialling())
        return call

    def ring(self, caller: str | None = CALLER, call: str = ID, seconds: float = 30.0) -> None:
        """Somebody calls Ada's SafeNUM."""
        event = TelephoneIncoming(call, OFFER, seconds)
        self.wire.event(event if caller is None else TelephoneIncoming(call, OFFER, seconds, caller))

    def states(self) -> list[CallState]:
        """Those that were told since this was asked last, without repetitions."""
        found: list[CallState] = []
        for state, _ in self.changes:
            if found[-1:] != [state]:
                found.append(state)
        self.changes.clear()
        return found

    def come_back(self) -> None:
        """The connection is cut, and there is another one."""
        self.wire.drop()
        self.client.retry()
        self.wire = self.node.wires[-1]
