"""The real node, as it is run in production: `twistd -n safeum`, with its database on a disk."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import Certificate

from bench.certificate import self_signed
from bench.failure import Failure
from bench.flows import BODY
from bench.seeding import Seeds, seeding
from bench.subjects import NodeSubject
from bench.targets import PATIENCE, TARGET_CORE, Target, process, trusting
from safeum_home.storage.sqlite import Sqlite

BIN = Path(sys.executable).parent
STATE = Path("build")
"""Databases are made in here, so that they are on the same disk as the project and not on a tmpfs."""
CHEAP_PASSWORDS = (8, 1)
REAL_PASSWORDS = (64, 2)
"""Argon2id: MiB and operations. They are real only where logins with a password are measured."""
_NO_LIMIT = 1_000_000

CONFIG = """
[node]
name = "{name}"
state_dir = "{state}"
[listen]
clients = ["tcp:{port}:interface=127.0.0.1:backlog=1024"]
[tls]
certificate = "{state}/certificate.pem"
key = "file:{key}"
[passwords]
memory_mib = {memory_mib}
operations = {operations}
queue = 1024
[limits]
connections_per_address = 20000
commands_per_second = {no_limit}
commands_burst = {no_limit}
deliveries_per_account = {no_limit}
deliveries_per_account_burst = {no_limit}
events_per_foreign_account = {no_limit}
events_per_foreign_account_burst = {no_limit}
events_per_hub = {no_limit}
events_per_hub_burst = {no_limit}
logins_per_address = {no_limit}
logins_per_address_burst = {no_limit}
logins_per_account = {no_limit}
logins_per_account_burst = {no_limit}
signups_per_address = {no_limit}
signups_per_address_burst = {no_limit}
contact_requests_per_account = {no_limit}
contact_requests_per_account_burst = {no_limit}
devices = 50
{more}"""


class Place(NamedTuple):
    """Where a node is: its name, its port, its core, the key and certificate that it serves with."""

    name: str
    port: int
    core: int
    key: EllipticCurvePrivateKey
    certificate: Certificate

    @classmethod
    def alone(cls) -> "Place":
        return cls("localhost", free_port(), TARGET_CORE, *self_signed())


class Home:
    """A node with its state in a folder that goes away with it."""

    def __init__(
        self, folder: Path, keys: Path, real_passwords: bool, place: Place | None = None, more: str = ""
    ) -> None:
        """`more` is appended to its configuration."""
        self._folder, self._processes = folder, ExitStack()
        place = place or Place.alone()
        self.place = place
        init = [str(BIN / "safeum-home"), "init", "--state-dir", str(folder), "--yes-print"]
        self._words = subprocess.run(init, check=True, capture_output=True).stdout
        pem = place.certificate.public_bytes(Encoding.PEM)
        (folder / "certificate.pem").write_bytes(pem)
        keys.write_bytes(place.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        keys.chmod(0o400)
        self._tls = trusting(pem.decode())
        memory_mib, operations = REAL_PASSWORDS if real_passwords else CHEAP_PASSWORDS
        (folder / "node.toml").write_text(
            CONFIG.format(
                name=place.name,
                state=folder,
                key=keys,
                port=place.port,
                memory_mib=memory_mib,
                operations=operations,
                no_limit=_NO_LIMIT,
                more=more,
            )
        )
        settings = {"argon2id_mib": memory_mib, "argon2id_operations": operations}
        self.subject = NodeSubject(self._start(), settings)

    def restart(self) -> None:
        """Stop the node and start it again: it then knows only what it reads from its database."""
        self.stop()
        self.start()

    def start(self) -> None:
        """Start it again where it was stopped."""
        self.subject.target = self._start()

    @contextmanager
    def stopped(self) -> Iterator[Seeds]:
        """Stop the node, write into its database, and start it again."""
        self.stop()
        with seeding(Sqlite(self._folder / "home.sqlite"), self._folder, self._words.decode()) as seeds:
            yield seeds
        self.subject.target = self._start()

    def found_group(self, size: int) -> None:
        """A group of the first of its people; person 0 owns it."""
        with self.stopped() as seeds:
            members = [person.account for person in self.subject.people[:size]]
            self.subject.group = seeds.group("Bench", members).id

    def fill_chats(self, messages: int) -> None:
        """Person 0 is written to by each of the others, its contacts, and has read nothing of it."""
        first, *others = [person.account for person in self.subject.people]
        with self.stopped() as seeds:
            for number, other in enumerate(others):
                chat = seeds.direct(first, other)
                seeds.messages(chat, (other,), messages, "x" * BODY, 1_700_000_000_000 + number)

    def read_chats(self) -> None:
        """Person 0 has read all of it."""
        first, *others = [person.account for person in self.subject.people]
        with self.stopped() as seeds:
            for other in others:
                seeds.read_all(seeds.direct(first, other), first)

    def stop(self) -> None:
        self._processes.close()

    def _start(self) -> Target:
        reader, writer = os.pipe()
        os.write(writer, self._words)
        os.close(writer)
        command = [str(BIN / "twistd"), "-n", "--pidfile=", "safeum"]
        command += ["--config", str(self._folder / "node.toml"), "--root-fd", str(reader)]
        log = (self._folder / "node.log").open("ab")
        child = self._processes.enter_context(
            process(command, self.place.core, stdout=log, stderr=log, pass_fds=[reader])
        )
        os.close(reader)
        log.close()
        deadline = monotonic() + PATIENCE
        while not _listens(self.place.port):
            if child.poll() is not None or monotonic() > deadline:
                raise Failure("the node did not start: " + (self._folder / "node.log").read_text()[-2000:])
            sleep(0.05)
        return Target("node", child.pid, self.place.port, self._tls)


@contextmanager
def running(*, real_passwords: bool = False, place: Place | None = None, more: str = "") -> Iterator[Home]:
    """A node of its own, new and open; `place` and `more` are as for `Home`."""
    STATE.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=STATE.resolve(), prefix="bench-") as folder,
        tempfile.NamedTemporaryFile(dir="/dev/shm", prefix="bench-") as key,
    ):
        home = Home(Path(folder), Path(key.name), real_passwords, place, more)
        try:
            yield home
        finally:
            home.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
