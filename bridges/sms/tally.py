"""How it goes with each provider, counted: what became of messages, and what delivery reports say."""

from collections import Counter, OrderedDict
from collections.abc import Iterable
from enum import StrEnum
from hashlib import blake2b

from safeum_home.ports.sms import SmsState

REMEMBERED = 8192
"""Delivery reports that are recognised when a provider sends them again."""


class Handed(StrEnum):
    """What became of handing a message over."""

    TAKEN = "taken"
    TEMPORARY = "temporary"
    TIMED_OUT = "timed_out"
    NUMBER_REFUSED = "number_refused"
    REFUSED = "refused"


class Tally:
    """`ports.sms.SmsReports` for the providers called `names`; reports of others count for nothing."""

    def __init__(self, names: Iterable[str]) -> None:
        self._counts: dict[str, Counter[str]] = {name: Counter() for name in names}
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def handed(self, provider: str, what: Handed) -> None:
        self._counts[provider][what] += 1

    def report(self, provider: str, reference: str, state: SmsState) -> None:
        """Count a delivery report, once."""
        if provider not in self._counts:
            return
        key = blake2b(f"{provider}\0{state}\0{reference}".encode(errors="replace"), digest_size=16).digest()
        if reference and key in self._seen:
            return
        self._seen[key] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        self._counts[provider][SmsState(state)] += 1

    def of(self, provider: str) -> dict[str, int]:
        """The counts of a provider since the node was opened: words of `Handed` and `SmsState`."""
        return {str(what): count for what, count in self._counts[provider].items()}
