"""What WNS's answers mean. What it says in words is not read, but for one status that means two things."""

from safeum_home.outgoing.http import Answer
from safeum_home.ports.push import Accepted, Gone, Outcome, Refused, Temporary


def outcome_of(answer: Answer, wait: float | None) -> Outcome:
    """`wait` is what `Retry-After` asks for, in seconds. Each host has troubles of its own."""
    status = answer.status
    if status == 200:
        return _taken(answer, wait)
    if status in (404, 410):
        if _is_blocked(answer):
            return Refused("WNS has blocked this node", account_refused=True)
        return Gone("WNS does not know the channel" if status == 404 else "the channel has expired")
    if status in (406, 429):
        return Temporary("WNS asks for fewer requests", wait)
    if status == 408 or status >= 500:
        return Temporary("WNS is in trouble there", wait, address_alone=True)
    if status == 401:
        return Refused("WNS refuses the access token", account_refused=True)
    if status < 400:
        return Refused("WNS's answer is not understood")
    return Refused(_REFUSALS.get(status, "WNS refuses the request"))


_REFUSALS = {
    400: "WNS refuses a header field of the request",
    # Whoever hands in the channel of another application would bring it about: it is not the account's.
    403: "the channel is not of the application that the node asks as",
    405: "WNS refuses the request's method",
    413: "WNS says that the payload is too long",
}


def _taken(answer: Answer, wait: float | None) -> Outcome:
    """An answer of success says in its fields what it is worth."""
    status = _word(answer, "X-WNS-Status")
    if status == "channelthrottled":
        return Temporary("WNS takes no more for this device now", wait, address_alone=True)
    if status == "dropped":
        if _word(answer, "X-WNS-DeviceConnectionStatus") in _AWAY:
            return Temporary("the device is away, and WNS has kept nothing for it", wait, address_alone=True)
        return Refused("the device does not take it")
    return Accepted()


_AWAY = ("disconnected", "tempdisconnected", "tempconnected")


def _is_blocked(answer: Answer) -> bool:
    """410 is also said, with other words, where WNS has blocked whoever sends."""
    said = f"{answer.phrase} {_word(answer, 'X-WNS-Error-Description')}"
    return answer.status == 410 and "blocked" in said.lower()


def _word(answer: Answer, name: str) -> str:
    return (answer.header(name) or "").strip().lower()
