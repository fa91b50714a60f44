"""What Twilio reports of a message: a signed form (https://www.twilio.com/docs/usage/webhooks/webhooks-security)."""

import hmac
from base64 import b64encode
from urllib.parse import urlsplit

from twisted.web.server import Request

from bridges.callback import Callback, Forged, Malformed, PostCallback, form, header
from bridges.settings import secret
from safeum_home.ports.sms import SmsContext, SmsState

STATES = {
    "accepted": SmsState.ACCEPTED,
    "scheduled": SmsState.ACCEPTED,
    "queued": SmsState.ACCEPTED,
    "sending": SmsState.ACCEPTED,
    "sent": SmsState.ACCEPTED,
    "delivered": SmsState.DELIVERED,
    "read": SmsState.DELIVERED,
    "undelivered": SmsState.FAILED,
    "failed": SmsState.FAILED,
    "canceled": SmsState.FAILED,
}


def twilio_callback(context: SmsContext, url: str, key: str) -> Callback:
    """The resource that Twilio calls at `url`; `key` is `secret:NAME`."""
    spellings = url_spellings(url)

    def take(request: Request, body: bytes) -> None:
        if (
            header(request, "Content-Type").partition(";")[0].strip().lower()
            != "application/x-www-form-urlencoded"
        ):
            raise Malformed
        fields = form(body)
        given = header(request, "X-Twilio-Signature").encode("utf-8", "surrogateescape")
        # Webhook rules may ask for SHA-256 with a key of their own; the URL and the fields stay the same.
        rule = header(request, "X-Twilio-Webhooks-Signature-Settings").lower().replace(" ", "")
        digest = "sha256" if "algorithm=hmac_sha256" in rule.split(",") else "sha1"
        token = secret(context, key)
        matches = [hmac.compare_digest(signature(token, one, fields, digest), given) for one in spellings]
        if not token or not any(matches):
            raise Forged
        values = dict(fields)
        state = STATES.get(values.get("MessageStatus", ""))
        reference = values.get("MessageSid", "")
        if not reference:
            raise Malformed
        if state is not None:
            context.reports.report(context.name, reference, state)

    return PostCallback(take)


def signature(token: bytes, url: str, fields: list[tuple[str, str]], digest: str = "sha1") -> bytes:
    """`X-Twilio-Signature`: of the URL, then each name with its value, in order; a repeated one once."""
    signed = url + "".join(name + value for name, value in sorted(set(fields)))
    return b64encode(hmac.digest(token, signed.encode(), digest))


def url_spellings(url: str) -> list[str]:
    """A URL as Twilio may have signed it: without its port, and with it also where it is the scheme's own."""
    parts = urlsplit(url)
    host = parts.netloc if parts.port is None else parts.netloc.rpartition(":")[0]
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return [parts._replace(netloc=netloc).geturl() for netloc in (host, f"{host}:{port}")]
