"""APNs as its documents describe it, on node's http2 in a process of its own, and a provider that asks it."""

import json
import tempfile
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from twisted.internet import reactor as installed_reactor
from twisted.trial.unittest import TestCase

from bridges.push.apns import apns
from safeum_home.errors import Code, Problem
from safeum_home.ports.push import Outcome, PushAddress, PushContext, PushProvider, Wake
from tests.certificates import Authority
from tests.doubles.process import PATIENCE, DoubleProcess
from tests.e2e.registries import node

SCRIPT = Path(__file__).parent / "doubles" / "apns.js"
reactor: Any = installed_reactor

KEY_ID, TEAM_ID, BUNDLE = "ABC123DEFG", "DEF123GHIJ", "com.example.home"
TOKEN, CALL_TOKEN = "ab" * 32, "cd" * 32


def signing_key() -> tuple[bytes, str]:
    """A .p8 file, and its public key."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), public.decode()


class ApnsDouble(DoubleProcess):
    """The process. It is ordered with `tell`; `port` once it `runs`."""

    port = 0

    async def run(self, folder: Path, authority: Authority, public: str, **options: Any) -> None:
        """Start it, with a certificate of `authority`, and a provider's public key."""
        certificate, key = authority.issue("127.0.0.1", "localhost")
        (folder / "certificate.pem").write_bytes(certificate)
        (folder / "key.pem").write_bytes(key)
        known = {"key": public, "kid": KEY_ID, "team": TEAM_ID, "bundle": BUNDLE, **options}
        files = [str(folder / "key.pem"), str(folder / "certificate.pem")]
        program = node()
        reactor.spawnProcess(self, program, [program, str(SCRIPT), *files, json.dumps(known)], env=None)
        self.port = (await self.next("listening"))["port"]

    async def tell(self, **orders: Any) -> dict[str, Any]:
        """Give orders; how it is with it afterwards."""
        self.order(**orders)
        return await self.next("done")

    async def stop(self) -> None:
        self.transport.closeStdin()  # type: ignore[union-attr]
        await self.ended.addTimeout(PATIENCE, reactor)


class ApnsCase(TestCase):
    """Tests against the double: `self.double`, and a provider by `self.provider()`."""

    timeout = 120

    async def setUp(self) -> None:  # type: ignore[override]  # trial awaits it
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.authority = Authority()
        (self.folder / "ca.pem").write_bytes(self.authority.pem)
        private, public = signing_key()
        self.secrets = {"apns": private}
        self.double = ApnsDouble()
        await self.double.run(self.folder, self.authority, public)
        self.opened: list[PushProvider] = []

    async def tearDown(self) -> None:  # type: ignore[override]  # trial awaits it
        for provider in self.opened:
            await provider.stop()
        await self.double.stop()
        self.assertEqual(self.double.errors, b"")

    def secret(self, name: str) -> bytes:
        if name not in self.secrets:
            raise Problem(Code.NOT_FOUND)
        return self.secrets[name]

    def context(self) -> PushContext:
        return PushContext("apple", "node.example", reactor, self.secret, lambda: b"\0" * 32)

    def settings(self, **changes: Any) -> dict[str, Any]:
        known = {"key": "secret:apns", "key_id": KEY_ID, "team_id": TEAM_ID, "topic": BUNDLE}
        where = {"url": f"https://localhost:{self.double.port}", "ca": str(self.folder / "ca.pem")}
        return {name: value for name, value in {**known, **where, **changes}.items() if value is not None}

    def provider(self, **changes: Any) -> PushProvider:
        provider = apns(self.context(), self.settings(**changes))
        self.opened.append(provider)
        return provider

    async def woken(
        self,
        provider: PushProvider,
        token: str = TOKEN,
        wake: Wake = Wake.MESSAGE,
        call_token: str | None = None,
    ) -> Outcome:
        outcome: Outcome = await provider.wake(PushAddress(token, call_token), wake, 60)
        self.assertNotIn(token, repr(outcome))
        return outcome
