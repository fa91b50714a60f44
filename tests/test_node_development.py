"""`make run`: what happens where it cannot."""

import shutil
import socket
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp

from twisted.trial.unittest import SynchronousTestCase

TWISTD = Path(sys.executable).parent / "twistd"
SECONDS = 60


class DevelopmentTests(SynchronousTestCase):
    def test_a_port_in_use_ends_it_with_a_sentence(self) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            said = self.refused(str(port))
        self.assertIn(f"port {port}", said)
        self.assertIn("Address already in use", said)
        self.assertIn("make run PORT=", said)

    def test_a_port_that_is_no_number(self) -> None:
        self.assertEqual(self.refused("844x"), "844x is not the number of a port.\n")

    def refused(self, port: str) -> str:
        """All that is said where a node cannot listen there."""
        folder = Path(mkdtemp(prefix="safeum-"))
        self.addCleanup(shutil.rmtree, folder)
        done = subprocess.run(
            [TWISTD, "-n", "--pidfile=", "safeum", "--development", "--port", port],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, 1, said)
        self.assertNotIn("Traceback", said)
        self.assertEqual(list(folder.iterdir()), [])
        return said
