"""The section `[trunk]`, what Kamailio and Janus are told, and what their log comes to."""

import os
import sqlite3
import subprocess
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.config import ConfigError, TrunkSection, parse
from safeum_home.config_trunk import split
from safeum_home.daemon import Owner
from safeum_home.errors import Code, Problem
from safeum_home.grants.trunk import TrunkGrant
from safeum_home.trunk import janus, kamailio, place
from safeum_home.trunk.log import EDGE_SERVES, JANUS_SERVES, EdgeLog, JanusLog
from safeum_home.trunk.rendering import render
from tests.e2e import trunk as e2e
from tests.e2e.needs import tool
from tests.test_config import NODE

SELF = Owner(os.geteuid(), os.getegid())
LEAST = '[trunk]\ncarriers = ["198.51.100.7:5060"]\nlisten = "192.0.2.10:5060"\n'
MARK = f"#{'5' * 32}"


def section(more: str = "") -> TrunkSection:
    return parse(f"{NODE}{LEAST}{more}").trunk


class SectionTests(SynchronousTestCase):
    """`[trunk]`."""

    def test_least(self) -> None:
        """Two addresses are enough; none at all is no trunk."""
        self.assertEqual(section().carriers, ["198.51.100.7:5060"])
        self.assertEqual(parse(NODE).trunk, TrunkSection())

    def test_refused(self) -> None:
        """What is no address, port, number, network or user; and what could be more than one line or word."""
        for line in (
            'public = "edge.example"',
            'public = "0.0.0.0"',
            'inside = "0.0.0.0:5060"',
            'inside = "192.0.2.10:5060"',
            'websocket = "127.0.0.1"',
            'janus = "localhost"',
            'media = "192.0.2.10\\n"',
            'app = ["192.0.2.10\\"; debug_level = 7; x = \\""]',
            'app_public = "1.2.3"',
            'also_from = ["198.51.100.1/24"]',
            'domain = "a\\"b"',
            'domain = "a b"',
            'domain = "-a"',
            'numbers = ["35449"]',
            'numbers = ["+0354"]',
            'numbers = ["+354.*"]',
            'numbers = ["+35449\\n"]',
            'codecs = ["G729"]',
            "codecs = []",
            "calls = 0",
            "calls = 3000",
            "call_seconds = 59",
            "first_port = 80",
            "first_port = 30000",
            "app_first_port = 23000",
            'login = "a b"\nproof = "secret:x"',
            'login = "us"',
            'login = "us"\nproof = "hunter2"',
            'proof = "secret:x"',
            'transport = "tls"',
            'kamailio_user = "root; true"',
            'janus_user = ""',
            'name = "A B"',
            'password = "x"',
        ):
            self.assertRaises(ConfigError, section, line)
        for lines in (
            'listen = "192.0.2.10:5060"',
            'carriers = ["198.51.100.7:5060"]',
            'carriers = ["sip.example:5060"]\nlisten = "192.0.2.10:5060"',
            'carriers = ["198.51.100.7"]\nlisten = "192.0.2.10:5060"',
            'carriers = ["198.51.100.7:65536"]\nlisten = "192.0.2.10:5060"',
            'carriers = ["198.51.100.7:5060"]\nlisten = "[::]:5060"',
        ):
            self.assertRaises(ConfigError, parse, f"{NODE}[trunk]\n{lines}")

    @given(st.text(max_size=40))
    def test_split(self, text: str) -> None:
        """Whatever is taken for an address and a port is written as it was."""
        try:
            host, port = split(text)
        except ValueError:
            return
        self.assertIn(text.rpartition(":")[0].strip("[]").lower(), (host, text.lower()[: -len(str(port))]))
        self.assertRegex(f"{host} {port}", r"\A[0-9a-f.:]+ [0-9]+\Z")


class RenderedTests(SynchronousTestCase):
    """What comes of it."""

    def test_no_secret_is_shown(self) -> None:
        """`carrier render` has all of the files, and where a secret would be there are stars."""
        shown = render(section('login = "us"\nproof = "secret:carrier"'))
        for name in ("kamailio.cfg", "janus.jcfg", "janus.plugin.sip.jcfg"):
            self.assertIn(f"# ===== {name}\n", shown)
        self.assertIn('api_secret = "*****"', shown)
        self.assertIn('pv_www_authenticate("edge.invalid", "*****", "0")', shown)
        self.assertNotRegex(shown, r"%[A-Z_]+%")
        with self.assertRaises(Problem) as caught:
            render(TrunkSection())
        self.assertIs(caught.exception.code, Code.WRONG_STATE)

    def test_secrets_are_hidden(self) -> None:
        """They are in no repr."""
        self.assertNotIn("hunter2", repr(TrunkGrant("hunter2", "hunter2")))

    def test_kamailio_takes_it(self) -> None:
        """With all settings and with few: Kamailio itself says so; a password is nothing to it but itself."""
        e2e.needs()
        many = (
            'also_from = ["203.0.113.0/24"]\npublic = "203.0.113.9"\ntransport = "tcp"\nplus = false\n'
            'domain = "us.example"\nnumbers = ["+35449", "+88216"]\nlogin = "us"\nproof = "secret:x"\n'
            'codecs = ["PCMU"]\ncalls = 5\ninside = "127.0.0.9:5080"\njanus = "127.0.0.8"\n'
        )
        more = 'carriers = ["127.0.0.3:5060", "127.0.0.4:5070"]\nlisten = "127.0.0.2:5062"\n'
        for text in (f"{more}{many}", more):
            found = parse(f"{NODE}[trunk]\n{text}").trunk
            done = self._checked(found, TrunkGrant("a" * 64, 'p"a\\ss!\n%EDGE_IP%'))
            self.assertEqual((done.returncode, "ERROR" in done.stderr), (0, False), done.stderr)

    def _checked(self, found: TrunkSection, grant: TrunkGrant) -> "subprocess.CompletedProcess[str]":
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        database = folder / "calls.sqlite"
        place.edge_database(database, SELF)
        text = kamailio.configuration(found, grant, kamailio.Paths(database, folder / "rpc"), MARK)
        (folder / "kamailio.cfg").write_text(text)
        command = [tool("kamailio"), "-c", "-f", str(folder / "kamailio.cfg")]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def test_janus(self) -> None:
        """Nothing is served but what is needed, and no other library is loaded."""
        text = janus.configuration(section('app = ["192.0.2.11"]'), "5" * 64, "6" * 64, Path("/ram"))
        for line in (
            f'api_secret = "{"5" * 64}"',
            "reclaim_session_timeout = 0",
            'ice_enforce_list = "192.0.2.11"',
            'rtp_port_range = "24000-27999"',
        ):
            self.assertIn(f"\t{line}\n", text)
        files = janus.others(section('public = "203.0.113.9"'))
        self.assertIn('\tsdp_ip = "203.0.113.9"\n', files["janus.plugin.sip.jcfg"])
        self.assertIn('\tlocal_media_ip = "192.0.2.10"\n', files["janus.plugin.sip.jcfg"])
        self.assertIn("\tadmin_ws = false\n", files["janus.transport.websockets.jcfg"])


class LogTests(SynchronousTestCase):
    """What is passed on of what they say."""

    def setUp(self) -> None:
        self.marked: list[str] = []
        self.log = EdgeLog(lambda: 0.0, MARK, self.marked.append)

    def _take(self, text: str) -> list[str]:
        return list(self.log.take(f"{text}\n".encode()))

    def _serve(self) -> None:
        self.assertEqual(self._take(f" 1(7) WARNING: <script>: {MARK} serves"), [EDGE_SERVES])

    def test_start(self) -> None:
        """Before it serves what is wrong is told as it is: it is the operator's."""
        line = "0(7) ERROR: <core> [core/udp_server.c:597]: udp_init(): bind(5, 192.0.2.10): Cannot assign"
        self.assertEqual(self._take(line), [line])
        self._serve()
        self.assertEqual(list(self.log.ended()), [])

    def test_nobody_is_told_of(self) -> None:
        """No number, no address, and nothing that may be a piece of a message."""
        self._serve()
        place = "ERROR: <core> [core/parser/parse_fline.c:272]: parse_first_line(): "
        for said in (
            "bad message (offset 5) [INVITE sip:+4930123456@192.0.2.1 Ann]",
            'From: "Ann" <sip:ann@example.org>',
            "could not send to +4930123456 at 192.0.2.1:5060",
            "parse error in sip:ann@198.51.100.7;tag=1",
            "from 2001:db8::1 for 4930123456",
        ):
            [line] = self._take(f" 3(7) {place}{said}")
            self.assertTrue(line.startswith(place), line)
            for part in ("Ann", "ann", "4930123456", "192.0.2", "198.51", "2001", "INVITE"):
                self.assertNotIn(part, line.removeprefix(place))
        self.assertEqual(self._take(" 3(7) INFO: something"), [])
        self.assertEqual(self.marked, [])

    def test_marked(self) -> None:
        """What has the mark is for nobody else; and what has none is not, however much it looks like it."""
        self._serve()
        self.assertEqual(self._take(f" 3(7) WARNING: <script>: {MARK} lost"), [])
        record = f"start_time=1.5; end_time=2; duration=1; mark={MARK}; direction=in; caller=; called=+1"
        self.assertEqual(self._take(f" 3(7) WARNING: acc [a.c:1]: log_write_cdr(): {record}"), [])
        self.assertEqual(
            self.marked,
            ["lost", "record start_time=1.5; end_time=2; duration=1; direction=in; caller=; called=+1"],
        )
        self.assertEqual(self._take(f" 3(7) WARNING: <script>: #{'6' * 32} lost"), ["3(7) WARNING: ..."])
        self.assertEqual(len(self.marked), 2)

    def test_janus(self) -> None:
        """The same."""
        log = JanusLog(lambda: 0.0)
        self.assertEqual(list(log.take(b"WebSockets thread started\n")), [JANUS_SERVES])
        said = b"[WARN] [4711] No call with +4930123456 (192.0.2.1)\n[INFO] Ann calls\n"
        [line] = log.take(said)
        self.assertTrue(line.startswith("[WARN] "))
        for part in ("4930123456", "192.0.2.1"):
            self.assertNotIn(part, line)

    def test_janus_place(self) -> None:
        """Where in Janus an error is told, and nothing else of it; what only looks like a place is not."""
        log = JanusLog(lambda: 0.0)
        list(log.take(b"WebSockets thread started\n"))
        said = b"[ERR] [ice.c:janus_ice_setup_local:3720] [3392790974066748] Ann, from ann.local\n"
        self.assertEqual(list(log.take(said)), ["[ERR] ice.c:janus_ice_setup_local:3720: ..."])
        for looks in (b"a.c:n4930123456:1", b"a.c:n:4930123456", b"192.0.2.1.c:n:1", b"Ann.c:n:1"):
            self.assertEqual(list(log.take(b"[ERR] [%s] Ann\n" % looks)), ["[ERR] ..."])


class PlaceTests(SynchronousTestCase):
    """Where their files are."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(dir="/dev/shm")
        self.addCleanup(folder.cleanup)
        self.base = Path(folder.name)
        self.environment = {"RUNTIME_DIRECTORY": str(self.base)}

    def test_kept(self) -> None:
        """What one leaves the next one has; two at once there are not."""
        with place.place("edge", self.environment) as folder:
            (place.kept(folder, "calls", SELF) / "x").write_text("x")
            with self.assertRaises(Problem) as caught, place.place("edge", self.environment):
                pass
            self.assertIs(caught.exception.code, Code.WRONG_STATE)
            with place.place("janus", self.environment) as other:
                self.assertNotEqual(other, folder)
        with place.place("edge", self.environment) as folder:
            self.assertEqual((place.kept(folder, "calls", SELF) / "x").read_text(), "x")
            (place.fresh(folder, "run", SELF) / "y").write_text("y")
            self.assertEqual(list(place.fresh(folder, "run", SELF).iterdir()), [])

    def test_unsafe(self) -> None:
        """One that others write to, that is a link, or on a disk."""
        (self.base / "safeum-carrier-edge").mkdir()
        (self.base / "safeum-carrier-edge").chmod(0o777)
        (self.base / "safeum-carrier-link").symlink_to(self.base)
        with self.assertRaises(Problem) as caught, place.place("edge", self.environment):
            pass
        self.assertIs(caught.exception.code, Code.UNSAFE_SOURCE)
        with self.assertRaises(OSError), place.place("link", self.environment):
            pass
        self.patch(place, "is_in_memory", lambda path: False)
        with self.assertRaises(Problem) as caught, place.place("other", self.environment):
            pass
        self.assertIs(caught.exception.code, Code.UNSAFE_SOURCE)

    def test_tables(self) -> None:
        """Kamailio's own, made once."""
        e2e.needs()
        path = self.base / "calls.sqlite"
        place.edge_database(path, SELF)
        before = path.stat().st_ino
        place.edge_database(path, SELF)
        self.assertEqual(path.stat().st_ino, before)
        with sqlite3.connect(path) as database:
            tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
        self.assertLessEqual({"dialog", "dialog_vars", "location", "version"}, tables)
