"""FCM and WNS over real connections: whom the bridges believe, and that connections are kept."""

import json
import tempfile
from pathlib import Path
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import gatherResults
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import TestCase
from twisted.web.resource import Resource
from twisted.web.server import Site

from bridges.push.fcm import fcm
from bridges.push.wns import wns
from safeum_home.errors import Code, Problem
from safeum_home.outgoing.answers import TLS_FAILED
from safeum_home.outgoing.resolving import NOT_ALLOWED
from safeum_home.ports.push import Accepted, PushAddress, PushContext, PushProvider, Temporary, Wake
from tests.certificates import Authority
from tests.doubles.fcm import FcmDouble
from tests.doubles.wns import EntraDouble, WnsDouble

reactor: Any = _reactor
TOKEN = "fGhIjKlMnOpQrStUvWxYz0:APA91b" + "Ab-_9" * 26
WAKES = 200


class TlsCase(TestCase):
    timeout = 60

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.authority = Authority()
        self.connections: list[Any] = []
        self.logged: list[str] = []

        def keep(event: LogEvent) -> None:
            self.logged.append(formatEvent(event))

        observer: Any = keep
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def tearDown(self) -> None:
        """Nothing of what a bridge does is written into the log."""
        own = ("Site ", "(TLS Port", "(TCP Port")
        said = [line for line in self.logged if not line.startswith(own) and "resolv.conf" not in line]
        self.assertEqual([line for line in said if not line.startswith("Resolver added")], [])

    def ca(self, authority: Authority) -> str:
        path = self.folder / "ca.pem"
        path.write_bytes(authority.pem)
        return str(path)

    def serve(self, root: Resource, *names: str) -> int:
        """The port of `root`, which has a certificate for `names`."""
        site: Any = Site(root, reactor=reactor)
        site.noisy = False
        site.log = lambda _request: None
        build = site.buildProtocol

        def counted(address: Any) -> Any:
            self.connections.append(address)
            return build(address)

        site.buildProtocol = counted
        tls = self.authority.server(*names or ("localhost",))
        listening = reactor.listenSSL(0, site, tls, interface="127.0.0.1")
        self.addCleanup(listening.stopListening)
        port: int = listening.getHost().port
        return port

    def context(self, secret: bytes) -> PushContext:
        def opened(name: str) -> bytes:
            if name != "key":
                raise Problem(Code.NOT_FOUND)
            return secret

        return PushContext("main", "node.example", reactor, opened, lambda: b"\0" * 32)

    def made(self, provider: PushProvider) -> PushProvider:
        self.addCleanup(provider.stop)
        return provider


class FcmTests(TlsCase):
    def provider(self, ca: str, *names: str, **changes: Any) -> PushProvider:
        self.double = FcmDouble("https://localhost:1", reactor.seconds)
        url = f"https://localhost:{self.serve(self.double, *names)}"
        self.double.token_uri = f"{url}/token"
        settings = {"account": "secret:key", "url": url, "login_url": url, "ca": ca} | changes
        return self.made(fcm(self.context(json.dumps(self.double.account).encode()), settings))

    async def test_many(self) -> None:
        """Wakes share connections, and all of them one access token."""
        provider = self.provider(self.ca(self.authority), connections=4)
        wakes = [provider.wake(PushAddress(TOKEN), Wake.MESSAGE, 60) for _ in range(WAKES)]
        self.assertEqual(await gatherResults(wakes), [Accepted()] * WAKES)
        self.assertEqual((len(self.double.taken), len(self.double.logins)), (WAKES, 1))
        self.assertEqual(len(self.connections), 5)
        self.assertEqual({head.get("transfer-encoding") for head in self.double.headers}, {None})

    async def test_not_believed(self) -> None:
        """Another authority, another name: no assertion is sent, and no token of a device."""
        for ca, names in ((Authority(), ("localhost",)), (self.authority, ("fcm.example",))):
            provider = self.provider(self.ca(ca), *names)
            found = await provider.wake(PushAddress(TOKEN), Wake.MESSAGE, 60)
            self.assertEqual(found, Temporary(TLS_FAILED))
            self.assertEqual((self.double.logins, self.double.headers), ([], []))


class WnsTests(TlsCase):
    def provider(self, ca: str, *names: str, **changes: Any) -> PushProvider:
        self.entra = EntraDouble()
        self.double = WnsDouble(self.entra)
        self.host = f"localhost:{self.serve(self.double, *names)}"
        settings = {
            "tenant": EntraDouble.TENANT,
            "client": EntraDouble.CLIENT,
            "key": "secret:key",
            "login_url": f"https://localhost:{self.serve(self.entra)}",
            "hosts": [self.host],
            "networks": ["127.0.0.0/8", "::1/128"],
            "ca": ca,
        }
        return self.made(wns(self.context(EntraDouble.SECRET.encode()), settings | changes))

    async def wake(self, provider: PushProvider) -> Any:
        address = PushAddress(f"https://{self.host}/w/?token=received.BQ%2fAb%2b1")
        provider.check(address)
        return await provider.wake(address, Wake.CALL, 30)

    async def test_many(self) -> None:
        """Wakes share connections, and all of them one access token."""
        provider = self.provider(self.ca(self.authority), connections=4)
        wakes = [self.wake(provider) for _ in range(WAKES)]
        self.assertEqual([await each for each in wakes], [Accepted()] * WAKES)
        self.assertEqual((len(self.double.taken), self.entra.granted), (WAKES, 1))
        self.assertLessEqual(len(self.connections), 5)

    async def test_not_believed(self) -> None:
        """Who is not the channel's host gets no access token; who is not the login service no secret."""
        provider = self.provider(self.ca(self.authority), "a.notify.windows.com")
        self.assertEqual(await self.wake(provider), Temporary(TLS_FAILED))
        self.assertEqual((self.entra.granted, self.double.heads), (1, []))
        provider = self.provider(self.ca(Authority()))
        self.assertEqual(await self.wake(provider), Temporary(TLS_FAILED))
        self.assertEqual((self.entra.granted, self.entra.refused, self.double.heads), (0, [], []))

    async def test_inside(self) -> None:
        """A host of the list that leads into the operator's own network is not connected to."""
        provider = self.provider(self.ca(self.authority), networks=[])
        self.assertEqual(await self.wake(provider), Temporary(NOT_ALLOWED))
        self.assertEqual(self.double.heads, [])
        self.assertEqual(len(self.connections), 1)
