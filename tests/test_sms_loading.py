"""Bridges are found through entry points: ours, and that of a third party, as docs/bridges.md shows it."""

import configparser
import json
import re
from base64 import b64decode
from pathlib import Path
from typing import Any

from twisted.internet import reactor as installed_reactor
from twisted.trial.unittest import SynchronousTestCase, TestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from bridges.sms.loading import GROUP, load
from bridges.sms.smpp import Smpp
from safeum_home.config import Config, ConfigError, parse
from safeum_home.errors import Code, Problem
from safeum_home.node.sms import make_texts
from tests.entry_points import install
from tests.sms import HOST, NUMBER, TEXT, logged

reactor: Any = installed_reactor
DOCUMENT = Path(__file__).parent.parent / "docs" / "bridges.md"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
NODE = '[node]\nname = "home.example"\nstate_dir = "/nowhere"\n'


def blocks(language: str) -> list[str]:
    """The blocks of the document in a language, as far as it is about text messages."""
    about_texts = DOCUMENT.read_text().partition("\n## Telephone carriers\n")[0]
    return [body for found, body in FENCE.findall(about_texts) if found == language]


def configurations() -> list[Config]:
    """Those that the document shows."""
    return [parse(NODE + body) for body in blocks("toml") if "sms.providers" in body]


class LoadingTests(SynchronousTestCase):
    def refused(self, kind: str) -> str:
        return str(self.assertRaises(ConfigError, load, kind))

    def test_ours(self) -> None:
        """They are installed with the node."""
        self.assertIs(load("smpp"), Smpp)

    def test_checked(self) -> None:
        """Each of ours can say before the start that settings will not do, and takes those that are shown."""
        shown = {one.kind: dict(one.settings) for config in configurations() for one in config.sms.providers}
        for kind in ("smpp", "twilio", "vonage", "kannel"):
            check = load(kind).check  # type: ignore[attr-defined]
            self.assertIn("main", str(self.assertRaises(ConfigError, check, "main", {"colour": "red"})))
            if kind in shown:
                check("main", shown[kind])

    def test_none(self) -> None:
        """A kind that is not there is told of, with those that are; that of `make run` is not there."""
        for kind in ("smmp", "terminal"):
            self.assertIn(f"no kind {kind}", self.refused(kind))
            self.assertIn("smpp", self.refused(kind))

    def test_broken(self) -> None:
        """A package that fails, brings what is no bridge, or a kind that another brings, is told of."""
        install(self, GROUP, "fails", "raise RuntimeError('why')", {"failing": "fails:bridge"})
        install(self, GROUP, "empty", "bridge = 5", {"five": "empty:bridge", "lacking": "empty:nothing"})
        install(self, GROUP, "taken", "def bridge(): ...", {"smpp": "taken:bridge"})
        self.assertIn("RuntimeError: why", self.refused("failing"))
        self.assertIn("five is no bridge", self.refused("five"))
        self.assertIn("lacking does not load", self.refused("lacking"))
        self.assertIn("several packages bring a kind smpp", self.refused("smpp"))


class Telephone(Resource):
    """The gateway in the drawer: it answers with `status`."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.status = 202
        self.asked: list[tuple[str, Any, str]] = []

    def render_POST(self, request: Request) -> bytes | int:
        assert request.content is not None
        user = b64decode((request.getHeader("authorization") or "").removeprefix("Basic ")).decode()
        self.asked.append((request.path.decode(), json.load(request.content), user))
        if self.status == 0:
            return NOT_DONE_YET
        request.setResponseCode(self.status)
        return b'{"id": "abc", "state": "Pending"}'


class ThirdPartyTests(TestCase):
    """What docs/bridges.md shows in full, installed and used."""

    async def setUp(self) -> None:  # type: ignore[override]  # trial awaits it
        [code] = blocks("python")
        [written] = blocks("text")
        about = configparser.ConfigParser()
        about.read_string(written)
        entries = about["options.entry_points"][GROUP].strip().splitlines()
        install(
            self,
            GROUP,
            about["options"]["py_modules"],
            code,
            dict(entry.split(" = ") for entry in entries),
        )
        self.logged = logged(self)
        self.telephone = Telephone()
        self.port = reactor.listenTCP(0, Site(self.telephone), interface="127.0.0.1")
        self.addCleanup(self.port.stopListening)
        self.secrets = {"drawer": b"open sesame\n"}
        [settings] = [body for body in blocks("toml") if 'kind = "drawer"' in body]
        settings = settings.replace("http://192.0.2.10:8080", f"http://127.0.0.1:{self.port.getHost().port}")
        more = "[sms]\nattempt_seconds = 3\nrounds = 1\n"
        self.texts = make_texts(parse(NODE + more + settings), reactor, self.secret)
        self.addCleanup(self.texts.stop)

    def secret(self, name: str) -> bytes:
        if name not in self.secrets:
            raise Problem(Code.NOT_FOUND)
        return self.secrets[name]

    async def refused(self) -> Code:
        try:
            await self.texts.sender.send(NUMBER, TEXT, HOST)
        except Problem as problem:
            return problem.code
        self.fail("it was sent")

    async def test_sends(self) -> None:
        """A message goes the whole way: configuration, entry point, sender, bridge, and what it talks to."""
        await self.texts.sender.send(NUMBER, TEXT, HOST)
        body = {"textMessage": {"text": TEXT}, "phoneNumbers": [NUMBER]}
        self.assertEqual(self.telephone.asked, [("/message", body, "sms:open sesame")])
        self.assertEqual(self.texts.report()[0], "drawer: taking messages; taken 1")
        noise = str([str(event.get("factory")) for event in self.logged])
        self.assertNotIn("HTTP11ClientFactory", noise)
        self.assertNotIn("Quiet", noise)

    async def test_in_trouble(self) -> None:
        """5xx, 4xx and no answer are counted as what they are."""
        for status, line in (
            (500, "taking messages; temporary 1"),
            (400, "taking messages; refused 1, temporary 1"),
            (0, "taking messages; refused 1, temporary 1, timed_out 1"),
        ):
            self.telephone.status = status
            self.assertEqual(await self.refused(), Code.SMS_UNAVAILABLE)
            self.assertEqual(self.texts.report()[0], f"drawer: {line}")

    async def test_account(self) -> None:
        """401 opens the breaker at once."""
        self.telephone.status = 401
        self.assertEqual(await self.refused(), Code.SMS_UNAVAILABLE)
        self.assertEqual(await self.refused(), Code.SMS_UNAVAILABLE)
        self.assertEqual(self.texts.report()[0], "drawer: left alone for a while; refused 1")
        self.assertEqual(len(self.telephone.asked), 1)

    async def test_no_secret(self) -> None:
        """Without its password nobody is asked."""
        self.secrets.clear()
        self.assertEqual(await self.refused(), Code.SMS_UNAVAILABLE)
        self.assertEqual(
            (self.texts.report()[0], self.telephone.asked), ("drawer: left alone for a while; refused 1", [])
        )

    def test_before_the_start(self) -> None:
        """Its settings are checked before there is a context, which needs a secret."""
        check = load("drawer").check  # type: ignore[attr-defined]
        check("drawer", {"url": "http://192.0.2.10", "user": "sms", "password": "secret:drawer"})
        self.assertIn("drawer", str(self.assertRaises(ConfigError, check, "drawer", {"url": 5})))

    def test_settings(self) -> None:
        """Settings that it does not know are refused, with its name."""
        bridge = load("drawer")
        context: Any = type("Context", (), {"name": "drawer", "reactor": reactor})
        for settings in ({}, {"url": "", "user": "", "password": "secret:x", "colour": 1}, {"url": 5}):
            self.assertIn("drawer", str(self.assertRaises(ConfigError, bridge, context, settings)))


class DocumentTests(SynchronousTestCase):
    def test_kinds(self) -> None:
        """Every provider that is shown is of a kind with a section of its own, or the third party's."""
        shown = {provider.kind for config in configurations() for provider in config.sms.providers}
        titles = re.findall(r"^### ([\w, ]+)$", DOCUMENT.read_text(), re.M)
        sections = {kind for title in titles for kind in title.split(", ")}
        self.assertEqual(shown - sections, {"drawer"})
        self.assertIn("smpp", shown)

    def test_settings(self) -> None:
        """Every setting of `smpp` is in its table, with its default."""
        table = DOCUMENT.read_text().partition("### smpp")[2].partition("###")[0]
        from msgspec.structs import fields

        from bridges.sms.smpp.provider import SmppSettings

        for field in fields(SmppSettings):
            self.assertIn(f"`{field.name}`", table)
            if not field.required and field.name != "system_type":
                self.assertIn(f"`{json.dumps(field.default)}`", table, field.name)
