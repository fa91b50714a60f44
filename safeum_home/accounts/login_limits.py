"""How often somebody may try a password, counted before anything is hashed."""

from collections.abc import Callable
from dataclasses import dataclass

from twisted.logger import Logger

from safeum_home.config import LimitSection
from safeum_home.errors import Problem
from safeum_home.limits import RateLimit

ANYWHERE = 20
"""How many times more tries an account takes from all addresses together than from one."""
_DAY = 86400
_log = Logger()


def _daily(tries: int, now: Callable[[], float]) -> RateLimit:
    return RateLimit(tries / _DAY, tries, now)


def change_daily(limit: RateLimit, tries: int) -> None:
    """So many in a day from now on."""
    limit.change(tries / _DAY, tries)


@dataclass(frozen=True, slots=True)
class PinTries:
    """Wrong PINs from outside: what a stranger guesses cannot be undone."""

    by_host: RateLimit
    by_login: RateLimit
    """For each login, from all addresses."""
    anywhere: RateLimit
    """All that the node takes: with a few tries each for many logins, PINs would be found all the same."""
    _told: RateLimit

    @classmethod
    def of(cls, section: LimitSection, now: Callable[[], float]) -> "PinTries":
        return cls(
            _daily(section.pin_tries_per_address, now),
            _daily(section.pin_tries, now),
            _daily(section.pin_tries_anywhere, now),
            _daily(1, now),
        )

    def take(self, peer: str, login: str) -> None:
        """Count a try; raises `rate_limited`. One address uses up no more than its own share of the rest."""
        self.by_host.take(peer)
        self.by_login.take(login)
        try:
            self.anywhere.take(None)
        except Problem:
            self._tell()
            raise

    def right(self, peer: str, login: str) -> None:
        """It was no wrong one: it does not count."""
        self.by_host.give_back(peer)
        self.by_login.give_back(login)
        self.anywhere.give_back(None)

    def _tell(self) -> None:
        try:
            self._told.take(None)
        except Problem:
            return  # once a day
        _log.error(
            "ALARM: too many wrong PINs from outside (limits.pin_tries_anywhere): for now a PIN is taken from"
            " sessions of the account alone."
        )


@dataclass(frozen=True, slots=True)
class LoginLimits:
    """What may be tried, before anything is hashed."""

    sign_ups: RateLimit
    by_host: RateLimit
    by_username: RateLimit
    """For each login and address: a stranger's wrong tries do not shut the owner out."""
    by_username_anywhere: RateLimit
    """Against guessing from many addresses: much wider."""
    pins: PinTries
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
            PinTries.of(section, now),
            _daily(section.pin_tries, now),
        )

    def take(self, peer: str, username: str) -> None:
        """Count a try to log in; raises `rate_limited`."""
        self.by_host.take(peer)
        self.by_username.take((peer, username))
        self.by_username_anywhere.take(username)

    def proved(self, peer: str, username: str) -> None:
        """The password was right: earlier slips from there are forgiven."""
        self.by_username.forget((peer, username))
