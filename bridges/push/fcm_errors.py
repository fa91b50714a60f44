"""What FCM's answers mean (https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode).

An error is a `google.rpc.Status` whose details may have an `FcmError` with FCM's own code. Whoever hands in a
token decides what FCM says of it: only what no token can bring about is held against the node's account.
"""

from typing import Any

import msgspec
from msgspec import Struct, field

from safeum_home.ports.push import Gone, Outcome, Refused, Temporary

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
QUOTA_FAILURE = "type.googleapis.com/google.rpc.QuotaFailure"
LEAST_REST = 60.0
"""Seconds to leave FCM alone where a quota is used up and it does not say for how long."""


class _Detail(Struct):
    kind: str = field(name="@type", default="")
    errorCode: str = ""  # as FCM writes it
    fieldViolations: list[dict[str, Any]] = field(default_factory=list)
    violations: list[dict[str, Any]] = field(default_factory=list)


class _Status(Struct):
    status: str = ""
    details: list[_Detail] = field(default_factory=list)


class _Error(Struct):
    error: _Status = field(default_factory=_Status)


_NOTHING = _Status()


def outcome_of_error(status: int, body: bytes, wait: float | None, proven: bool) -> Outcome:
    """What an answer other than 2xx means; `wait` is what `Retry-After` asks for, in seconds.

    `proven`: FCM has taken a request of the same form already.
    """
    error = _read(body)
    code = _code(error)
    if status == 429 or code == "QUOTA_EXCEEDED":
        alone = _is_of_device(error)
        reason = "FCM takes no more for this device now" if alone else "FCM's quota is used up"
        return Temporary(reason, LEAST_REST if wait is None else wait, alone)
    if status >= 500 or code in ("UNAVAILABLE", "INTERNAL"):
        return Temporary("FCM is in trouble", wait)
    if status == 408:
        return Temporary("FCM gave up waiting for the request", wait)
    if code == "UNREGISTERED":
        return Gone("FCM does not know the token any more")
    if code == "INVALID_ARGUMENT" and _is_of_token(error):
        # If it were what the requests have in common, all devices would be forgotten for it.
        return Gone(IS_NONE) if proven else Refused(IS_NONE)
    if code in _OF_THE_ADDRESS:
        return Refused(_OF_THE_ADDRESS[code])
    if status in _OF_THE_ACCOUNT:
        return Refused(_OF_THE_ACCOUNT[status], account_refused=True)
    if status < 400:
        return Refused("FCM is somewhere else: its URL is wrong", account_refused=True)
    return Refused("FCM knows neither project nor token" if status == 404 else "FCM refuses the request")


IS_NONE = "FCM says that this is no token"
_OF_THE_ADDRESS = {
    "SENDER_ID_MISMATCH": "FCM says that the token is of another project",
    "THIRD_PARTY_AUTH_ERROR": "FCM has no key of the project for this device's own push service",
}
_OF_THE_ACCOUNT = {
    401: "FCM refuses the access token",
    403: "FCM does not let the service account send: its role, or the API of the project, is missing",
}


def is_token_refused(status: int, body: bytes) -> bool:
    """Whether it is the access token that is refused: 401 is also said where a device's own service is."""
    return status == 401 and _code(_read(body)) != "THIRD_PARTY_AUTH_ERROR"


def _code(error: _Status) -> str:
    return next((each.errorCode for each in error.details if each.kind == FCM_ERROR), "")


def _read(body: bytes) -> _Status:
    try:
        return msgspec.json.decode(body, type=_Error).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _NOTHING


def _is_of_token(error: _Status) -> bool:
    """FCM says so. Where it names no field at all it may be what all requests have in common."""
    violations = [one for each in error.details if each.kind == BAD_REQUEST for one in each.fieldViolations]
    return bool(violations) and all(one.get("field") == "message.token" for one in violations)


def _is_of_device(error: _Status) -> bool:
    violations = [one for each in error.details if each.kind == QUOTA_FAILURE for one in each.violations]
    words = " ".join(str(one.get(key, "")) for one in violations for key in ("subject", "description"))
    return "device" in words.lower() or "token:" in words.lower()
