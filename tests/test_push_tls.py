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
from safeum_home.ports.push import (
    Accepted,
    Gone,
    PushAddress,
    PushContext,
    PushProvider,
    Refused,
    Temporary,
    Wake,
)
from tests.certificates import Authority
from tests.doubles.fcm import FcmDouble
from tests.doubles.process import PATIENCE, DoubleProcess
from tests.doubles.wns import EntraDouble, WnsDouble
from tests.e2e.registries import node

reactor: Any = _reactor
TOKEN = "fGhIjKlMnOpQrStUvWxYz0:APA91b" + "Ab-_9" * 26
WAKES, STREAMS = 200, 50
FRONT = Path(__file__).parent / "doubles" / "http2_front.js"


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

    def serve(self, root: Resource, *names: str, tls: bool = True) -> int:
        """The port of `root`, which has a certificate for `names`."""
        site: Any = Site(root, reactor=reactor)
        site.noisy = False
        site.log = lambda _request: None
        build = site.buildProtocol

        def counted(address: Any) -> Any:
            self.connections.append(address)
            return build(address)

        site.buildProtocol = counted
        if tls:
            own = self.authority.server(*names or ("localhost",))
            listening = reactor.listenSSL(0, site, own, interface="127.0.0.1")
        else:
            listening = reactor.listenTCP(0, site, interface="127.0.0.1")
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


class Front(DoubleProcess):
    """Node's own HTTP/2 in front of a resource."""

    async def run(self, folder: Path, authority: Authority, names: tuple[str, ...], port: int) -> int:
        """Start it; its port."""
        certificate, key = authority.issue(*names)
        files = [folder / "key.pem", folder / "certificate.pem"]
        for path, octets in zip(files, (key, certificate), strict=True):
            path.write_bytes(octets)
        program = node()
        arguments = [program, str(FRONT), *map(str, files), str(port), str(STREAMS)]
        reactor.spawnProcess(self, program, arguments, env=None)
        listening: int = (await self.next("listening"))["port"]
        return listening

    async def stop(self) -> None:
        self.transport.closeStdin()  # type: ignore[union-attr]
        await self.ended.addTimeout(PATIENCE, reactor)


class FcmTests(TlsCase):
    async def provider(self, authority: Authority, name: str = "localhost") -> PushProvider:
        self.double = FcmDouble("", reactor.seconds)
        self.front = Front()
        port = await self.front.run(self.folder, self.authority, (name,), self.serve(self.double, tls=False))
        self.addCleanup(self.front.stop)
        login = f"https://localhost:{self.serve(self.double)}"
        self.double.token_uri = f"{login}/token"
        url = f"https://localhost:{port}"
        settings = {"account": "secret:key", "url": url, "login_url": login, "ca": self.ca(authority)}
        return self.made(fcm(self.context(json.dumps(self.double.account).encode()), settings))

    async def test_many(self) -> None:
        """Wakes share a connection and an access token; none is lost where the other side leaves."""
        provider = await self.provider(self.authority)
        for _ in range(2):
            wakes = [provider.wake(PushAddress(TOKEN), Wake.MESSAGE, 60) for _ in range(WAKES)]
            self.assertEqual(await wakes.pop(), Accepted())
            self.front.order(leave=True)
            self.assertEqual(await gatherResults(wakes), [Accepted()] * len(wakes))
        self.assertEqual((len(self.double.taken), len(self.double.logins)), (2 * WAKES, 1))
        self.assertLessEqual([each["event"] for each in self.front.events].count("connected"), 4)

    async def test_errors(self) -> None:
        """What is refused is so over HTTP/2, too."""
        provider = await self.provider(self.authority)
        self.double.retry_after = "17"
        for name, wanted in (
            ("unregistered", Gone("FCM does not know the token any more")),
            ("unavailable", Temporary("FCM is in trouble", 17.0)),
        ):
            self.assertEqual(await provider.wake(PushAddress(f"{name}:{TOKEN}"), Wake.CALL, 30), wanted)

    async def test_not_believed(self) -> None:
        """Another authority, another name: no assertion is sent, and no token of a device."""
        provider = await self.provider(Authority())
        self.assertEqual(await provider.wake(PushAddress(TOKEN), Wake.CALL, 30), Temporary(TLS_FAILED))
        self.assertEqual((self.double.logins, self.double.headers), ([], []))
        provider = await self.provider(self.authority, "fcm.example")
        self.assertEqual(await provider.wake(PushAddress(TOKEN), Wake.CALL, 30), Temporary(TLS_FAILED))
        self.assertEqual((len(self.double.logins), self.double.headers), (1, []))


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
        self.assertEqual([await each for each in wakes], [Accepted()] * len(wakes))
        self.assertEqual((len(self.double.taken), self.entra.granted), (WAKES, 1))
        self.assertLessEqual(len(self.connections), 5)

    async def test_not_believed(self) -> None:
        """Who is not the channel's host gets no access token; who is not the login service no secret."""
        provider = self.provider(self.ca(self.authority), "a.notify.windows.com")
        self.assertEqual(await self.wake(provider), Temporary(TLS_FAILED, address_alone=True))
        self.assertEqual((self.entra.granted, self.double.heads), (1, []))
        provider = self.provider(self.ca(Authority()))
        self.assertEqual(await self.wake(provider), Temporary(TLS_FAILED))
        self.assertEqual((self.entra.granted, self.entra.refused, self.double.heads), (0, [], []))

    async def test_inside(self) -> None:
        """A host of the list that leads into the operator's own network is not connected to."""
        provider = self.provider(self.ca(self.authority), networks=[])
        self.assertEqual(await self.wake(provider), Refused(NOT_ALLOWED))
        self.assertEqual(self.double.heads, [])
        self.assertEqual(len(self.connections), 1)
