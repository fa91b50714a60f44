"""What APNs' answers mean: the status, and the `reason` of the JSON document that comes with it.

See https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns.
Whoever hands in a token decides what APNs says of it: only what no token can bring about is held against
the node's account.
"""

import msgspec
from msgspec import Struct

from safeum_home.ports.push import Gone, Outcome, Refused, Temporary

TOKEN_REFUSED = frozenset({"ExpiredProviderToken", "InvalidProviderToken"})
"""Another provider token may be taken."""
OF_NO_USE = frozenset({"BadDeviceToken", "DeviceTokenNotForTopic"})
"""The address is none of this application's; or the settings name another one, or the other environment."""

_NOT_WELL_FORMED = Refused("APNs does not take requests as this bridge makes them")
_CERTIFICATE = Refused("APNs refuses the certificate", account_refused=True)
_KEY = Refused("APNs refuses the key: key_id, team_id or key is wrong", account_refused=True)
_TOPIC = Refused("APNs does not let this key wake devices of the topic", account_refused=True)
_ELSEWHERE = Refused("APNs is somewhere else: its URL is wrong", account_refused=True)

REASONS: dict[str, Outcome] = {
    "BadCollapseId": _NOT_WELL_FORMED,
    "BadDeviceToken": Gone("APNs says that this is no token, or not one of this environment"),
    "BadExpirationDate": _NOT_WELL_FORMED,
    "BadMessageId": _NOT_WELL_FORMED,
    "BadPriority": _NOT_WELL_FORMED,
    "BadTopic": _TOPIC,
    "DeviceTokenNotForTopic": Gone("APNs says that the token is of another application"),
    "DuplicateHeaders": _NOT_WELL_FORMED,
    "IdleTimeout": Temporary("APNs gave up waiting for the request"),
    "InvalidPushType": _NOT_WELL_FORMED,
    "MissingDeviceToken": _NOT_WELL_FORMED,
    "MissingTopic": _NOT_WELL_FORMED,
    "PayloadEmpty": _NOT_WELL_FORMED,
    "TopicDisallowed": _TOPIC,
    "BadCertificate": _CERTIFICATE,
    "BadCertificateEnvironment": _CERTIFICATE,
    "BadEnvironmentKeyIdInToken": Refused("the key is for APNs' other environment", account_refused=True),
    "ExpiredProviderToken": Refused(
        "APNs says that the provider token is too old: this machine's clock is wrong", account_refused=True
    ),
    "Forbidden": Refused("APNs does not allow it"),
    "InvalidProviderToken": _KEY,
    "MissingProviderToken": _KEY,
    "UnrelatedKeyIdInToken": _KEY,
    "BadPath": _ELSEWHERE,
    "MethodNotAllowed": _ELSEWHERE,
    "ExpiredToken": Gone("APNs says that the token has expired"),
    "Unregistered": Gone("APNs says that the application is not there any more"),
    "PayloadTooLarge": _NOT_WELL_FORMED,
    "TooManyProviderTokenUpdates": Temporary("APNs has been given too many provider tokens"),
    "TooManyRequests": Temporary("APNs takes no more for this device now", address_alone=True),
    "InternalServerError": Temporary("APNs is in trouble"),
    "ServiceUnavailable": Temporary("APNs is in trouble"),
    "Shutdown": Temporary("APNs is shutting down"),
}
"""By Apple's names."""

STATUSES: dict[int, Outcome] = {
    403: _KEY,
    404: _ELSEWHERE,
    405: _ELSEWHERE,
    410: REASONS["Unregistered"],
    429: REASONS["TooManyRequests"],
}
"""Where the reason is none of these, or cannot be read."""


class _Error(Struct):
    reason: str = ""


def reason_of(body: bytes) -> str:
    """Apple's name for what is wrong; "" where there is none."""
    try:
        return msgspec.json.decode(body, type=_Error).reason
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""


def outcome_of(status: int, reason: str, wait: float | None) -> Outcome:
    """What an answer other than 200 means; `wait` is what `Retry-After` asks for, in seconds."""
    outcome = REASONS.get(reason) or STATUSES.get(status) or _of_status(status)
    if isinstance(outcome, Temporary) and wait is not None:
        return Temporary(outcome.reason, wait, outcome.address_alone)
    return outcome


def _of_status(status: int) -> Outcome:
    if status >= 500:
        return REASONS["InternalServerError"]
    return _ELSEWHERE if status < 400 else _NOT_WELL_FORMED
