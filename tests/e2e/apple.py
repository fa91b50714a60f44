"""Apple's push service for a node that is a process: the double of the tests, asked without a reactor."""

import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tests.apns import BUNDLE, KEY_ID, SCRIPT, TEAM_ID, signing_key
from tests.certificates import Authority
from tests.e2e.node_process import PATIENCE
from tests.e2e.registries import node

SECRET = "apns-key"
_SETTINGS = """
[[push.providers]]
name = "apple"
kind = "apns"
[push.providers.settings]
key = "secret:{secret}"
key_id = "{key_id}"
team_id = "{team_id}"
topic = "{topic}"
url = "https://localhost:{port}"
ca = "{ca}"
"""


class Apple:
    """Runs until it is left. `settings` are for a node's configuration, `key` is for its sealed store."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="safeum-", dir="/tmp")
        folder, authority = Path(self._folder.name), Authority()
        certificate, private = authority.issue("127.0.0.1", "localhost")
        files = {"ca.pem": authority.pem, "certificate.pem": certificate, "key.pem": private}
        for name, content in files.items():
            (folder / name).write_bytes(content)
        self.key, public = signing_key()
        known = {"key": public, "kid": KEY_ID, "team": TEAM_ID, "bundle": BUNDLE}
        self._process = subprocess.Popen(
            [node(), SCRIPT, folder / "key.pem", folder / "certificate.pem", json.dumps(known)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        port = self._event("listening")["port"]
        about = {"secret": SECRET, "key_id": KEY_ID, "team_id": TEAM_ID, "topic": BUNDLE}
        self.settings = _SETTINGS.format(port=port, ca=folder / "ca.pem", **about)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._process.stdout.close()
        self._folder.cleanup()

    def tell(self, **orders: Any) -> dict[str, Any]:
        """Give orders; how it is with it afterwards."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(orders) + "\n")
        self._process.stdin.flush()
        return self._event("done")

    def until(self, happened: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """How it is with it once that is so."""
        deadline = time.monotonic() + PATIENCE
        while not happened(state := self.tell()):
            if time.monotonic() > deadline:
                raise AssertionError(f"it did not happen: {state}")
            time.sleep(0.01)
        return state

    def _event(self, kind: str) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event: dict[str, Any] = json.loads(line)
            if event["event"] == kind:
                return event
        raise AssertionError(f"the double of APNs ended before it was {kind}")
