"""A network of its own: a bridge, and each node in a namespace behind it, without a default route.

The process that makes one is in namespaces of its own already (`alone`): whatever it leaves behind is gone
with it, and nothing of the computer's own network is touched.
"""

import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.chaos.plan import Edge

UNSHARE = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
_PROBE = """
ip link add bridge type bridge
ip link set bridge up
ip link add one type veth peer name other
iptables -A INPUT -s 10.199.0.1 -j DROP
mount --bind /dev/null /etc/hosts
"""


def alone(*command: str) -> list[str]:
    """A command that runs another one with its own network, mounts and processes; they end with it."""
    return [*UNSHARE, "--", *command]


def impossible() -> str | None:
    """Why this computer does not let anybody have namespaces; None where it does."""
    probe = subprocess.run(alone("sh", "-ec", _PROBE), capture_output=True, text=True, check=False)
    return None if probe.returncode == 0 else f"namespaces are not permitted here: {probe.stderr.strip()}"


class Place:
    """A namespace with an address. It is there until its `cat` hears that we have ended."""

    def __init__(self, name: str, address: str) -> None:
        self.name = name
        self.address = address
        self._holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE)
        self.path = Path(f"/proc/{self._holder.pid}/ns/net")
        self.inside = ("nsenter", f"--net={self.path}", "--")
        """What a command begins with that is to run here."""

    def close(self) -> None:
        assert self._holder.stdin is not None
        self._holder.stdin.close()
        self._holder.wait(10)

    def plug(self) -> None:
        """Join the bridge."""
        while self._shares_ours():
            pass
        link = f"to-{self.name[0]}"
        _run(
            "ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(self._holder.pid)
        )
        _run("ip", "link", "set", link, "master", "bridge", "up")
        for command in (
            ("ip", "link", "set", "lo", "up"),
            ("ip", "address", "add", f"{self.address}/24", "dev", "eth0"),
            ("ip", "link", "set", "eth0", "up"),
        ):
            _run(*self.inside, *command)

    def hear_nothing_of(self, addresses: Iterable[str]) -> None:
        """Drop what comes from there, and from nowhere else: in one step."""
        rules = "".join(f"-A INPUT -s {address} -j DROP\n" for address in addresses)
        _run(*self.inside, "iptables-restore", given=f"*filter\n:INPUT ACCEPT\n{rules}COMMIT\n")

    def _shares_ours(self) -> bool:
        return Path("/proc/self/ns/net").readlink() == self.path.readlink()


class Network:
    """The places of some names, which know each other by a file of hosts. We are at the bridge."""

    def __init__(self, names: Sequence[str]) -> None:
        self._folder = TemporaryDirectory(prefix="safeum-chaos-")
        self.places = {name: Place(name, f"10.199.0.{number}") for number, name in enumerate(names, 1)}
        _run("ip", "link", "set", "lo", "up")
        _run("ip", "link", "add", "bridge", "type", "bridge")
        _run("ip", "address", "add", "10.199.0.254/24", "dev", "bridge")
        _run("ip", "link", "set", "bridge", "up")
        hosts = Path(self._folder.name, "hosts")
        lines = [f"{place.address} {name}\n" for name, place in self.places.items()]
        hosts.write_text("127.0.0.1 localhost\n" + "".join(lines))
        _run("mount", "--bind", str(hosts), "/etc/hosts")
        for place in self.places.values():
            place.plug()

    def cut(self, edges: Iterable[Edge]) -> None:
        """These links carry nothing, and all others do."""
        cut = set(edges)
        for name, place in self.places.items():
            place.hear_nothing_of(
                self.places[source].address for source, target in sorted(cut) if target == name
            )

    def close(self) -> None:
        _run("umount", "/etc/hosts")
        for place in self.places.values():
            place.close()
        self._folder.cleanup()


def _run(*command: str, given: str | None = None) -> None:
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
