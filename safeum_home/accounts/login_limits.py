"""How often somebody may try a password, counted before anything is hashed."""

from collections.abc import Callable
from dataclasses import dataclass

from safeum_home.config import LimitSection
from safeum_home.limits import RateLimit

ANYWHERE = 20
"""How many times more tries an account takes from all addresses together than from one."""
_DAY = 86400


@dataclass(frozen=True, slots=True)
class LoginLimits:
    """What may be tried, before anything is hashed."""

    sign_ups: RateLimit
    by_host: RateLimit
    by_username: RateLimit
    """For each login and address: a stranger's wrong tries do not shut the owner out."""
    by_username_anywhere: RateLimit
    """Against guessing from many addresses: much wider."""
    pins: RateLimit
    """PINs for each login, from all addresses: what a stranger guesses cannot be undone."""
    own_pins: RateLimit
    """PINs for each account, from its own sessions: strangers do not use them up."""

    @classmethod
    def of(cls, section: LimitSection, now: Callable[[], float]) -> "LoginLimits":
        return cls(
            RateLimit(section.signups_per_address, section.signups_per_address_burst, now),
            RateLimit(section.logins_per_address, section.logins_per_address_burst, now),
            RateLimit(section.logins_per_account, section.logins_per_account_burst, now),
            RateLimit(
                section.logins_per_account * ANYWHERE, section.logins_per_account_burst * ANYWHERE, now
            ),
            RateLimit(section.pin_tries / _DAY, section.pin_tries, now),
            RateLimit(section.pin_tries / _DAY, section.pin_tries, now),
        )

    def change_pin_tries(self, tries: int) -> None:
        """So many PINs may be tried in a day from now on."""
        for limit in (self.pins, self.own_pins):
            limit.change(tries / _DAY, tries)

    def take(self, peer: str, username: str) -> None:
        """Count a try to log in; raises `rate_limited`."""
        self.by_host.take(peer)
        self.by_username.take((peer, username))
        self.by_username_anywhere.take(username)

    def proved(self, peer: str, username: str) -> None:
        """The password was right: earlier slips from there are forgiven."""
        self.by_username.forget((peer, username))
