"""Which relay is asked for a way, of those that the node names: nobody else ever is."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from aiortc import RTCIceServer
from aiortc.rtcicetransport import parse_stun_turn_uri

from safeum_home.client.calling.media import Relay

MOST = 64
"""Of those that did not answer: then all are asked again."""


class Servers:
    """Remembers who did not answer, so that nobody waits for them again."""

    def __init__(self) -> None:
        self._silent: set[str] = set()

    def of(self, relays: Sequence[Relay], stun: bool) -> list[RTCIceServer]:
        """One relay: the first that has answered, or was not asked yet.

        With `stun` it is also asked what one's own address is: that is what makes direct ways through a NAT.
        """
        known = [(url, relay) for relay in relays for url in relay.urls if _is_relay(url)]
        if not known:
            return []
        asked = [(url, relay) for url, relay in known if url not in self._silent]
        if not asked:
            self._silent -= {url for url, _ in known}
        url, relay = (asked or known)[0]
        found = [RTCIceServer(url, relay.username, relay.password)]
        where = parse_stun_turn_uri(url)
        own = f"stun:{where['host']}:{where['port']}"
        if stun and where["transport"] == "udp" and own not in self._silent:
            found.append(RTCIceServer(own))
        return found

    def found(self, asked: Sequence[RTCIceServer], kinds: AbstractSet[str]) -> None:
        """What has come of it: the kinds of candidates (RFC 8839) that were gathered."""
        if len(self._silent) >= MOST:
            self._silent.clear()
        for server in asked:
            url = str(server.urls)
            if ("srflx" if url.startswith("stun:") else "relay") not in kinds:
                self._silent.add(url)


def _is_relay(url: str) -> bool:
    if not url.startswith(("turn:", "turns:")):
        return False
    try:
        where = parse_stun_turn_uri(url)
    except ValueError:
        return False
    return (where["scheme"], where["transport"]) in (("turn", "udp"), ("turn", "tcp"), ("turns", "tcp"))
