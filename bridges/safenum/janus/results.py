"""What the SIP plugin tells of a call, as its machine takes it."""

from bridges.safenum.janus.call import Call
from bridges.safenum.janus.dtmf import pressed
from bridges.safenum.janus.messages import Result
from bridges.safenum.janus.sdp import is_readable
from safeum_home.ports.carrier import CarrierEnd


def tell(call: Call, result: Result, sdp: str | None) -> None:
    """Tell a call of it; `sdp` is the description that came with it."""
    machine = call.machine
    if sdp is not None and not is_readable(sdp):
        machine.unusable()
        return
    match result.event:
        case "ringing" | "progress":
            machine.progress(sdp)
        case "accepted":
            machine.accepted(sdp)
        case "hangup":
            machine.ended(end_of(result))
        case "info":
            if digits := pressed(result.type, result.content):
                machine.keys(digits)


def end_of(result: Result) -> CarrierEnd:
    """How the other side has ended a call."""
    cause = result.reason_header_cause if result.reason_header_protocol.upper() == "Q.850" else ""
    known = int(cause) if cause.isascii() and cause.isdigit() and len(cause) <= 3 else 0
    return CarrierEnd(result.code if 200 <= result.code <= 699 else 0, known if known <= 127 else 0)
