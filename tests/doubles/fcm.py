"""FCM's HTTP v1 API and Google's token endpoint as their documents describe them.

https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send,
https://developers.google.com/identity/protocols/oauth2/service-account#httprest
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from twisted.web.resource import Resource
from twisted.web.server import Request

from tests.doubles.sms import reply

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
QUOTA_FAILURE = "type.googleapis.com/google.rpc.QuotaFailure"
ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"


def _fcm(code: str) -> dict[str, Any]:
    return {"@type": FCM_ERROR, "errorCode": code}


def _fields(*fields: str) -> dict[str, Any]:
    return {"@type": BAD_REQUEST, "fieldViolations": [{"field": one, "description": "bad"} for one in fields]}


def _quota(subject: str, description: str) -> dict[str, Any]:
    return {"@type": QUOTA_FAILURE, "violations": [{"subject": subject, "description": description}]}


ERRORS: dict[str, tuple[int, str, list[dict[str, Any]]]] = {
    "unspecified": (400, "UNKNOWN", [_fcm("UNSPECIFIED_ERROR")]),
    "bad-token": (400, "INVALID_ARGUMENT", [_fcm("INVALID_ARGUMENT"), _fields("message.token")]),
    "bad-token-short": (400, "INVALID_ARGUMENT", [_fcm("INVALID_ARGUMENT")]),
    "bad-field": (400, "INVALID_ARGUMENT", [_fields("message.android.ttl"), _fcm("INVALID_ARGUMENT")]),
    "too-large": (400, "INVALID_ARGUMENT", []),
    "third-party": (401, "UNAUTHENTICATED", [_fcm("THIRD_PARTY_AUTH_ERROR")]),
    "unauthenticated": (401, "UNAUTHENTICATED", []),
    "other-sender": (403, "PERMISSION_DENIED", [_fcm("SENDER_ID_MISMATCH")]),
    "no-role": (403, "PERMISSION_DENIED", []),
    "disabled": (403, "PERMISSION_DENIED", [{"@type": ERROR_INFO, "reason": "SERVICE_DISABLED"}]),
    "unregistered": (404, "NOT_FOUND", [_fcm("UNREGISTERED")]),
    "not-found": (404, "NOT_FOUND", []),
    "quota": (429, "RESOURCE_EXHAUSTED", [{"@type": ERROR_INFO, "reason": "RATE_LIMIT_EXCEEDED"}]),
    "quota-bare": (429, "RESOURCE_EXHAUSTED", [_fcm("QUOTA_EXCEEDED")]),
    "quota-device": (
        429,
        "RESOURCE_EXHAUSTED",
        [_quota("token:x", "Device message rate exceeded"), _fcm("QUOTA_EXCEEDED")],
    ),
    "internal": (500, "INTERNAL", [_fcm("INTERNAL")]),
    "unavailable": (503, "UNAVAILABLE", [_fcm("UNAVAILABLE")]),
    "deadline": (504, "DEADLINE_EXCEEDED", []),
}
"""What a token brings about that begins with one of these names, a colon and whatever."""


class FcmDouble(Resource):
    """Both, on one site."""

    isLeaf = True
    PROJECT = "safeum-test-1"
    EMAIL = "pusher@safeum-test-1.iam.gserviceaccount.com"
    KEY_ID = "0123456789abcdef" * 2
    SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
    WHOLE_CLOUD = "https://www.googleapis.com/auth/cloud-platform"
    AUDIENCE = "https://oauth2.googleapis.com/token"
    GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    _key = rsa.generate_private_key(65537, 2048)

    def __init__(self, login_url: str, now: Callable[[], float]) -> None:
        super().__init__()
        self.token_uri = f"{login_url}/token"
        self.now = now
        self.logins: list[dict[str, Any]] = []
        """The claims of the assertions that were good."""
        self.refused_logins: list[str] = []
        self.taken: list[dict[str, Any]] = []
        self.sizes: list[int] = []
        self.headers: list[dict[str, str]] = []
        self.valid: set[str] = set()
        self.retry_after: str | None = None
        self.login_answer: tuple[int, Any] | None = None
        """A status and a document to answer all logins with."""

    @property
    def account(self) -> dict[str, str]:
        """The service account's key, as Google writes it into a file."""
        pem = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return {
            "type": "service_account",
            "project_id": self.PROJECT,
            "private_key_id": self.KEY_ID,
            "private_key": pem,
            "client_email": self.EMAIL,
            "client_id": "111111111111111111111",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": self.token_uri,
            "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
            "client_x509_cert_url": f"https://www.googleapis.com/robot/v1/metadata/x509/{self.EMAIL}",
            "universe_domain": "googleapis.com",
        }

    def render_POST(self, request: Request) -> bytes:
        assert request.content is not None
        octets: bytes = request.content.read()
        if request.path == b"/token":
            return self._login(request, octets)
        return self._send(request, octets)

    def _login(self, request: Request, octets: bytes) -> bytes:
        if self.login_answer is not None:
            status, document = self.login_answer
            return reply(request, status, document)
        form = {name: values[0] for name, values in parse_qs(octets.decode(), strict_parsing=True).items()}
        if request.getHeader("Content-Type") != "application/x-www-form-urlencoded":
            return self._no_login(request, "invalid_request", "the form's type")
        if set(form) != {"grant_type", "assertion"} or form["grant_type"] != self.GRANT:
            return self._no_login(request, "unsupported_grant_type", "Invalid grant_type")
        claims = self._claims(form["assertion"])
        if isinstance(claims, str):
            return self._no_login(request, "invalid_grant", claims)
        if not {self.SCOPE, self.WHOLE_CLOUD} & set(claims["scope"].split()):
            return self._no_login(request, "invalid_scope", "Invalid OAuth scope")
        self.logins.append(claims)
        token = f"ya29.c.{len(self.logins)}"
        self.valid.add(token)
        return reply(request, 200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    def _claims(self, assertion: str) -> dict[str, Any] | str:
        head, payload, signature = assertion.split(".")
        signed = f"{head}.{payload}".encode()
        try:
            self._key.public_key().verify(_octets(signature), signed, PKCS1v15(), SHA256())
        except InvalidSignature:
            return "Invalid JWT Signature."
        fields, claims = json.loads(_octets(head)), json.loads(_octets(payload))
        if fields != {"alg": "RS256", "typ": "JWT", "kid": self.KEY_ID}:
            return "Invalid JWT head"
        if claims["iss"] != self.EMAIL:
            return "Invalid issuer"
        if claims["aud"] != self.AUDIENCE or claims["exp"] - claims["iat"] > 3600:
            return "Invalid JWT: Failed audience check, or too long a life"
        now = self.now()
        fresh = claims["iat"] <= now + 60 and now < claims["exp"]
        found: dict[str, Any] = claims
        return found if fresh else "Invalid JWT: Token must be a short-lived token"

    def _no_login(self, request: Request, error: str, description: str) -> bytes:
        self.refused_logins.append(error)
        return reply(request, 400, {"error": error, "error_description": description})

    def _send(self, request: Request, octets: bytes) -> bytes:
        fields = request.requestHeaders.getAllRawHeaders()
        self.headers.append({name.decode().lower(): values[0].decode() for name, values in fields})
        scheme, _, token = (request.getHeader("Authorization") or "").partition(" ")
        if scheme != "Bearer" or token not in self.valid:
            return self._refuse(request, "unauthenticated")
        if request.path.decode() != f"/v1/projects/{self.PROJECT}/messages:send":
            return self._refuse(request, "not-found")
        document = json.loads(octets)
        message = document["message"]
        if not _is_message(document) or request.getHeader("Content-Type") != "application/json":
            return self._refuse(request, "bad-field")
        if len(json.dumps(message["data"])) > 4096:
            return self._refuse(request, "too-large")
        wanted = message["token"].partition(":")[0]
        if wanted in ERRORS:
            return self._refuse(request, wanted)
        self.taken.append(message)
        self.sizes.append(len(octets) - len(message["token"]))
        name = f"projects/{self.PROJECT}/messages/0:{len(self.taken):016d}%7ecee8f5f9fd7ecd"
        return reply(request, 200, {"name": name})

    def _refuse(self, request: Request, error: str) -> bytes:
        status, name, details = ERRORS[error]
        if self.retry_after is not None:
            request.setHeader("Retry-After", self.retry_after)
        found = {"code": status, "message": f"The request {error} for everybody to read.", "status": name}
        return reply(request, status, {"error": found | ({"details": details} if details else {})})


def _is_message(document: dict[str, Any]) -> bool:
    message = document["message"]
    android = message["android"]
    life = android["ttl"]
    return (
        set(document) == {"message"}
        and set(message) == {"token", "data", "android"}
        and all(isinstance(each, str) for pair in message["data"].items() for each in pair)
        and set(android) == {"priority", "ttl"}
        and android["priority"] in ("normal", "high")
        and life.endswith("s")
        and life[:-1].isdigit()
        and 0 <= int(life[:-1]) <= 2_419_200
    )


def _octets(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
