"""The provider of kind `smpp`: keeps a connection to an SMSC, and hands messages over on it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure

from bridges.connecting import BackOff, client_endpoint, lasting
from bridges.settings import missing
from bridges.sms.smpp.link import DISCONNECTED, Link, Pace
from bridges.sms.smpp.messages import Receipt, Submission, bind
from bridges.sms.smpp.pdus import BadPdu
from safeum_home.config import ConfigError, Seconds
from safeum_home.outgoing.answers import reason_of
from safeum_home.ports.sms import Accepted, Outcome, Permanent, SmsContext, Temporary

_Ascii = r"^[ -~]*$(?!\n)"


class SmppSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of a provider of kind `smpp`."""

    endpoint: str
    """A Twisted endpoint string: `tcp:HOST:PORT`, or `tls:HOST:PORT`."""
    system_id: Annotated[str, Meta(min_length=1, max_length=15, pattern=_Ascii)]
    password: Annotated[str, Meta(pattern=r"^secret:[a-z0-9][a-z0-9._-]{0,63}\Z")]
    """The name of the secret, as `secret:NAME`."""
    system_type: Annotated[str, Meta(max_length=12, pattern=_Ascii)] = ""
    sender: Annotated[str, Meta(max_length=20, pattern=_Ascii)] = ""
    """Whom messages come from: a name of up to 11 characters, a short code, or a number with "+"."""
    receipts: bool = True
    only_ucs2: bool = False
    """For an SMSC whose default alphabet is not that of GSM."""
    validity_minutes: Annotated[int, Meta(ge=1, le=44640)] = 10
    """A code that comes later than this is of no use."""
    password_octets: Annotated[int, Meta(ge=8, le=64)] = 8
    """The longest password that the SMSC takes: 8 in the specification, more with some."""
    window: Annotated[int, Meta(ge=1, le=1000)] = 10
    answer_seconds: Seconds = 8.0
    enquire_seconds: Seconds = 30.0
    reconnect_seconds: Seconds = 60.0
    """The most that is waited between attempts to connect; the first waits about a second."""


class Smpp:
    """`ports.sms.SmsProvider` over SMPP, and the entry point of its kind: `SmsBridge`."""

    _log = Logger()

    def __init__(self, context: SmsContext, settings: Mapping[str, Any]) -> None:
        self._context = context
        self._settings = _settings(context.name, settings)
        self._submission = Submission(
            self._settings.sender.encode(),
            self._settings.validity_minutes,
            self._settings.receipts,
            self._settings.only_ucs2,
        )
        self._link: Link | None = None
        self._why: Outcome = DISCONNECTED
        self._told: str | None = None
        """Why it is not connected, as it is in the log."""
        reactor, whose = context.reactor, f"sms.providers, settings of {context.name}"
        endpoint = client_endpoint(reactor, whose, self._settings.endpoint)
        self._back_off = BackOff(self._settings.reconnect_seconds)
        links = _Links(self._new_link)
        self._service = lasting(endpoint, links, self._back_off, self._not_reached, reactor)
        self._service.startService()

    @staticmethod
    def check(name: str, settings: Mapping[str, Any]) -> None:
        """As `ports.sms.SmsBridge` has it."""
        _settings(name, settings)

    @property
    def trouble(self) -> str | None:
        """As `ports.sms.SmsBridge` has it."""
        if self._link is not None:
            return None
        no_secret = missing(self._context, self._settings.password)
        return no_secret or ("not connected" if self._told is None else f"not connected, {self._told}")

    def send(self, number: str, text: str) -> Deferred[Outcome]:
        """As `ports.sms.SmsProvider.send`."""
        if self._link is None:
            return succeed(self._why)
        try:
            body = self._submission.body(number, text)
        except (BadPdu, UnicodeError):
            return succeed(Permanent("cannot be written", handed_over=False))
        return self._link.submit(body)

    def stop(self) -> Deferred[None]:
        """Unbind, and hang up."""
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        if self._link is not None:
            await self._link.unbind()
        await self._service.stopService()

    # --- what a link tells: `link.Owner`

    def binding(self) -> bytes:
        """The body of bind_transceiver, with the password as it is in the sealed store now."""
        settings = self._settings
        password = self._context.secret(settings.password.removeprefix("secret:"))
        return bind(
            settings.system_id.encode(),
            password.strip(b"\r\n"),
            settings.system_type.encode(),
            settings.password_octets + 1,
        )

    def up(self, link: Link) -> None:
        self._link = link
        self._back_off.succeeded()
        self._told = None
        self._log.info("Provider {provider} is connected.", provider=self._context.name)

    def down(self, link: Link, why: Outcome) -> None:
        if self._link is link:
            self._link = None
        # What is asked for meanwhile reaches nobody.
        self._why = why if isinstance(why, Accepted) else replace(why, handed_over=False)
        self._tell(getattr(why, "reason", ""))

    def _not_reached(self, failure: Failure) -> None:
        reason = reason_of(failure)
        self._why = Temporary(reason, handed_over=False)
        self._tell(reason)

    def _tell(self, reason: str) -> None:
        """Once, however often it is tried: a connection that comes about is told of, too."""
        if reason != self._told:
            self._told = reason
            self._log.info(
                "Provider {provider} is not connected: {reason}", provider=self._context.name, reason=reason
            )

    def received(self, receipt: Receipt) -> None:
        self._context.reports.report(self._context.name, receipt.reference, receipt.state)

    # --- connecting

    def _new_link(self) -> Link:
        settings = self._settings
        pace = Pace(settings.window, settings.answer_seconds, settings.enquire_seconds)
        return Link(self._context.reactor, self, pace)


class _Links(Factory):
    noisy = False

    def __init__(self, new_link: Callable[[], Link]) -> None:
        self._new_link = new_link

    def buildProtocol(self, addr: object) -> Link:
        return self._new_link()


def _settings(name: str, settings: Mapping[str, Any]) -> SmppSettings:
    try:
        return msgspec.convert(dict(settings), SmppSettings)
    except msgspec.ValidationError as error:
        raise ConfigError(f"sms.providers, settings of {name}: {error}") from None
