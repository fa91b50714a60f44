"""How many connections are taken: in total, and from one address."""

from dataclasses import dataclass

from safeum_home.limits import network
from safeum_home.protocol import MAX_FRAME


@dataclass(frozen=True, slots=True)
class EdgeLimits:
    """What a connection may use of the node. Times in seconds, sizes in octets."""

    connections: int = 20_000
    connections_per_address: int = 100
    head: int = 8 * 1024
    """The request line and header fields of an HTTP request."""
    head_timeout: float = 10.0
    """From accepting the connection (TLS handshake included), or from a later request's first octet."""
    body: int = 4 * 1024
    """Of an HTTP request; it is held in memory."""
    body_rate: int = 4 * 1024
    """Octets per second that a request body must keep up with, after `head_timeout` of grace."""
    body_stall: float = 30.0
    """For how long at most nothing of a body may come, however quickly the rest of it came."""
    read_stall: float = 120.0
    """For how long a client may take nothing of a file that is being sent to it."""
    idle_timeout: float = 30.0
    """Between two requests on a connection that is kept alive."""
    close_timeout: float = 5.0
    """For the peer to take part in closing; then the connection is cut."""
    frame: int = MAX_FRAME
    """A WebSocket message, in one frame or in several."""
    fragments: int = 256
    """Frames that one WebSocket message may come in."""
    ping_interval: float = 60.0
    ping_timeout: float = 20.0


class ConnectionLimits:
    """Counts open connections, in total and for each address (an IPv6 /64 is one)."""

    def __init__(self, total: int, per_address: int) -> None:
        self._limit = total
        self._per_address = per_address
        self._open: dict[str, int] = {}
        self.total = 0

    def admit(self, host: str) -> bool:
        """Count a connection from `host`; False where it is one too many, and then it is not counted."""
        key = network(host)
        count = self._open.get(key, 0)
        if self.total >= self._limit or count >= self._per_address:
            return False
        self._open[key] = count + 1
        self.total += 1
        return True

    def change(self, total: int, per_address: int) -> None:
        """Admit more or fewer from now on; those that are open stay."""
        self._limit, self._per_address = total, per_address

    def held_back(self) -> int:
        """How many addresses have as many connections as they may."""
        return sum(count >= self._per_address for count in self._open.values())

    def release(self, host: str) -> None:
        """A connection that was admitted has ended."""
        key = network(host)
        self.total -= 1
        if self._open[key] == 1:
            del self._open[key]
        else:
            self._open[key] -= 1
