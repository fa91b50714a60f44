"""Kannel's smsbox: one message is one request to `sendsms` (Kannel 1.4.5 User Guide, chapter 7).

It is a POST with `X-Kannel-` header fields, not the better known GET: so neither the password nor the number
nor the text is in a URL, where logs have them.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta
from twisted.web.server import Request

from bridges.callback import Callback, Forged, GetCallback, Malformed, form
from bridges.settings import SecretName, secret_text
from bridges.sms.gsm import is_gsm
from bridges.sms.provider import NOT_UNDERSTOOD, Ask, Http, HttpProvider
from bridges.sms.settings import HttpSettings, http, read
from safeum_home.config import ConfigError
from safeum_home.outgoing.http import Answer
from safeum_home.ports.sms import Accepted, Outcome, Permanent, SmsContext, SmsProvider, SmsState, Temporary

_ALL_REPORTS = "31"
_UNICODE = "2"
_DENIED = b"Number(s) has/have been denied"
_DELIVERED, _NOT_DELIVERED, _BUFFERED, _AT_SMSC, _NOT_AT_SMSC = 1, 2, 4, 8, 16


class KannelSettings(HttpSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`url` is that of `sendsms`, as `http://127.0.0.1:13013/cgi-bin/sendsms`."""

    user: Annotated[str, Meta(pattern=r"^[!-~]{1,64}\Z")]
    """Of a group `sendsms-user`."""
    key: SecretName
    """Its password."""
    smsc: Annotated[str, Meta(pattern=r"^[!-~]{1,64}\Z")] | None = None
    """The route to send by, where Kannel has several."""


class Kannel(HttpProvider):
    """Hands messages to a Kannel."""

    def __init__(self, context: SmsContext, settings: KannelSettings, http: Http) -> None:
        super().__init__(context, http, settings.key)
        self._settings = settings
        # Kannel signs nothing, so each report's URL is one that only this process can have made.
        self._sign = secrets.token_bytes(32)
        if context.callback_url is not None:
            self.callback: Callback | None = GetCallback(self._report)

    def ask(self, number: str, text: str) -> Ask:
        settings = self._settings
        headers = {
            "X-Kannel-Username": settings.user,
            "X-Kannel-Password": secret_text(self._context, settings.key),
            "X-Kannel-From": settings.sender,
            "X-Kannel-To": number,
            "Content-Type": "text/plain; charset=UTF-8",
        }
        if not is_gsm(text):
            headers["X-Kannel-Coding"] = _UNICODE
        if settings.smsc is not None:
            headers["X-Kannel-SMSC"] = settings.smsc
        reference = ""
        if self._context.callback_url is not None:
            reference = secrets.token_hex(16)
            query = f"id={reference}&mac={self._mac(reference)}&state=%d"
            headers["X-Kannel-DLR-Mask"] = _ALL_REPORTS
            headers["X-Kannel-DLR-Url"] = f"{self._context.callback_url}?{query}"
        return Ask("POST", "", headers, text.encode(), reference)

    def outcome(self, answer: Answer, ask: Ask) -> Outcome:
        if answer.status == 202:
            # "0: Accepted", "3: Queued", or "Sent." where it answers before it knows.
            return Accepted(ask.reference)
        if answer.status == 400 and answer.body.startswith(_DENIED):
            return Permanent("the provider refuses the number", number_refused=True)
        if 200 <= answer.status < 300:
            return Temporary(NOT_UNDERSTOOD)
        return self.refusal(answer)

    def _mac(self, reference: str) -> str:
        return hmac.new(self._sign, reference.encode(), hashlib.sha256).hexdigest()[:32]

    def _report(self, request: Request, body: bytes) -> None:
        fields = dict(form(request.uri.partition(b"?")[2]))
        reference = fields.get("id", "")
        given = fields.get("mac", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(self._mac(reference).encode(), given):
            raise Forged
        text = fields.get("state", "")
        if len(text) > 3 or not text.isascii() or not text.isdigit():
            raise Malformed
        state = state_of(int(text))
        if state is not None:
            self._context.reports.report(self._context.name, reference, state)


def state_of(value: int) -> SmsState | None:
    """What a report's bits mean (User Guide, "Delivery report mask"); expired is 34, unknown is 66."""
    if value & _DELIVERED:
        return SmsState.DELIVERED
    if value & (_NOT_DELIVERED | _NOT_AT_SMSC):
        return SmsState.FAILED
    return SmsState.ACCEPTED if value & (_BUFFERED | _AT_SMSC) else None


def kannel(context: SmsContext, settings: Mapping[str, Any]) -> SmsProvider:
    """The bridge; raises `ConfigError`. Blocks while it reads `ca`."""
    read_settings = read(context.name, settings, KannelSettings)
    if "%" in (context.callback_url or "") or "?" in (context.callback_url or ""):
        raise ConfigError(f"sms provider {context.name}: Kannel takes no callback URL with % or ? in it")
    return Kannel(context, read_settings, http(context, read_settings))


def _check(name: str, settings: Mapping[str, Any]) -> None:
    read(name, settings, KannelSettings)


kannel.check = _check  # type: ignore[attr-defined]
