"""Credentials for the relay: good for a while, and of nobody (draft-uberti-behave-turn-rest-00)."""

import hmac
from base64 import b64encode
from collections.abc import Callable

from safeum_home.config_turn import TurnSection
from safeum_home.grants.turn import RELAY_PERIOD, RelaySecrets
from safeum_home.limits import RateLimit
from safeum_home.ports import Caller
from safeum_home.protocol.commands.calls import RelayCredentials, TurnCredentials


class RelayAccess:
    """The command `turn.credentials`."""

    def __init__(
        self,
        section: TurnSection,
        secrets: RelaySecrets,
        limit: RateLimit,
        now: Callable[[], float],
        random: Callable[[], str],
    ) -> None:
        """`now` is in seconds since 1970; `random` gives what tells one user from another, never the same."""
        self._section = section
        self._secrets = secrets
        self._limit = limit
        self._now = now
        self._random = random

    def credentials(self, caller: Caller, params: TurnCredentials) -> RelayCredentials:
        """Raises `rate_limited`.

        The username has nothing of the account, and is another one each time: who runs the relay, or
        listens to it, cannot tell that two calls are by the same one.
        """
        if not self._section.urls:
            return RelayCredentials([], "", "", 0)
        self._limit.take(caller.account)
        now = self._now()
        until = int(now + self._section.valid_seconds)
        username = f"{until}:{self._random()}"
        password = password_of(username, self._secrets.of(int(now // RELAY_PERIOD)))
        return RelayCredentials(self._section.urls, username, password, until * 1000)


def password_of(username: str, secret: bytes) -> str:
    """What goes with a username at a relay that has the secret."""
    return b64encode(hmac.digest(secret, username.encode(), "sha1")).decode()
