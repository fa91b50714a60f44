"""Twilio, Vonage and Kannel as their documents describe them, as resources of twisted.web."""

import json
from base64 import b64decode
from typing import Any
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from twisted.web.resource import Resource
from twisted.web.server import Request

JSON = "application/json"


def reply(request: Request, status: int, document: object, kind: str = JSON) -> bytes:
    """Answer with a JSON document, or with text."""
    request.setResponseCode(status)
    request.setHeader("Content-Type", kind)
    return document.encode() if isinstance(document, str) else json.dumps(document).encode()


def basic(request: Request) -> str:
    """What comes with Basic authorization (RFC 7617)."""
    scheme, _, value = (request.getHeader("Authorization") or "").partition(" ")
    return b64decode(value).decode() if scheme == "Basic" else ""


class Double(Resource):
    """Keeps what was handed to it."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []

    def note(self, request: Request) -> bytes:
        """The body; the head is kept."""
        fields = request.requestHeaders.getAllRawHeaders()
        self.headers.append({name.decode().lower(): values[0].decode() for name, values in fields})
        assert request.content is not None
        octets: bytes = request.content.read()
        return octets


class TwilioDouble(Double):
    """The Messages resource, with the numbers of Twilio's test credentials.

    https://www.twilio.com/docs/iam/test-credentials#test-sms-messages
    """

    ACCOUNT = "AC" + "0123456789abcdef" * 2
    TOKEN = "0f" * 16
    API_KEY = "SK" + "fedcba9876543210" * 2
    API_SECRET = "shared by nobody"
    TO = {"+15005550001": 21211, "+15005550002": 21612, "+15005550003": 21408, "+15005550004": 21610}
    TO_NOT_MOBILE = "+15005550009"
    FROM = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}

    def render_POST(self, request: Request) -> bytes:
        fields = {name: values[0] for name, values in parse_qs(self.note(request).decode()).items()}
        if basic(request) not in (f"{self.ACCOUNT}:{self.TOKEN}", f"{self.API_KEY}:{self.API_SECRET}"):
            return self.error(request, 401, 20003, "Authenticate")
        if request.path.decode() != f"/2010-04-01/Accounts/{self.ACCOUNT}/Messages.json":
            return self.error(request, 404, 20404, "The requested resource was not found")
        number = fields.get("To", "")
        code = self.TO.get(number) or self.FROM.get(fields.get("From", ""))
        code = 21614 if number == self.TO_NOT_MOBILE else code
        if not {"To", "Body"} <= set(fields) or not {"From", "MessagingServiceSid"} & set(fields):
            code = 21603
        if code is not None:
            return self.error(request, 400, code, f"The number {number} will not do.")
        self.taken.append(fields)
        sid = f"SM{len(self.taken):032x}"
        return reply(request, 201, {"sid": sid, "status": "queued", "error_code": None, "to": number})

    def error(self, request: Request, status: int, code: int, message: str) -> bytes:
        more = f"https://www.twilio.com/docs/errors/{code}"
        return reply(request, status, {"code": code, "message": message, "more_info": more, "status": status})


class VonageDouble(Double):
    """`POST /v1/messages`, with Basic authorization or an application's token."""

    ACCOUNT = "abcd1234"
    SECRET = "a secret of theirs"
    APPLICATION = "78d335fa-323d-0114-9c3d-d6f0d48968cf"

    def __init__(self, public_key: bytes | None = None, now: int = 0) -> None:
        super().__init__()
        self._public_key = public_key
        self._now = now
        self.problem: tuple[int, int] | None = None
        """A status and a number to refuse all with."""

    def render_POST(self, request: Request) -> bytes:
        document: dict[str, Any] = json.loads(self.note(request))
        if not self._may(request):
            return self.error(request, 401, "unauthorized", "You did not provide correct credentials.")
        if request.path != b"/v1/messages":
            return self.error(request, 404, "not-found", "The requested resource does not exist")
        if self.problem is not None:
            return self.error(request, self.problem[0], str(self.problem[1]), f"about {document['to']}")
        wanted = {"channel": "sms", "message_type": "text"}
        digits = str(document.get("to", ""))
        if not digits.isdigit() or not wanted.items() <= document.items() or not document.get("from"):
            return self.error(request, 422, "1020", "The value of one or more parameters is invalid.")
        self.taken.append(document)
        return reply(request, 202, {"message_uuid": f"aaaaaaaa-bbbb-4ccc-8ddd-{len(self.taken):012x}"})

    def _may(self, request: Request) -> bool:
        scheme, _, token = (request.getHeader("Authorization") or "").partition(" ")
        if scheme != "Bearer" or self._public_key is None:
            return basic(request) == f"{self.ACCOUNT}:{self.SECRET}"
        try:
            claims = jwt.decode(token, RSAKey.import_key(self._public_key), ["RS256"]).claims
        except JoseError:
            return False
        fresh = claims["iat"] <= self._now < claims["exp"] and bool(claims["jti"])
        return fresh and claims["application_id"] == self.APPLICATION

    def error(self, request: Request, status: int, code: str, detail: str) -> bytes:
        kind = f"https://developer.vonage.com/api-errors/messages#{code}"
        document = {"type": kind, "title": "A title", "detail": detail, "instance": "bf0ca0bf927b3b52"}
        return reply(request, status, document, "application/problem+json")


class KannelDouble(Double):
    """`sendsms` of smsbox, asked by POST: what Kannel 1.4.5 was seen to answer."""

    USER = "safeum"
    PASSWORD = "a password"
    queued = False

    def render_POST(self, request: Request) -> bytes:
        text = self.note(request)
        head = self.headers[-1]
        if (head.get("x-kannel-username"), head.get("x-kannel-password")) != (self.USER, self.PASSWORD):
            return self.say(request, 403, "Authorization failed for sendsms")
        if request.path != b"/cgi-bin/sendsms":
            return self.say(request, 404, "Unknown request.")
        if "x-kannel-from" not in head:
            return self.say(request, 400, "Sender missing and no global set, rejected")
        if head["x-kannel-to"].startswith("+1900"):
            return self.say(request, 400, "Number(s) has/have been denied by white- and/or black-lists.")
        self.taken.append({"to": head["x-kannel-to"], "text": text.decode()})
        return self.say(
            request, 202, "3: Queued for later delivery" if self.queued else "0: Accepted for delivery"
        )

    def say(self, request: Request, status: int, text: str) -> bytes:
        return reply(request, status, text, "text/html")
