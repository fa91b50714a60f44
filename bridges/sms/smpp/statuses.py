"""What a command_status (SMPP 3.4, table 5-2) means for a message."""

from bridges.sms.smpp.pdus import Status
from safeum_home.ports.sms import Outcome, Permanent, Temporary

_MEANINGS: dict[int, Outcome] = {
    Status.THROTTLED: Temporary("throttled", retry_after=1.0),
    Status.QUEUE_FULL: Temporary("queue full", retry_after=5.0),
    Status.SYSTEM_ERROR: Temporary("system error"),
    Status.SUBMIT_FAILED: Temporary("submit failed"),
    Status.TEMPORARY_ERROR: Temporary("temporary error"),
    Status.DELIVERY_FAILED: Temporary("delivery failed"),
    Status.INVALID_DESTINATION: Permanent("invalid destination", number_refused=True),
    Status.BIND_FAILED: Permanent("the account is refused", account_refused=True),
    Status.INVALID_PASSWORD: Permanent("the account is refused", account_refused=True),
    Status.INVALID_SYSTEM_ID: Permanent("the account is refused", account_refused=True),
}
_RESERVED_BY_VENDORS = range(0x400, 0x500)


def outcome_of(status: int) -> Outcome:
    """The outcome of a request that was answered with `status`, which is not `OK`."""
    found = _MEANINGS.get(status)
    if found is not None:
        return found
    reason = f"status 0x{status:08x}"
    # Those say that something about the request is wrong; what vendors made up says nothing for sure.
    return Temporary(reason) if status in _RESERVED_BY_VENDORS else Permanent(reason)
