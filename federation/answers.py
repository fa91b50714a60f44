"""What nodes answer to transactions, as far as it makes sense."""

import msgspec

from safeum_home.ports.outbox import Batch, Refused
from safeum_home.protocol.federation.transactions import received_in
from safeum_home.protocol.frames import ProblemDetails

SENSELESS = "the answer makes no sense"
PAUSE = 300.0
"""Seconds for which a node that answers so is left alone."""
_problem = msgspec.json.Decoder(ProblemDetails)


class Failed(Exception):
    """A try came to nothing; `reason` quotes at most the code that another node gave."""

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


def refused_in(body: bytes, batch: Batch) -> list[Refused]:
    """What was set aside of a transaction; raises `Failed` for an answer that is none to this one."""
    received = received_in(body)
    if received is None or received.received != batch.number:
        raise Failed(SENSELESS, PAUSE)
    found = {each.index: Refused(*msgspec.structs.astuple(each)) for each in received.refused}
    if any(place >= len(batch.rows) for place in found):
        raise Failed(SENSELESS, PAUSE)
    return list(found.values())


def code_in(body: bytes) -> str:
    """The code of a problem document; "" where there is none."""
    try:
        code = _problem.decode(body).code
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return ""
    return code if len(code) <= 64 and code.isascii() and code.replace("_", "").isalnum() else ""


def seconds_in(retry_after: str | None) -> float:
    """RFC 9110, section 10.2.3, as seconds; a date counts as nothing."""
    text = (retry_after or "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0.0
