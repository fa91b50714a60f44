"""What requests to one host may use."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Http2Limits:
    """Times in seconds, sizes in octets."""

    seconds: float = 10.0
    """From asking to the last octet of the answer, with waiting and connecting."""
    answer: int = 64 * 1024
    """Header fields and body."""
    at_once: int = 1000
    """Streams that are open at once, where the peer allows as many."""
    waiting: int = 1000
    """Requests beyond them that wait; a further one is refused."""
    tries: int = 3
    """How often a request that was certainly not processed is asked again."""
    quiet: float = 4.0
    """A peer that says nothing for so long while it is asked something gets a PING, and is as long for it."""
    kept_seconds: float = 900.0
    """For how long a connection is kept that nothing is asked on."""
