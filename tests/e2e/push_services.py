"""A push service that is not ours: npm's web-push-testing, with TLS before it, since it speaks HTTP alone."""

import json
import subprocess
from typing import Any
from urllib.parse import urlsplit

from twisted.internet.interfaces import IProtocolNegotiationFactory
from twisted.internet.task import deferLater
from twisted.protocols.portforward import ProxyClientFactory, ProxyFactory, ProxyServer
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from safeum_home.outgoing.answers import NoAnswer
from safeum_home.outgoing.http import HttpLimits, ProviderHttp
from safeum_home.ports.push import PushAddress
from tests.certificates import Authority
from tests.doubles.webpush import from_base64url
from tests.e2e.node_process import PATIENCE, _free_port
from tests.e2e.registries import node, npm

PACKAGE = "web-push-testing@1.2.2"


class _QuietClients(ProxyClientFactory):
    noisy = False


class _Behind(ProxyServer):
    clientProtocolFactory = _QuietClients


@implementer(IProtocolNegotiationFactory)
class Front(ProxyFactory):
    """Ends TLS."""

    noisy = False
    protocol = _Behind

    def acceptableProtocols(self) -> list[bytes]:
        # Without one Twisted refuses whoever proposes any (ALPN, RFC 7301).
        return [b"http/1.1"]


def tls_before(case: TestCase, reactor: Any, plain: int, tls: Any) -> int:
    """The port at which TLS is ended before a server on loopback."""
    listening = reactor.listenSSL(0, Front("127.0.0.1", plain), tls, interface="127.0.0.1")
    case.addCleanup(listening.stopListening)
    port: int = listening.getHost().port
    return port


class WebPushTesting:
    """Started on loopback; `host` is what its certificate is for."""

    def __init__(self, case: TestCase, reactor: Any, authority: Authority, host: str) -> None:
        self._reactor = reactor
        self._plain = _free_port()
        modules = npm("web-push-testing", PACKAGE)
        script = str(modules / "web-push-testing/src/bin/server.js")
        quiet = subprocess.DEVNULL
        process = subprocess.Popen([node(), script, str(self._plain)], stdout=quiet, stderr=quiet)
        case.addCleanup(process.wait)
        case.addCleanup(process.kill)
        self.port = tls_before(case, reactor, self._plain, authority.server(host))
        self._host = host
        # Not by the way that is tested: as its subscribers ask it.
        self._http = ProviderHttp(reactor, f"http://127.0.0.1:{self._plain}", None, HttpLimits())
        case.addCleanup(self._http.close)

    async def started(self) -> None:
        """It answers."""
        until = self._reactor.seconds() + PATIENCE
        while True:
            try:
                await self._post("status", {})
                return
            except NoAnswer:
                if self._reactor.seconds() > until:
                    raise
            await deferLater(self._reactor, 0.05)

    async def subscribe(self, application_key: str | None) -> PushAddress:
        """As a browser does, for messages of that key."""
        options = {"userVisibleOnly": "true", "applicationServerKey": application_key}
        found = await self._post("subscribe", options)
        path = urlsplit(found["data"]["endpoint"]).path
        keys = {name: from_base64url(text) for name, text in found["data"]["keys"].items()}
        return PushAddress(f"https://{self._host}:{self.port}{path}", key=keys["p256dh"], secret=keys["auth"])

    async def expire(self, address: PushAddress) -> None:
        """The subscription ends."""
        await self._post(f"expire-subscription/{_name(address)}", {})

    async def opened(self, address: PushAddress) -> list[str]:
        """What came for the subscription, decrypted."""
        found = await self._post("get-notifications", {"clientHash": _name(address)})
        return list(found["data"]["messages"])

    async def _post(self, path: str, document: object) -> Any:
        kind = {"Content-Type": "application/json"}
        answer = await self._http.request("POST", f"/{path}", kind, json.dumps(document).encode())
        assert answer.status == 200, answer
        return json.loads(answer.body) if answer.body.startswith(b"{") else None


def _name(address: PushAddress) -> str:
    return address.token.rpartition("/")[2]
