"""Carriers of a node: found through entry points, tried in their order, counted and shown."""

import configparser
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from msgspec import NODEFAULT
from msgspec.structs import fields
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bridges.safenum.janus.settings import JanusSettings
from bridges.safenum.loading import GROUP, load
from safeum_home.admin.metrics import Metrics, written
from safeum_home.config import ConfigError, parse
from safeum_home.errors import Code, Problem
from safeum_home.node.carriers import NodeCarriers, make_carriers
from safeum_home.node.carriers_counting import Outcome, outcome_of
from safeum_home.node.carriers_metrics import of_carriers
from safeum_home.node.startup import StartError
from safeum_home.ports.carrier import (
    APP_VANISHED,
    NETWORK_DOWN,
    CarrierCall,
    CarrierCounts,
    CarrierEnd,
    CarrierListener,
    CarrierLost,
    Exchange,
    Incoming,
)
from tests.entry_points import install

PAGE = (Path(__file__).parent.parent / "docs" / "bridges.md").read_text()
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
NODE = '[node]\nname = "home.example"\nstate_dir = "/nowhere"\n'
OURS, THEIRS, SDP = "+354490000001", "+4930123456", "v=0\n"


def section(title: str) -> str:
    """What stands below a heading."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def blocks(language: str, title: str) -> list[str]:
    return [body for found, body in FENCE.findall(section(title)) if found == language]


class Ear:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def progress(self, sdp: str | None) -> None:
        self.told.append(("progress", sdp))

    def answered(self, sdp: str | None) -> None:
        self.told.append(("answered", sdp))

    def dtmf(self, digits: str) -> None:
        self.told.append(("dtmf", digits))

    def ended(self, end: CarrierEnd) -> None:
        self.told.append(("ended", end))


class Desk:
    """An exchange that remembers."""

    def __init__(self) -> None:
        self.calls: list[tuple[CarrierCall, Incoming, Ear]] = []

    def incoming(self, call: CarrierCall, offer: Incoming) -> CarrierListener:
        ear = Ear()
        self.calls.append((call, offer, ear))
        return ear


class Made:
    """A carrier as a test wants it."""

    def __init__(self, is_up: bool = True, lost: CarrierLost | None = None) -> None:
        self.is_up = is_up
        self.lost = lost
        self.standing = "as it is"
        self.lines = (1, 5)
        self.counts = CarrierCounts(lost=2, missed=3, refused=4)
        self.dialled: list[str] = []
        self.listeners: list[CarrierListener] = []
        self.exchange: Exchange | None = None
        self.stopped: Deferred[None] = succeed(None)

    def start(self, exchange: Exchange) -> None:
        self.exchange = exchange

    def stop(self) -> Deferred[None]:
        self.exchange = None
        return self.stopped

    def dial(self, cli: str, to: str, sdp: str, listener: CarrierListener) -> Any:
        if self.lost is not None:
            raise self.lost
        self.dialled.append(to)
        self.listeners.append(listener)
        return SimpleNamespace(reference="r")


class ThirdPartyTests(SynchronousTestCase):
    """What docs/bridges.md shows in full, installed and used."""

    def setUp(self) -> None:
        [code] = blocks("python", "A carrier of your own")
        [about] = blocks("text", "A carrier of your own")
        [settings] = blocks("toml", "A carrier of your own")
        package = configparser.ConfigParser()
        package.read_string(about)
        entries = package["options.entry_points"][GROUP].strip().splitlines()
        install(self, GROUP, package["options"]["py_modules"], code, dict(e.split(" = ") for e in entries))
        self.clock, self.desk, self.ear = Clock(), Desk(), Ear()
        self.carriers = make_carriers(parse(NODE + settings), self.clock, lambda name: b"", lambda word: b"")
        self.carriers.start(self.desk)

    def turn(self) -> None:
        for _ in range(5):
            self.clock.advance(0)

    def dial(self) -> CarrierCall:
        name, call = self.carriers.dial(OURS, THEIRS, SDP, self.ear)
        self.assertEqual((name, self.ear.told), ("home", []))
        self.turn()
        return call

    def test_answered(self) -> None:
        """A call goes the whole way: configuration, entry point, bridge, exchange, and back."""
        call = self.dial()
        [(there, offer, ear)] = self.desk.calls
        self.assertEqual(offer, Incoming(THEIRS, OURS, SDP, "home"))
        there.answer("theirs")
        self.turn()
        call.dtmf("12#")
        self.turn()
        there.hang_up()
        call.hang_up()
        self.turn()
        end = CarrierEnd(200, 16)
        self.assertEqual(self.ear.told, [("progress", None), ("answered", "theirs"), ("ended", end)])
        self.assertEqual(ear.told, [("answered", None), ("dtmf", "12#"), ("ended", end._replace(far=False))])
        self.assertEqual(self.carriers.report(), ["home: leads back here; 0 of 4 lines taken"])

    def test_declined_and_full(self) -> None:
        """It is declined with a code; a fifth call finds no line."""
        self.dial()
        self.desk.calls[0][0].decline(486)
        self.turn()
        self.assertEqual(self.ear.told[-1], ("ended", CarrierEnd(486)))
        for _ in range(4):
            self.carriers.dial(OURS, THEIRS, SDP, Ear())
        lost = self.assertRaises(CarrierLost, self.carriers.dial, OURS, THEIRS, SDP, Ear())
        self.assertIs(lost.code, Code.BUSY)

    def test_stopped(self) -> None:
        """All calls end with it, and no other begins."""
        self.dial()
        self.successResultOf(Deferred.fromCoroutine(self.carriers.stop()))
        self.turn()
        self.assertEqual(self.ear.told[-1][0], "ended")
        lost = self.assertRaises(CarrierLost, self.carriers.dial, OURS, THEIRS, SDP, Ear())
        self.assertIs(lost.code, Code.CARRIER_UNAVAILABLE)

    def test_checked(self) -> None:
        check = load("hairpin").check  # type: ignore[attr-defined]
        self.assertIn("home", str(self.assertRaises(ConfigError, check, "home", {"calls": 0})))


class LoadingTests(SynchronousTestCase):
    def test_ours(self) -> None:
        """Janus is installed with the node, and takes the settings that are shown."""
        check = load("janus").check  # type: ignore[attr-defined]
        [shown] = [parse(NODE + body).safenum.carriers for body in blocks("toml", "Telephone carriers")]
        check(shown[0].name, shown[0].settings)
        self.assertIn("main", str(self.assertRaises(ConfigError, check, "main", {"colour": "red"})))

    def test_none(self) -> None:
        """A kind that is not there is told of, with those that are."""
        said = str(self.assertRaises(ConfigError, load, "tin-can"))
        self.assertIn("safenum.carriers: there is no kind tin-can", said)
        self.assertIn("janus", said)

    def test_settings(self) -> None:
        """Every setting of `janus` is in the table, with its default."""
        rows = dict(re.findall(r"^\| `(\w+)` \| (?:`([^`]+)`)? *\|", section("Through Janus"), re.M))
        self.assertEqual(set(rows), set(JanusSettings.__struct_fields__))
        for each in fields(JanusSettings):
            self.assertIsNot(each.default, NODEFAULT)
            self.assertEqual(rows[each.name], "" if each.default is None else str(each.default))

    def test_secrets(self) -> None:
        """No secret stands in the configuration."""
        for name in ("api_secret", "password", "token", "auth"):
            more = f'[[safenum.carriers]]\nname = "a"\nkind = "janus"\nsettings = {{ {name} = "hunter2" }}\n'
            said = str(self.assertRaises(ConfigError, parse, NODE + more))
            self.assertIn(name, said)
            self.assertNotIn("hunter2", said)

    def test_cannot_be_made(self) -> None:
        """Settings that a bridge does not take keep the node from opening, and are not quoted."""
        more = '[[safenum.carriers]]\nname = "a"\nkind = "janus"\nsettings = { endpoint = "hunter2" }\n'
        config = parse(NODE + more)
        error = self.assertRaises(StartError, make_carriers, config, Clock(), lambda n: b"", lambda w: b"")
        self.assertIn("settings of a: endpoint", str(error))
        self.assertNotIn("hunter2", str(error))


class NodeCarriersTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.first, self.second = Made(), Made()
        self.carriers = NodeCarriers([("first", self.first), ("second", self.second)])

    def dial(self) -> str:
        return self.carriers.dial(OURS, THEIRS, SDP, Ear())[0]

    def test_order(self) -> None:
        """The first that is up and has a line."""
        self.assertEqual(self.carriers.names, ["first", "second"])
        self.assertEqual(self.dial(), "first")
        self.first.is_up = False
        self.assertEqual(self.dial(), "second")
        self.first.is_up, self.first.lost = True, CarrierLost(is_full=True)
        self.assertEqual(self.dial(), "second")

    def test_none(self) -> None:
        """None that is up is another thing than none that has a line."""
        self.first.lost, self.second.is_up = CarrierLost(is_full=True), False
        self.assertIs(self.assertRaises(CarrierLost, self.dial).code, Code.BUSY)
        self.first.is_up = False
        self.assertIs(self.assertRaises(CarrierLost, self.dial).code, Code.CARRIER_UNAVAILABLE)
        no_carrier = NodeCarriers([])
        self.assertRaises(CarrierLost, no_carrier.dial, OURS, THEIRS, SDP, Ear())

    def test_bad_offer(self) -> None:
        """An offer that is of no use is of no use to the next carrier either."""
        self.first.lost = Problem(Code.INVALID_PARAMS)  # type: ignore[assignment]
        self.assertIs(self.assertRaises(Problem, self.dial).code, Code.INVALID_PARAMS)
        self.assertEqual(self.second.dialled, [])

    def test_stop(self) -> None:
        """One that fails does not keep the others from being stopped."""
        self.carriers.start(Desk())
        self.first.stopped = fail(ValueError())
        self.successResultOf(Deferred.fromCoroutine(self.carriers.stop()))
        self.assertIsNone(self.second.exchange)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_counted(self) -> None:
        """What becomes of calls is counted, and passed on."""
        self.carriers.start(Desk())
        self.dial()
        [listener] = self.first.listeners
        listener.progress(None)
        listener.answered("sdp")
        listener.dtmf("1")
        listener.ended(CarrierEnd(200, 16))
        lines = written("calls", Metrics(of_carriers(self.carriers)))
        ended = 'safeum_calls_carrier_ended_total{carrier="first",direction="out",outcome="answered"} 1'
        for line in (
            ended,
            'safeum_calls_carrier_up{carrier="second"} 1',
            'safeum_calls_carrier_lines{carrier="first"} 5',
            'safeum_calls_carrier_taken{carrier="first"} 1',
            'safeum_calls_carrier_lost_total{carrier="first"} 2',
            'safeum_calls_carrier_missed_total{carrier="first"} 3',
            'safeum_calls_carrier_refused_total{carrier="first"} 4',
        ):
            self.assertIn(line, lines)
        self.assertEqual(
            self.carriers.report()[0],
            "first: as it is; 1 of 5 lines taken; 3 calls found all lines taken; "
            "4 times a call was refused before it reached the carrier",
        )

    def test_outcomes(self) -> None:
        for end, was_answered, outcome in (
            (CarrierEnd(200), True, Outcome.ANSWERED),
            (CarrierEnd(200, NETWORK_DOWN, far=False), True, Outcome.BROKEN),
            (CarrierEnd(200, APP_VANISHED, far=False), True, Outcome.BROKEN),
            (CarrierEnd(200, NETWORK_DOWN), True, Outcome.ANSWERED),
            (CarrierEnd(486), False, Outcome.BUSY),
            (CarrierEnd(487), False, Outcome.NO_ANSWER),
            (CarrierEnd(404), False, Outcome.UNALLOCATED),
            (CarrierEnd(403), False, Outcome.REFUSED),
            (CarrierEnd(603), False, Outcome.REFUSED),
            (CarrierEnd(503), False, Outcome.TROUBLE),
            (CarrierEnd(), False, Outcome.TROUBLE),
        ):
            self.assertIs(outcome_of(end, was_answered), outcome)
