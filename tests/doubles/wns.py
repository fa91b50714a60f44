"""WNS and Entra's token endpoint as Microsoft's documents describe them.

https://learn.microsoft.com/windows/apps/develop/notifications/push-notifications/push-request-response-headers,
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

from typing import Any
from urllib.parse import parse_qs

from twisted.web.resource import Resource
from twisted.web.server import Request

from tests.doubles.sms import reply

ANSWERS: dict[str, tuple[int, dict[str, str]]] = {
    "received": (200, {"X-WNS-Status": "received", "X-WNS-DeviceConnectionStatus": "connected"}),
    "away": (200, {"X-WNS-Status": "received", "X-WNS-DeviceConnectionStatus": "disconnected"}),
    "bare": (200, {}),
    "dropped": (200, {"X-WNS-Status": "dropped", "X-WNS-DeviceConnectionStatus": "connected"}),
    "dropped-bare": (200, {"X-WNS-Status": "dropped"}),
    "dropped-away": (200, {"X-WNS-Status": "dropped", "X-WNS-DeviceConnectionStatus": "disconnected"}),
    "dropped-temp": (200, {"X-WNS-Status": "dropped", "X-WNS-DeviceConnectionStatus": "tempconnected"}),
    "channel": (200, {"X-WNS-Status": "channelthrottled"}),
    "header": (400, {"X-WNS-Error-Description": "Bad X-WNS-Type"}),
    "ticket": (401, {"WWW-Authenticate": "Bearer", "X-WNS-Error-Description": "Token expired"}),
    "other-app": (403, {"X-WNS-Error-Description": "The cloud service is not authorized"}),
    "unknown": (404, {"X-WNS-Error-Description": "Channel is not valid"}),
    "method": (405, {"Allow": "POST"}),
    "throttled": (406, {"Retry-After": "90"}),
    "throttled-bare": (406, {}),
    "expired": (410, {"X-WNS-Error-Description": "Channel expired"}),
    "blocked": (410, {}),
    "blocked-described": (410, {"X-WNS-Error-Description": "Domain Blocked"}),
    "large": (413, {}),
    "failed": (500, {}),
    "busy": (503, {"Retry-After": "45"}),
    "busy-bare": (503, {}),
}
"""What a channel brings about whose token begins with one of these names and a full stop."""
PHRASES = {"blocked": b"Domain Blocked", "expired": b"Gone"}
NEEDED = {"authorization", "content-type", "content-length", "x-wns-type", "host"}
OPTIONAL = {"x-wns-priority", "x-wns-cache-policy", "x-wns-ttl", "x-wns-requestforstatus"}
OF_HTTP = {"accept-encoding", "user-agent", "connection"}


class EntraDouble(Resource):
    """`POST /{tenant}/oauth2/v2.0/token`, for an application that has a secret."""

    isLeaf = True
    TENANT = "11111111-2222-3333-4444-555555555555"
    CLIENT = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
    SECRET = "Q8~a+secret/of=theirs &more"
    SCOPE = "https://wns.windows.com/.default"

    def __init__(self) -> None:
        super().__init__()
        self.valid: set[str] = set()
        self.granted = 0
        self.refused: list[str] = []

    def render_POST(self, request: Request) -> bytes:
        assert request.content is not None
        octets: bytes = request.content.read()
        form = {name: values[0] for name, values in parse_qs(octets.decode(), strict_parsing=True).items()}
        if request.path.decode() != f"/{self.TENANT}/oauth2/v2.0/token":
            return self._refuse(request, 400, "invalid_request", "AADSTS90002: Tenant not found.")
        if request.getHeader("Content-Type") != "application/x-www-form-urlencoded":
            return self._refuse(request, 400, "invalid_request", "AADSTS900144: The body must contain")
        if form.get("grant_type") != "client_credentials":
            return self._refuse(request, 400, "unsupported_grant_type", "AADSTS70003")
        if form.get("client_id") != self.CLIENT:
            return self._refuse(request, 400, "unauthorized_client", "AADSTS700016: Application not found")
        if form.get("client_secret") != self.SECRET:
            return self._refuse(request, 401, "invalid_client", "AADSTS7000215: Invalid client secret")
        if form.get("scope") != self.SCOPE or len(form) != 4:
            return self._refuse(request, 400, "invalid_scope", "AADSTS70011: The scope is not valid.")
        self.granted += 1
        token = f"eyJ0eXAi.{self.granted}.sig-_"
        self.valid.add(token)
        found = {"token_type": "Bearer", "expires_in": 86399, "ext_expires_in": 86399, "access_token": token}
        return reply(request, 200, found)

    def _refuse(self, request: Request, status: int, error: str, description: str) -> bytes:
        self.refused.append(error)
        more = {"error_codes": [7000215], "trace_id": "255d1aef", "correlation_id": "fb3d2015"}
        return reply(request, status, {"error": error, "error_description": description} | more)


class WnsDouble(Resource):
    """Channels, at any host that leads here."""

    isLeaf = True

    def __init__(self, entra: EntraDouble) -> None:
        super().__init__()
        self._entra = entra
        self.heads: list[dict[str, str]] = []
        self.taken: list[tuple[str, bytes]] = []
        """Hosts, and what was sent to them."""

    def render(self, request: Request) -> bytes:
        assert request.content is not None
        octets: bytes = request.content.read()
        fields = request.requestHeaders.getAllRawHeaders()
        head: dict[str, Any] = {name.decode().lower(): values[0].decode() for name, values in fields}
        self.heads.append(head)
        request.setHeader("X-WNS-Msg-ID", "6CE4C1B7A2F1E9D0")
        request.setHeader("X-WNS-Debug-Trace", "BN1WNS2011534")
        request.setHeader("MS-CV", "Wf2qX7xSfU2vYyqN.0")
        if request.method != b"POST":
            return self._answer(request, "method")
        if head.get("authorization", "").removeprefix("Bearer ") not in self._entra.valid:
            return self._answer(request, "ticket")
        if not self._is_raw(head, octets):
            return self._answer(request, "header")
        if len(octets) > 5000:
            return self._answer(request, "large")
        token = (request.args or {}).get(b"token", [b""])[0].decode()
        name = token.partition(".")[0]
        if ANSWERS.get(name, (404, {}))[0] == 200:
            self.taken.append((head["host"], octets))
        return self._answer(request, name if name in ANSWERS else "unknown")

    def _is_raw(self, head: dict[str, str], octets: bytes) -> bool:
        return (
            NEEDED <= set(head) <= NEEDED | OPTIONAL | OF_HTTP
            and head["content-type"] == "application/octet-stream"
            and head["x-wns-type"] == "wns/raw"
            and head["content-length"] == str(len(octets))
            and len(octets) > 0
            and head.get("x-wns-priority", "3") in ("1", "2", "3", "4")
            and head.get("x-wns-cache-policy", "cache") in ("cache", "no-cache")
            and head.get("x-wns-requestforstatus", "true") in ("true", "false")
            and head.get("x-wns-ttl", "0").isdigit()
        )

    def _answer(self, request: Request, name: str) -> bytes:
        status, fields = ANSWERS[name]
        request.setResponseCode(status, PHRASES.get(name))
        for key, value in fields.items():
            request.setHeader(key, value)
        return b""
