"""Twilio: one message is one form to the Messages resource (https://www.twilio.com/docs/messaging/api).

Its errors carry a number (https://www.twilio.com/docs/api/errors) beside a text, which may quote phone
numbers and is not read.
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from msgspec import Meta, Struct

from bridges.settings import SecretName, secret
from bridges.sms.provider import NOT_UNDERSTOOD, Ask, Http, HttpProvider
from bridges.sms.refusals import Refusals
from bridges.sms.settings import HttpSettings, http, read
from bridges.sms.twilio_reports import twilio_callback
from safeum_home.outgoing.http import Answer
from safeum_home.ports.sms import Accepted, Outcome, Permanent, SmsContext, SmsProvider, Temporary

NUMBER_REFUSED = frozenset({21211, 21217, 21265, 21401, 21421, 21610, 21614, 21635, 30005, 30006})
"""What is said of the number: none, not a mobile one, or its owner has opted out."""
ACCOUNT_REFUSED = frozenset({20005, 20008, 21212, 21603, 21606, 21607, 21660, 30002})
"""What is said of the account or the sender, and so of every message."""
ROUTE_REFUSED = frozenset({21408, 21608, 21612})
"""Where this account and sender may not send, or cannot."""
TRY_LATER = frozenset({14107, 20429, 21611, 30001, 30022, 63038})
"""Queues that are full, and rates that were passed."""
_REFUSALS = Refusals(NUMBER_REFUSED, ACCOUNT_REFUSED, ROUTE_REFUSED, TRY_LATER, "the account or the sender")


class TwilioSettings(HttpSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`sender` may also be a messaging service (`MG…`)."""

    sender: Annotated[
        str, Meta(pattern=r"^(\+[1-9][0-9]{6,14}|[1-9][0-9]{2,7}|MG[0-9a-f]{32}|[A-Za-z0-9 &._-]{1,11})\Z")
    ]
    url: str = "https://api.twilio.com"
    account: Annotated[str, Meta(pattern=r"^AC[0-9a-f]{32}\Z")]
    key: SecretName
    """The account's auth token, or the secret of the API key `user`."""
    user: Annotated[str, Meta(pattern=r"^SK[0-9a-f]{32}\Z")] | None = None
    """An API key, to be used in place of the auth token."""
    signature: SecretName | None = None
    """What reports are signed with; the auth token, so `key` where that is it."""


class _Message(Struct):
    sid: Annotated[str, Meta(pattern=r"^(SM|MM)[0-9a-fA-F]{32}\Z")]
    status: str = ""


class _Error(Struct):
    code: int = 0


class Twilio(HttpProvider):
    """Hands messages to Twilio."""

    def __init__(self, context: SmsContext, settings: TwilioSettings, http: Http) -> None:
        super().__init__(context, http, settings.key)
        self._settings = settings
        signature = settings.signature or (settings.key if settings.user is None else None)
        self._status_url = context.callback_url if signature is not None else None
        if self._status_url is not None and signature is not None:
            self.callback = twilio_callback(context, self._status_url, signature)

    def ask(self, number: str, text: str) -> Ask:
        settings = self._settings
        user = (settings.user or settings.account).encode()
        basic = b64encode(user + b":" + secret(self._context, settings.key)).decode()
        sender = (
            "MessagingServiceSid"
            if settings.sender.startswith("MG") and len(settings.sender) == 34
            else "From"
        )
        fields = {"To": number, sender: settings.sender, "Body": text}
        if self._status_url is not None:
            fields["StatusCallback"] = self._status_url
        return Ask(
            "POST",
            f"/2010-04-01/Accounts/{settings.account}/Messages.json",
            {
                "Authorization": f"Basic {basic}",
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            },
            urlencode(fields).encode(),
        )

    def outcome(self, answer: Answer, ask: Ask) -> Outcome:
        if not 200 <= answer.status < 300:
            return self._refused(answer)
        try:
            message = msgspec.json.decode(answer.body, type=_Message)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Temporary(NOT_UNDERSTOOD)
        if message.status in ("failed", "undelivered", "canceled"):
            return Permanent("the provider has given the message up")
        return Accepted(message.sid)

    def _refused(self, answer: Answer) -> Outcome:
        if not 400 <= answer.status < 500:
            return self.refusal(answer)
        try:
            code = msgspec.json.decode(answer.body, type=_Error).code
        except (msgspec.DecodeError, UnicodeDecodeError):
            code = 0
        return _REFUSALS.outcome(code, self._wait(answer.retry_after)) or self.refusal(answer)


def twilio(context: SmsContext, settings: Mapping[str, Any]) -> SmsProvider:
    """The bridge; raises `ConfigError`. Blocks while it reads `ca`."""
    read_settings = read(context.name, settings, TwilioSettings)
    return Twilio(context, read_settings, http(context, read_settings))


def _check(name: str, settings: Mapping[str, Any]) -> None:
    read(name, settings, TwilioSettings)


twilio.check = _check  # type: ignore[attr-defined]
