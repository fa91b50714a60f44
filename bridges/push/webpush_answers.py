"""What a push service's answers mean (RFC 8030, sections 5 to 7; RFC 8292, section 4.2; UnifiedPush).

It speaks for the one subscription that was asked for, never for the provider: that is all push services.
"""

from collections.abc import Mapping

from bridges.answers import retry_after
from safeum_home.outgoing.http import Answer
from safeum_home.ports.push import Accepted, Gone, Outcome, Refused, Temporary

ENDED = frozenset({404, 410})
KEY_REFUSED = frozenset({401, 403})
LATER: Mapping[int, str] = {
    406: "the push service asks for fewer requests",
    408: "the push service gave up waiting for the request",
    425: "the push service asks for the request later",
    429: "the push service asks for fewer requests",
    507: "the push service has no room for this subscription",
}
"""Those that are not for good, besides 5xx. 406 is that of Windows' push service, 507 that of ntfy's."""
REFUSALS: Mapping[int, str] = {
    400: "the push service does not understand the request",
    401: "the push service refuses the key",
    402: "the push service wants to be paid",
    403: "the push service refuses the key",
    405: "this is no endpoint of a push service",
    413: "the push service takes no message of this size",
}
FAILURE = "the push service has a failure"
ELSEWHERE = "the push service is somewhere else: redirects are not followed"
REFUSED = "the push service refuses the message"


def outcome_of(answer: Answer, now: float) -> Outcome:
    """`now` is in seconds since 1970. The body is not read."""
    status = answer.status
    if 200 <= status < 300:
        return Accepted()
    if status in ENDED:
        return Gone("the subscription has ended")
    if status in LATER or status >= 500:
        reason = LATER.get(status, FAILURE)
        return Temporary(reason, retry_after(answer.retry_after, now), address_alone=True)
    return Refused(ELSEWHERE if status < 400 else REFUSALS.get(status, REFUSED))
