"""`make demo`: what it shows, that people can join, and that nothing of it stays."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client import aio
from safeum_home.protocol.types import Text
from tests.client_node_case import ROOT, SECONDS, until
from tests.e2e.node_process import _free_port
from tools.demo.talk import PASSWORD


async def texts(node: str, ca: bytes, login: str) -> list[str]:
    """What somebody who logs in finds in the first chat with somebody else."""
    async with await aio.connect(node, ca=ca) as client:
        await client.login(login, PASSWORD)
        [contact] = (await client.contacts()).contacts
        page = await client.history(contact.chat)
        await client.logout()
    return sorted(message.body.text for message in page.messages if isinstance(message.body, Text))


def two_free_ports() -> int:
    """The first of two."""
    while True:
        port = _free_port()
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


def of_session(leader: int) -> list[int]:
    """The processes that descend from one that began a session (proc(5), stat: the sixth field)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[3]) == leader:
            found.append(int(stat.parent.name))
    return found


class DemoTests(SynchronousTestCase):
    """All that it may write lies in one folder."""

    def setUp(self) -> None:
        self.box = Path(mkdtemp(prefix="safeum-", dir="/tmp"))
        self.addCleanup(rmtree, self.box)
        for name in ("tmp", "home", "here"):
            (self.box / name).mkdir()

    def start(self, port: int) -> "subprocess.Popen[bytes]":
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(self.box / "home"),
            "TMPDIR": str(self.box / "tmp"),
        }
        # What runs in the background, as tests may, has SIGINT ignored.
        demo = subprocess.Popen(
            ["env", "--default-signal=INT", sys.executable, "-m", "tools.demo", str(port)],
            cwd=self.box / "here",
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

        def stop() -> None:
            if demo.poll() is None:
                demo.kill()
            demo.communicate(timeout=SECONDS)

        self.addCleanup(stop)
        return demo

    def leave(self, demo: "subprocess.Popen[bytes]", how: signal.Signals) -> None:
        """It ends in peace, says nothing more, and nothing is left."""
        demo.send_signal(how)
        said, _ = demo.communicate(timeout=SECONDS)
        self.assertEqual((demo.returncode, said.decode()), (0, ""))
        self.assertEqual(of_session(demo.pid), [])
        self.assertEqual([path for each in self.box.iterdir() for path in each.iterdir()], [])

    def test_whole(self) -> None:
        """Two people talk across; others can join by what it says; Ctrl-C ends all."""
        demo = self.start(two_free_ports())
        assert demo.stdout is not None
        shown = until(demo.stdout, b"Ctrl-C.\n\n").decode()
        self.assertEqual(of_session(demo.pid), [demo.pid])
        joins = re.findall(r"safeum chat --node (\S+) --ca (\S+)", shown)
        self.assertEqual(len(joins), 2)
        (a, ca), (b, _) = joins
        for node, what in (
            (a, f"ada signs up, as ada@{a}"),
            (b, f"ben is asked by ada@{a}"),
            (b, "ben gets: Hello, over there!"),
            (a, "ada sees that it was delivered"),
            (a, "ada sees that it was read"),
            (a, "ada gets: Hello from my node to yours."),
            (b, "ben sees it edited: Hello, Ben!"),
            (a, "ada sees the reaction: 👍"),
            (a, "ada sends a file: letter.txt, 27000 octets"),
            (b, "ben fetches it through his own node, as it was"),
        ):
            self.assertIn(f"  {node}  {what}\n", shown)
        for node, login in ((a, "ada"), (b, "ben")):
            found = asyncio.run(texts(node, Path(ca).read_bytes(), login))
            self.assertEqual(found, ["Hello from my node to yours.", "Hello, Ben!"])
        self.leave(demo, signal.SIGINT)

    def test_meanwhile(self) -> None:
        """It can be ended in the middle of the talk, by closing its terminal too."""
        for how, after in ((signal.SIGINT, b"Two nodes"), (signal.SIGHUP, b"ada writes")):
            demo = self.start(two_free_ports())
            assert demo.stdout is not None
            until(demo.stdout, after)
            demo.send_signal(how)
            said, _ = demo.communicate(timeout=SECONDS)
            self.assertEqual(demo.returncode, 0)
            self.assertNotIn(b"Ctrl-C", said)
            self.assertNotIn(b"Traceback", said)
            self.assertEqual([path for each in self.box.iterdir() for path in each.iterdir()], [])

    def test_port_in_use(self) -> None:
        """The second node's port may be somebody else's: that is said in a sentence."""
        port = two_free_ports()
        with socket.socket() as other:
            other.bind(("127.0.0.1", port + 1))
            other.listen()
            said, _ = (demo := self.start(port)).communicate(timeout=SECONDS)
        self.assertEqual(demo.returncode, 1)
        self.assertIn(f"port {port + 1} of localhost".encode(), said)
        self.assertIn(b"make demo PORT=", said)
        self.assertNotIn(b"Traceback", said)
