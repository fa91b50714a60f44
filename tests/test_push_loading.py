"""Bridges to push providers are found through entry points: ours, and the one in docs/push.md."""

import configparser
import re
from pathlib import Path
from typing import Any

from msgspec import NODEFAULT
from msgspec.structs import fields
from twisted.internet import reactor as installed_reactor
from twisted.trial.unittest import SynchronousTestCase, TestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from bridges.push.lane import BACK_OFF
from bridges.push.loading import GROUP, load
from bridges.push.tally import Became, Failed
from bridges.push.template import PAYLOADS
from safeum_home.config import Config, ConfigError, parse
from safeum_home.config_push import PushSection
from safeum_home.errors import Code, Problem
from safeum_home.node.push import make_pushes
from safeum_home.ports.push import Accepted, Gone, Outcome, PushAddress, Refused, Temporary, Wake, Woken
from tests.entry_points import install
from tests.sms import logged

reactor: Any = installed_reactor
PAGE = (Path(__file__).parent.parent / "docs" / "push.md").read_text()
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
NODE = '[node]\nname = "home.example"\nstate_dir = "/nowhere"\n'


def section(title: str) -> str:
    """What stands below a heading."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def blocks(language: str, text: str) -> list[str]:
    return [body for found, body in FENCE.findall(text) if found == language]


OWN = section("A bridge of your own")


def configurations() -> list[Config]:
    """Those that the page shows."""
    return [parse(NODE + body) for body in blocks("toml", PAGE) if "push.providers" in body]


class Fleet(Resource):
    """The service that manages telephones: it answers with `status`."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.status = 202
        self.asked: list[tuple[str, bytes, str | None]] = []

    def render_POST(self, request: Request) -> bytes | int:
        assert request.content is not None
        self.asked.append((request.uri.decode(), request.content.read(), request.getHeader("authorization")))
        if self.status == 0:
            return NOT_DONE_YET
        request.setResponseCode(self.status)
        return b"x" * (20_000 if self.status == 299 else 2)


class ThirdPartyTests(TestCase):
    """What docs/push.md shows in full, installed and used."""

    async def setUp(self) -> None:  # type: ignore[override]  # trial awaits it
        [code] = blocks("python", OWN)
        [written] = blocks("text", OWN)
        about = configparser.ConfigParser()
        about.read_string(written)
        entries = about["options.entry_points"][GROUP].strip().splitlines()
        install(self, GROUP, about["options"]["py_modules"], code, dict(e.split(" = ") for e in entries))
        self.logged = logged(self)
        self.fleet = Fleet()
        self.port = reactor.listenTCP(0, Site(self.fleet), interface="127.0.0.1")
        self.addCleanup(self.port.stopListening)
        self.secrets = {"fleet": b"open sesame\n"}
        [settings] = blocks("toml", OWN)
        settings = settings.replace(
            "https://fleet.example.org", f"http://127.0.0.1:{self.port.getHost().port}"
        )
        more = "[push]\nattempt_seconds = 0.2\n"
        self.pushes = make_pushes(parse(NODE + more + settings), reactor, self.secret, lambda name: b"")
        self.addCleanup(self.pushes.stop)

    def secret(self, name: str) -> bytes:
        if name not in self.secrets:
            raise Problem(Code.NOT_FOUND)
        return self.secrets[name]

    async def test(self, token: str = "d1") -> Outcome:
        return await self.pushes.sender.test("fleet", PushAddress(token))

    async def test_wakes(self) -> None:
        """A wake goes the whole way: configuration, entry point, queue, bridge, and what it talks to."""
        woken = await self.pushes.sender.wake("fleet", PushAddress("d1"), Wake.CALL)
        self.assertEqual(woken, Woken.TAKEN)
        expected = ("/devices/d1/wake?seconds=30", PAYLOADS[Wake.CALL], "Bearer open sesame")
        self.assertEqual(self.fleet.asked, [expected])
        self.assertEqual(self.pushes.report(), ["fleet: taking wakes; taken 1"])
        self.assertNotIn("Quiet", str([str(event.get("factory")) for event in self.logged]))

    async def test_says_how_it_went(self) -> None:
        """Each answer is what the page says of the four things that a bridge can say."""
        for status, outcome in (
            (202, Accepted()),
            (404, Gone("the device is not managed any more")),
            (401, Refused("the key is refused", account_refused=True)),
            (418, Refused("it does not take this")),
            (503, Temporary("it is in trouble")),
            (299, Temporary("its answer is too long")),
            (0, Temporary("timed out")),
        ):
            self.fleet.status = status
            self.assertEqual(await self.test(), outcome)
        self.secrets.clear()
        self.assertIsInstance(await self.test(), Refused)
        self.assertNotIn("sesame", str(self.logged))

    def test_checks(self) -> None:
        """Addresses and settings, without asking anybody."""
        self.pushes.sender.check("fleet", PushAddress("d1"))
        for bad in ("", "a/b", "\u0661"):
            self.assertRaises(Problem, self.pushes.sender.check, "fleet", PushAddress(bad))
        check = load("fleet").check  # type: ignore[attr-defined]
        self.assertIn("fleet", str(self.assertRaises(ConfigError, check, "fleet", {"url": 5})))
        self.assertEqual(self.fleet.asked, [])


class LoadingTests(SynchronousTestCase):
    def test_ours(self) -> None:
        """Each kind with a section is installed with the node, and takes the settings that are shown."""
        kinds = re.findall(r"^### (\w+)$", section("Kinds"), re.M)
        self.assertEqual(len(kinds), 4)
        shown = {one.kind: dict(one.settings) for config in configurations() for one in config.push.providers}
        self.assertLessEqual({"fleet"}, set(shown))
        self.assertLessEqual(set(shown) - {"fleet"}, set(kinds))
        for kind, settings in shown.items():
            if kind != "fleet":
                check = load(kind).check  # type: ignore[attr-defined]
                check("main", settings)
                self.assertIn("main", str(self.assertRaises(ConfigError, check, "main", {"colour": "red"})))

    def test_none(self) -> None:
        """A kind that is not there is told of, with those that are."""
        said = str(self.assertRaises(ConfigError, load, "smoke-signals"))
        self.assertIn("push.providers: there is no kind smoke-signals", said)
        self.assertIn("webpush", said)


class DocumentTests(SynchronousTestCase):
    """docs/push.md says what the code does."""

    def test_settings(self) -> None:
        """Every setting of `[push]` is in the table, with its default."""
        rows = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", section("Settings"), re.M))
        self.assertEqual(set(rows), set(PushSection.__struct_fields__))
        for each in fields(PushSection):
            default = each.default if each.default is not NODEFAULT else each.default_factory()
            self.assertEqual(rows[each.name], str(default))

    def test_counts(self) -> None:
        """Every count is explained."""
        table = section("Looking at it").partition("| count |")[2].partition("\n\n")[0]
        rows = re.findall(r"^\| (`.+?) \|", table, re.M)
        named = {word for row in rows for word in re.findall(r"\w+", row)}
        self.assertEqual(named, {*map(str, Became), *map(str, Failed)})

    def test_back_off(self) -> None:
        """The seconds that are named are those of the code."""
        text = section("When a provider fails")
        for wake, words in ((Wake.MESSAGE, "1, 2, 4, … 300 seconds"), (Wake.CALL, "0.5, 1, … 8")):
            self.assertIn(words, text)
            first, most = BACK_OFF[wake]
            numbers = re.findall(r"[\d.]+", words)
            self.assertEqual((float(numbers[0]), float(numbers[-1])), (first, most))
