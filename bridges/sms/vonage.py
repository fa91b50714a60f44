"""Vonage: one message is one JSON document to the Messages API, version 1 (https://developer.vonage.com/en/api/messages).

Its errors are problem documents (RFC 9457) whose `type` ends in `#` and a number
(https://developer.vonage.com/en/api-errors/messages). What they quote is not read.
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from bridges.settings import SecretName, secret
from bridges.sms.provider import NOT_UNDERSTOOD, Ask, Http, HttpProvider
from bridges.sms.refusals import Refusals
from bridges.sms.settings import HttpSettings, http, read
from bridges.sms.vonage_jwt import Tokens
from bridges.sms.vonage_reports import vonage_callback
from safeum_home.config import ConfigError
from safeum_home.outgoing.http import Answer
from safeum_home.ports.sms import Accepted, Outcome, SmsContext, SmsProvider, Temporary

NUMBER_REFUSED = frozenset({1040, 1050, 1170, 1240})
"""An unknown prefix, a barred number, one that is none."""
ACCOUNT_REFUSED = frozenset({1060, 1070, 1080})
"""Barred, without credit, or not set up for this."""
ROUTE_REFUSED = frozenset({1120})
"""The sender is not allowed there."""
TRY_LATER = frozenset({1000, 1030, 1100})
"""Throttled, an internal error, no connection to the network."""
_REFUSALS = Refusals(NUMBER_REFUSED, ACCOUNT_REFUSED, ROUTE_REFUSED, TRY_LATER)


class VonageSettings(HttpSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Either `application` with its private key, which Vonage recommends, or `account` with its secret."""

    url: str = "https://api.nexmo.com"
    account: Annotated[str, Meta(pattern=r"^[0-9A-Za-z]{1,64}\Z")] | None = None
    """The API key."""
    application: Annotated[str, Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")] | None = None
    key: SecretName
    """The application's private key (PEM), or the account's secret."""
    signature: SecretName | None = None
    """The account's signature secret, which reports are signed with; without it there are none."""


class _Message(Struct):
    message_uuid: Annotated[str, Meta(min_length=1, max_length=64)]


class _Error(Struct):
    type: str = ""


class Vonage(HttpProvider):
    """Hands messages to Vonage."""

    def __init__(self, context: SmsContext, settings: VonageSettings, http: Http) -> None:
        super().__init__(context, http, settings.key)
        self._settings = settings
        self._tokens = Tokens(context, settings.application, settings.key) if settings.application else None
        self._status_url = context.callback_url if settings.signature is not None else None
        if self._status_url is not None and settings.signature is not None:
            self.callback = vonage_callback(
                context, settings.signature, settings.account, settings.application
            )

    def ask(self, number: str, text: str) -> Ask:
        document = {
            "channel": "sms",
            "message_type": "text",
            "to": number.removeprefix("+"),
            "from": self._settings.sender.removeprefix("+"),
            "text": text,
        }
        if self._status_url is not None:
            document |= {"webhook_url": self._status_url, "webhook_version": "v1"}
        headers = {
            "Authorization": self._authorization(),
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        return Ask("POST", "/v1/messages", headers, msgspec.json.encode(document))

    def _authorization(self) -> str:
        if self._tokens is not None:
            return f"Bearer {self._tokens.current()}"
        account = (self._settings.account or "").encode()
        return f"Basic {b64encode(account + b':' + secret(self._context, self._settings.key)).decode()}"

    def outcome(self, answer: Answer, ask: Ask) -> Outcome:
        if 200 <= answer.status < 300:
            try:
                return Accepted(msgspec.json.decode(answer.body, type=_Message).message_uuid)
            except (msgspec.DecodeError, UnicodeDecodeError):
                return Temporary(NOT_UNDERSTOOD)
        if answer.status == 401 and self._tokens is not None:
            self._tokens.forget()
        return self._refused(answer)

    def _refused(self, answer: Answer) -> Outcome:
        code = _code(answer.body) if 400 <= answer.status < 500 else 0
        return _REFUSALS.outcome(code, self._wait(answer.retry_after)) or self.refusal(answer)


def _code(body: bytes) -> int:
    """The number of a problem document, or 0."""
    try:
        number = msgspec.json.decode(body, type=_Error).type.rpartition("#")[2]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return 0
    return int(number) if len(number) <= 8 and number.isascii() and number.isdigit() else 0


def vonage(context: SmsContext, settings: Mapping[str, Any]) -> SmsProvider:
    """The bridge; raises `ConfigError`. Blocks while it reads `ca`."""
    read_settings = _read(context.name, settings)
    return Vonage(context, read_settings, http(context, read_settings))


def _read(name: str, settings: Mapping[str, Any]) -> VonageSettings:
    found = read(name, settings, VonageSettings)
    if (found.account is None) == (found.application is None):
        raise ConfigError(f"sms provider {name}: either account or application is wanted")
    return found


vonage.check = _read  # type: ignore[attr-defined]
