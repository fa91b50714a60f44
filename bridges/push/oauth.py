"""Access tokens (RFC 6749): fetched once for all that wait, kept in memory until shortly before they end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Annotated, Any, Protocol
from urllib.parse import urlencode

import msgspec
from msgspec import Meta, Struct
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from bridges.answers import retry_after
from safeum_home.errors import Problem, Tampered
from safeum_home.outgoing.answers import TOO_MANY, NoAnswer
from safeum_home.outgoing.http import Answer
from safeum_home.ports.push import Refused, Temporary

_log = Logger()

NO_CREDENTIALS = "the credentials are not in the sealed store, or are none of this provider's"
NOT_UNDERSTOOD = "the answer of the login service is not understood"
BEFORE_ITS_END = 120.0
"""Seconds before its end in which a token is not used any more: clocks differ, and requests take time."""
USUAL, LONGEST = 3600.0, 86400.0
"""Seconds of a token's life where none are told, and that are believed at the most."""
LOOKED = 1.0
"""Seconds in which it is looked once whether the credentials were replaced: a secret is opened for that."""
MOST_WAITING = 4096
"""Wakes that wait for a token; a further one is to come later."""

_REFUSALS = {
    "invalid_client": "the login service does not know the client, or refuses its secret",
    "invalid_grant": "the login service refuses the key: it was deleted, or this machine's clock is wrong",
    "unauthorized_client": "the login service does not let this client ask for a token",
    "invalid_scope": "the login service does not let this client send pushes",
}
_LATER = frozenset({"temporarily_unavailable", "server_error", "slow_down"})


class Http(Protocol):
    """The guarded client of the login service."""

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> "Deferred[Answer]": ...


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token is asked for with (RFC 6749, section 4). `path` is below the login service's URL."""

    path: str
    form: dict[str, str] = field(repr=False)
    whose: str = ""
    """What the token will be good for, where the bridge has to know."""


@dataclass(frozen=True, slots=True)
class Access:
    """A token that can be used."""

    header: str = field(repr=False)
    """The field `Authorization`."""
    whose: str = ""


class NotNow(Exception):
    """A wake cannot be handed over; `outcome` is what becomes of it."""

    def __init__(self, outcome: Temporary | Refused) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


class _Granted(Struct):
    """RFC 6749, section 5.1. Entra has also been seen to write the number as text."""

    access_token: Annotated[str, Meta(pattern=r"^[!-~]{1,8192}\Z")]
    token_type: str
    expires_in: int | Annotated[str, Meta(pattern=r"^[0-9]{1,9}\Z")] | None = None


class _NotGranted(Struct):
    """RFC 6749, section 5.2."""

    error: str = ""


class AccessTokens:
    """The token of one provider. `grant` raises `Problem` and `Tampered` where it has no credentials."""

    def __init__(
        self, reactor: Any, http: Http, grant: Callable[[], Grant], credentials: Callable[[], bytes]
    ) -> None:
        """`credentials` opens what is secret in a grant; it raises the same."""
        self._reactor = reactor
        self._http = http
        self._grant = grant
        self._credentials = credentials
        self._granted_for = b""
        """A digest of those that the token was asked for with."""
        self._looked_at = 0.0
        self._access: Access | None = None
        self._until = 0.0
        self._is_asking = False
        self._waiting: list[Deferred[Access]] = []

    def current(self) -> "Deferred[Access]":
        """A token; fails with `NotNow`. Giving it up ends nothing for others."""
        wanted: Deferred[Access] = Deferred(self._waiting.remove)
        if self._access is not None and self._is_good():
            wanted.callback(self._access)
        elif len(self._waiting) >= MOST_WAITING:
            wanted.errback(NotNow(Temporary(TOO_MANY)))
        else:
            self._waiting.append(wanted)
            if not self._is_asking:
                self._is_asking = True
                Deferred.fromCoroutine(self._fetch()).addBoth(self._fetched)
        return wanted

    def forget(self, access: Access) -> None:
        """It was refused. One that has replaced it meanwhile stays."""
        if access is self._access:
            self._access = None

    def _is_good(self) -> bool:
        # A clock that was set back would make it last for ever.
        now = float(self._reactor.seconds())
        return now < self._until <= now + LONGEST and not self._are_replaced(now)

    def _are_replaced(self, now: float) -> bool:
        """Whether the credentials are others by now, as far as it was looked within the last second."""
        if 0 <= now - self._looked_at < LOOKED:
            return False
        self._looked_at = now
        return self._digest() != self._granted_for

    def _digest(self) -> bytes:
        try:
            return blake2b(self._credentials(), digest_size=32).digest()
        except (Problem, Tampered):
            return b""

    async def _fetch(self) -> Access:
        self._granted_for, self._looked_at = self._digest(), float(self._reactor.seconds())
        try:
            grant = self._grant()
        except (Problem, Tampered):
            raise NotNow(Refused(NO_CREDENTIALS, account_refused=True)) from None
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        try:
            answer = await self._http.request("POST", grant.path, headers, urlencode(grant.form).encode())
        except NoAnswer as error:
            raise NotNow(Temporary(error.reason)) from None
        if answer.status != 200:
            raise NotNow(_refusal(answer, float(self._reactor.seconds())))
        try:
            granted = msgspec.json.decode(answer.body, type=_Granted)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise NotNow(Temporary(NOT_UNDERSTOOD)) from None
        if granted.token_type.lower() != "bearer":
            raise NotNow(Temporary(NOT_UNDERSTOOD))
        life = USUAL if granted.expires_in is None else float(granted.expires_in)
        self._until = self._reactor.seconds() + min(life, LONGEST) - BEFORE_ITS_END
        return Access(f"Bearer {granted.access_token}", grant.whose)

    def _fetched(self, result: Access | Failure) -> None:
        self._is_asking = False
        waiting, self._waiting = self._waiting, []
        self._access = result if isinstance(result, Access) else None
        while waiting:
            # Taken out first: whoever hears of it may have others give up.
            wanted = waiting.pop(0)
            if isinstance(result, Access):
                wanted.callback(result)
            else:
                wanted.errback(NotNow(_outcome(result)))


def _outcome(failure: Failure) -> Temporary | Refused:
    if isinstance(failure.value, NotNow):
        return failure.value.outcome
    # Its words might quote a secret.
    kind = type(failure.value).__name__
    _log.error("The login service of a push provider was not asked: {kind}", kind=kind)
    return Temporary("the login service could not be asked")


def _refusal(answer: Answer, now: float) -> Temporary | Refused:
    """What it means that no token was granted. What the service says in words is not read."""
    if answer.status in (408, 429) or answer.status >= 500:
        return Temporary("the login service is in trouble", retry_after(answer.retry_after, now))
    if answer.status < 400:
        return Refused("the login service is somewhere else: its URL is wrong", account_refused=True)
    try:
        code = msgspec.json.decode(answer.body, type=_NotGranted).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        code = ""
    if code in _LATER:
        return Temporary("the login service is in trouble", retry_after(answer.retry_after, now))
    return Refused(_REFUSALS.get(code, "the login service refuses the request"), account_refused=True)
