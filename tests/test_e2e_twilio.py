"""The bridge to Twilio, against Twilio's own OpenAPI document as Stoplight's Prism serves it."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from bridges.sms.twilio import twilio
from safeum_home.ports.sms import Accepted, Outcome, Permanent, SmsContext
from tests.doubles.sms import TwilioDouble
from tests.e2e.kannel import until
from tests.e2e.node_process import _free_port
from tests.e2e.registries import node, npm
from tests.sms_case import NUMBER, TEXT, URL, Reports

reactor: Any = _reactor
DOCUMENT = "@twilio-alpha/mcp/twilio-oai/spec/json/twilio_api_v2010.json"


class PrismTests(TestCase):
    timeout = 180

    def setUp(self) -> "Deferred[None]":  # type: ignore[override]
        return Deferred.fromCoroutine(self.begin())

    async def begin(self) -> None:
        log = self.start()
        await until(reactor, lambda: b"is listening" in log.read_bytes(), "Prism")

    def start(self) -> Path:
        """Start Prism on a free port; its log."""
        modules = npm("prism", "@stoplight/prism-cli@5.16.0", "@twilio-alpha/mcp@0.7.0")
        folder = Path(tempfile.mkdtemp(prefix="prism-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, folder)
        self.port = _free_port()
        script = str(modules / "@stoplight/prism-cli/dist/index.js")
        command = [node(), script, "mock", "--host", "127.0.0.1", "--port", str(self.port)]
        log = folder / "log"
        with log.open("wb") as out:
            prism = subprocess.Popen([*command, str(modules / DOCUMENT)], stdout=out, stderr=out)
        self.addCleanup(prism.wait)
        self.addCleanup(prism.kill)
        return log

    async def send(self, number: str = NUMBER, **changes: Any) -> Outcome:
        context = SmsContext("main", reactor, lambda _: TwilioDouble.TOKEN.encode(), URL, Reports())
        settings = {"account": TwilioDouble.ACCOUNT, "key": "secret:token", "sender": "+15005550006"}
        provider = twilio(context, settings | {"url": f"http://127.0.0.1:{self.port}"} | changes)
        self.addCleanup(provider.stop)
        return await provider.send(number, TEXT)

    async def test_documented(self) -> None:
        """Requests are what the document describes, and its answers are understood."""
        outcome = await self.send()
        assert isinstance(outcome, Accepted), outcome
        self.assertRegex(outcome.reference, "^(SM|MM)[0-9a-f]{32}$")
        outcome = await self.send(sender="MG" + "0123456789abcdef" * 2)
        self.assertIsInstance(outcome, Accepted)
        elsewhere = await self.send(url=f"http://127.0.0.1:{self.port}/elsewhere")
        self.assertEqual(
            elsewhere, Permanent("the provider does not know the resource", account_refused=True)
        )
