"""Processes that are made by one that has loaded their modules are as those that `subprocess` starts."""

import os
import signal
import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.e2e import warm
from tests.e2e.node_process import BIN, NodeProcess


class WarmTests(SynchronousTestCase):
    def test_same(self) -> None:
        """Output, errors and status are those of the command itself; so are its folder and environment."""
        folder = Path(self.mktemp())
        folder.mkdir()
        environment = {**os.environ, "COLUMNS": "50", "PYTHONPATH": str(warm.ROOT)}
        for arguments in (["--help"], ["status", "--config", "none.toml"], ["check"], ["init", "--what"]):
            command = [str(BIN / "safeum-home"), *arguments]
            made = warm.run(command, b"some words\n", folder, environment)
            started = subprocess.run(
                command, input=b"some words\n", cwd=folder, env=environment, capture_output=True, check=False
            )
            self.assertEqual((made.returncode, made.stdout), (started.returncode, started.stdout))
            self.assertEqual(made.stderr, started.stderr)

    def test_life(self) -> None:
        """It is asked how it is, waited for in vain, and killed; its status tells by what."""
        with open(os.devnull, "r+b") as nothing:
            place, folder = nothing.fileno(), Path.cwd()
            command = ["development-node", "0", self.mktemp()]
            process = warm.start(command, place, place, place, folder)
        self.addCleanup(process.send_signal, signal.SIGKILL)
        self.assertIsNone(process.poll())
        self.assertRaises(subprocess.TimeoutExpired, process.wait, 0.01)
        os.kill(process.pid, 0)
        process.send_signal(signal.SIGKILL)
        self.assertEqual([process.wait(60), process.poll()], [-signal.SIGKILL] * 2)
        process.send_signal(signal.SIGKILL)  # nobody else is hit

    def test_nothing_is_shared(self) -> None:
        """A node holds no descriptor of this process, of who has made it, or of another node."""
        nodes = [NodeProcess() for _ in range(2)]
        for node in nodes:
            self.addCleanup(node.close)
            node.start()
        held = [_held(node.pid) for node in nodes]
        self.assertEqual(held[0] & held[1], set())
        for node, own in zip(nodes, held, strict=True):
            places = (str(node.folder), "socket:", "pipe:")
            self.assertEqual([path for path in own if not path.startswith(places)], [])


def _held(pid: int) -> set[str]:
    """The files, sockets and pipes that a process holds."""
    held = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            held.add(os.readlink(descriptor))
        except FileNotFoundError:
            continue  # it was closed meanwhile
    return {path for path in held if path.startswith(("/", "socket:", "pipe:"))} - {os.devnull}
