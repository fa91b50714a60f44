"""What becomes of calls with the telephone network, counted: by carrier, direction and outcome alone."""

from collections import Counter
from enum import Enum

from safeum_home.ports.carrier import APP_VANISHED, NETWORK_DOWN, CarrierEnd, CarrierListener

OUT, IN = "out", "in"


class Outcome(Enum):
    """What has become of a call."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNALLOCATED = "unallocated"
    REFUSED = "refused"
    TROUBLE = "trouble"
    """5xx, nothing at all, or no way to the carrier."""
    BROKEN = "broken"
    """It was answered, and then the bridge, or the sound of the app, broke down."""


_BY_CODE = {
    **dict.fromkeys((486, 600), Outcome.BUSY),
    **dict.fromkeys((408, 480, 487), Outcome.NO_ANSWER),
    **dict.fromkeys((404, 410, 484, 604), Outcome.UNALLOCATED),
}


def outcome_of(end: CarrierEnd, was_answered: bool) -> Outcome:
    """By status codes (RFC 3261, section 21)."""
    if was_answered:
        is_broken = not end.far and end.cause in (NETWORK_DOWN, APP_VANISHED)
        return Outcome.BROKEN if is_broken else Outcome.ANSWERED
    if end.sip in _BY_CODE:
        return _BY_CODE[end.sip]
    return Outcome.REFUSED if 400 <= end.sip < 500 or end.sip >= 600 else Outcome.TROUBLE


class Counted:
    """`ports.carrier.CarrierListener`: passes all on, and counts how it ends."""

    def __init__(
        self,
        counts: "Counter[tuple[str, str, Outcome]]",
        carrier: str,
        direction: str,
        listener: CarrierListener,
    ) -> None:
        self._counts = counts
        self._carrier = carrier
        self._direction = direction
        self._listener = listener
        self._was_answered = False

    def progress(self, sdp: str | None) -> None:
        self._listener.progress(sdp)

    def answered(self, sdp: str | None) -> None:
        self._was_answered = True
        self._listener.answered(sdp)

    def dtmf(self, digits: str) -> None:
        self._listener.dtmf(digits)

    def ended(self, end: CarrierEnd) -> None:
        was_answered = self._was_answered or end.sip == 200
        self._counts[self._carrier, self._direction, outcome_of(end, was_answered)] += 1
        self._listener.ended(end)
