"""What the numbers of a provider's errors mean for a message."""

from typing import NamedTuple

from safeum_home.ports.sms import Outcome, Permanent, Temporary


class Refusals(NamedTuple):
    """The numbers by what is refused; those that are in none of the sets are for the status to tell."""

    number: frozenset[int]
    account: frozenset[int]
    route: frozenset[int]
    later: frozenset[int]
    whose: str = "the account"
    """What `account` is said of, for the operator."""

    def outcome(self, code: int, wait: float | None) -> Outcome | None:
        """`wait` is how many seconds the provider asks for, where it has to be later."""
        if code in self.number:
            return Permanent("the provider refuses the number", number_refused=True)
        if code in self.account:
            return Permanent(f"the provider refuses {self.whose}", account_refused=True)
        if code in self.route:
            return Permanent("the provider does not deliver there")
        if code in self.later:
            return Temporary("the provider asks for fewer requests", wait)
        return None
