"""A Kannel of one's own: bearerbox, smsbox and an SMS centre behind them, on loopback ports."""

import json
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet.task import deferLater

from tests.e2e.needs import tool
from tests.e2e.node_process import PATIENCE, _free_port
from tests.e2e.registries import npm

USER = "safeum"
PASSWORD = "a-password-of-theirs"
_CONFIG = """\
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = {password}
smsbox-port = {boxes}
smsbox-interface = 127.0.0.1
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"
dlr-storage = internal

group = smsc
smsc = smpp
host = 127.0.0.1
port = {smsc}
smsc-username = kannel
smsc-password = unused
system-type = ""
transceiver-mode = true
reconnect-delay = 1

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {boxes}
sendsms-port = {port}
sendsms-interface = 127.0.0.1

group = sendsms-user
username = {user}
password = {password}
black-list-regex = "^[+]1900"
"""


async def until(reactor: Any, true: Callable[[], object], what: str) -> None:
    """Wait for something; fails where it does not come."""
    deadline = reactor.seconds() + PATIENCE
    while not true():
        if reactor.seconds() > deadline:
            raise AssertionError(f"{what} did not come")
        await deferLater(reactor, 0.02)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class KannelProcesses:
    """`start` and `stop` them; `taken` are the messages that reached the SMS centre."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._modules = npm("smpp", "smpp@0.5.1")
        self._boxes = [tool("bearerbox", "kannel"), tool("smsbox", "kannel")]
        self._processes: list[subprocess.Popen[bytes]] = []
        self.folder = Path(tempfile.mkdtemp(prefix="kannel-", dir="/tmp"))
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}/cgi-bin/sendsms"

    async def start(self) -> None:
        smsc, boxes, admin = _free_port(), _free_port(), _free_port()
        config = self.folder / "kannel.conf"
        config.write_text(
            _CONFIG.format(smsc=smsc, boxes=boxes, admin=admin, port=self.port, user=USER, password=PASSWORD)
        )
        script = str(Path(__file__).with_name("smsc.js"))
        self._run("smsc", [tool("node", "nodejs"), script, str(self._modules), str(smsc)])
        await until(self._reactor, lambda: _listens(smsc), "the SMS centre")
        for box, port in zip(self._boxes, (boxes, self.port), strict=True):
            self._run(Path(box).name, [box, str(config)])
            await until(self._reactor, partial(_listens, port), box)

    def stop(self) -> None:
        """The last started first."""
        while self._processes:
            self.stop_last()
        shutil.rmtree(self.folder)

    def stop_last(self) -> None:
        process = self._processes.pop()
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @property
    def taken(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in (self.folder / "smsc.out").read_text().splitlines()]

    def _run(self, name: str, command: list[str]) -> None:
        with (self.folder / f"{name}.out").open("wb") as out, (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(command, cwd=self.folder, stdout=out, stderr=log)
        self._processes.append(process)
