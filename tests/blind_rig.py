"""The four providers of push behind their own bridges, on wires on which everything is kept."""

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bridges.push.apns import Apns, ApnsSettings
from bridges.push.fcm import Fcm, FcmSettings
from bridges.push.sender import Sender
from bridges.push.webpush import WebPush, WebPushSettings
from bridges.push.wns import Wns, WnsSettings
from safeum_home.config_push import PushProviderSection, PushSection
from safeum_home.outgoing.http2.client import Http2
from safeum_home.outgoing.http2.limits import Http2Limits
from safeum_home.outgoing.places import Place
from safeum_home.ports.push import PushContext, PushProvider
from tests.blind_schemas import Known
from tests.blind_wire import Wire
from tests.doubles.fcm import FcmDouble
from tests.doubles.webpush import PushService, Subscriber, base64url
from tests.doubles.wns import EntraDouble, WnsDouble

CONTACT = "mailto:operator@node.example"
APPLE: dict[str, Any] = {"key_id": "ABC123DEFG", "team_id": "DEF123GHIJ", "topic": "org.example.safeum"}
APPLE_HOST = "api.push.apple.com"
GOOGLE_HOST = "fcm.googleapis.com"
TOKENS = {
    "apns": "00ff" * 16,
    "fcm": "fT-device_of:APA91b" + "Ab0_" * 30,
    "wns": "https://db5.notify.windows.com/?token=away.AwYAAADx%2fOne%2b",
    "webpush": "https://push.example/send/of-a-device",
}
"""What the device of each kind got from its provider."""
CALL_TOKEN = "11ee" * 16


class Rig:
    """`sender` is what the domain wakes devices through; a provider is called as its kind."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._secrets: dict[str, bytes] = {}
        self.wire = Wire(clock)
        self.subscriber = Subscriber()
        makers = {"apns": self._apns, "fcm": self._fcm, "wns": self._wns, "webpush": self._webpush}
        self.providers: dict[str, PushProvider] = {kind: make() for kind, make in makers.items()}
        section = PushSection([PushProviderSection(kind, kind) for kind in makers])
        self.sender = Sender(clock, section, list(self.providers.values()))
        settings = {CONTACT, APPLE_HOST, FcmDouble.EMAIL, EntraDouble.CLIENT, EntraDouble.SECRET}
        settings |= set(APPLE.values()) | {GOOGLE_HOST, "oauth2.googleapis.com", "/token"}
        settings |= {"login.microsoftonline.com", f"/{EntraDouble.TENANT}/oauth2/v2.0/token"}
        settings |= {f"/v1/projects/{FcmDouble.PROJECT}/messages:send"}
        addresses = frozenset({*TOKENS.values(), CALL_TOKEN})
        self.known = Known(addresses, self.subscriber.open, frozenset(settings))

    def registration(self, kind: str) -> dict[str, Any]:
        """The parameters of `push.set` for the device of a kind."""
        given: dict[str, Any] = {"provider": kind, "token": TOKENS[kind]}
        if kind == "apns":
            given["call_token"] = CALL_TOKEN
        if kind == "webpush":
            public, secret = base64url(self.subscriber.public), base64url(self.subscriber.secret)
            given["keys"] = {"p256dh": public, "auth": secret}
        return given

    def _context(self, name: str) -> PushContext:
        return PushContext(name, "home.example", self._clock, self._secrets.__getitem__, lambda: bytes(32))

    def _apns(self) -> PushProvider:
        key = ec.generate_private_key(ec.SECP256R1())
        self._secrets["apns"] = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        way = Http2(self._clock, APPLE_HOST, self.wire.peers("apns"), Http2Limits())
        return Apns(self._context("apns"), ApnsSettings(key="secret:apns", **APPLE), way)

    def _fcm(self) -> PushProvider:
        settings = FcmSettings(account="secret:fcm")
        double = FcmDouble(settings.login_url, self._clock.seconds)
        self._secrets["fcm"] = json.dumps(double.account).encode()
        peers = self.wire.peers("fcm", b'{"name":"projects/safeum-test-1/messages/1"}')
        way = Http2(self._clock, GOOGLE_HOST, peers, Http2Limits())
        login = self.wire.http("google", settings.login_url, double)
        return Fcm(self._context("fcm"), settings, way, login)

    def _wns(self) -> PushProvider:
        entra = EntraDouble()
        settings = WnsSettings(tenant=entra.TENANT, client=entra.CLIENT, key="secret:wns")
        self._secrets["wns"] = entra.SECRET.encode()
        places = self.wire.places("wns", {Place("db5.notify.windows.com"): WnsDouble(entra)})
        return Wns(self._context("wns"), settings, places, self.wire.http("entra", settings.login_url, entra))

    def _webpush(self) -> PushProvider:
        settings = WebPushSettings(contact=CONTACT)
        key = WebPush(self._context("webpush"), settings, None).application_key  # type: ignore[arg-type]
        service = PushService("https://push.example", key, self._clock.seconds)
        places = self.wire.places("webpush", {Place("push.example"): service})
        return WebPush(self._context("webpush"), settings, places)
