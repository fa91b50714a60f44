"""A relay as a process of its own, and clients of it that are not ours: aioice and coturn's own.

`python -m tests.e2e.relay CONFIG GRANT [WITHOUT...]` runs one without a node: what that would give is in a
file. Peers are not refused where lines that begin with WITHOUT are missing in coturn's configuration.
"""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import nullcontext
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import msgspec
from aioice import stun, turn

from safeum_home.admin.turn_wire import TurnGrant
from safeum_home.config import load
from safeum_home.grants.turn import NotGranted, RelayGrant
from safeum_home.protocol.commands.calls import RelayCredentials
from safeum_home.turn import running
from safeum_home.turn.access import password_of
from safeum_home.turn.coturn import PACKAGE, PROGRAM, configuration
from safeum_home.turn.log import SERVES
from tests.e2e.needs import root, tool
from tests.e2e.node_process import BIN, PATIENCE, _free_port

ROOT = Path(__file__).parent.parent.parent
T = TypeVar("T")
FAMILY = (0x17, "REQUESTED-ADDRESS-FAMILY", stun.pack_unsigned, stun.unpack_unsigned)
"""RFC 8656, section 18.9: aioice has no need of it."""
stun.ATTRIBUTES_BY_NAME[FAMILY[1]] = stun.ATTRIBUTES_BY_TYPE[FAMILY[0]] = FAMILY
_IPV6 = 0x02000000
SECTION = """
[turn]
urls = ["turn:127.0.0.1:{port}?transport=udp"]
listen = [{listen}]
port = {port}
tls_port = {tls_port}
first_port = 61000
{more}
"""


def needs() -> None:
    """coturn, which is not to run as root."""
    root("run coturn as a user of its own")
    tool(PROGRAM, PACKAGE)


class Section:
    """The section `[turn]` of a relay on loopback ports, which are none of those of what is relayed."""

    def __init__(self, more: str = "", listen: Sequence[str] = ("127.0.0.1",)) -> None:
        self.port, self.tls_port = _free_port(), _free_port()
        addresses = ", ".join(f'"{address}"' for address in listen)
        self.text = SECTION.format(port=self.port, tls_port=self.tls_port, listen=addresses, more=more)


class RelayProcess:
    """`safeum-home turn`, or the same without a node; `log` is what it prints."""

    def __init__(self, command: Sequence[str | Path], log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=ROOT
            )

    @classmethod
    def of(cls, config: Path, log: Path, *options: str) -> "RelayProcess":
        """That of a node."""
        return cls([BIN / "safeum-home", "turn", "--config", config, *options], log)

    @classmethod
    def alone(cls, config: Path, grant: Path, log: Path, *without: str) -> "RelayProcess":
        """One that takes what a node would give from a file; `without` begin lines that it leaves out."""
        return cls([sys.executable, "-m", "tests.e2e.relay", config, grant, *without], log)

    @property
    def coturn(self) -> int:
        """The id of its process."""
        parent = self.process.pid
        [child] = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        return int(child)

    def started(self) -> "RelayProcess":
        """Wait until it serves."""
        self.until(lambda: SERVES in self.log.read_text())
        return self

    def renew(self) -> None:
        """Have it ask anew."""
        self.process.send_signal(signal.SIGHUP)

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(PATIENCE)

    def until(self, happened: Callable[[], bool]) -> None:
        """Wait for something, as long as it runs."""
        until(lambda: self.process.poll() is not None or happened())
        if self.process.poll() is not None:
            raise AssertionError(f"it has ended:\n{self.log.read_text()}")


def until(happened: Callable[[], bool]) -> None:
    """Wait for something; fails where it does not come."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        if time.monotonic() > deadline:
            raise AssertionError("it did not happen")
        time.sleep(0.02)


def is_running(process: int) -> bool:
    """Whether a process is there, and not only waits to be noticed as dead."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


def credentials(secret: str, until: float, name: str = "somebody") -> RelayCredentials:
    """As a node that has this secret mints them; `until` is in seconds since 1970."""
    username = f"{int(until)}:{name}"
    return RelayCredentials([], username, password_of(username, secret.encode()), int(until) * 1000)


class Echo(asyncio.DatagramProtocol):
    """A peer: what comes goes back. Or a client of one: what comes is kept."""

    def __init__(self, gives_back: bool = False) -> None:
        self.gives_back = gives_back
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if self.gives_back:
            self.transport.sendto(data, addr)
        else:
            self.heard.put_nowait(data)


class Allocation:
    """A place at a relay (RFC 8656, section 3)."""

    def __init__(self, transport: Any, echo: Echo) -> None:
        self.transport = transport
        self.heard = echo.heard
        self._inner = transport._TurnTransport__inner_protocol
        self._channel = 0x4000

    @classmethod
    async def make(
        cls, port: int, access: RelayCredentials, ipv6: bool = False, **options: Any
    ) -> "Allocation":
        """Raises `stun.TransactionFailed`."""
        request = turn.TurnClientMixin.request

        async def of_family(self: Any, message: stun.Message) -> Any:
            if message.message_method == stun.Method.ALLOCATE:
                message.attributes["REQUESTED-ADDRESS-FAMILY"] = _IPV6
            return await request(self, message)

        patched = patch.object(turn.TurnClientMixin, "request", of_family) if ipv6 else nullcontext()
        with patched:
            transport, echo = await turn.create_turn_endpoint(
                Echo, ("127.0.0.1", port), access.username, access.password, **options
            )
        return cls(transport, echo)

    @property
    def address(self) -> tuple[str, int]:
        """Where peers reach it."""
        address: tuple[str, int] = self.transport.get_extra_info("sockname")
        return address

    async def bind(self, peer: str, port: int = 9) -> int:
        """Bind a channel to a peer: 0, or the code that it is refused with."""
        self._channel += 1
        try:
            await self._inner.channel_bind(self._channel, (peer, port))
        except stun.TransactionFailed as error:
            return _code(error)
        return 0

    async def permit(self, peer: str) -> int:
        """Have it take packets of a peer: 0, or the code that it is refused with."""
        return await self._ask(stun.Method.CREATE_PERMISSION, "XOR-PEER-ADDRESS", (peer, 0))

    async def refresh(self) -> int:
        """Have it go on: 0, or the code that it is refused with."""
        return await self._ask(stun.Method.REFRESH, "LIFETIME", 600)

    async def _ask(self, method: stun.Method, attribute: str, value: object) -> int:
        message = stun.Message(message_method=method, message_class=stun.Class.REQUEST)
        message.attributes[attribute] = value
        try:
            await self._inner.request_with_retry(message)
        except stun.TransactionFailed as error:
            return _code(error)
        return 0

    async def close(self) -> None:
        await self._inner.delete()


def refused(port: int, access: RelayCredentials, **options: Any) -> int:
    """The code that an allocation is refused with; 0 where it is made."""

    async def ask() -> int:
        try:
            allocation = await Allocation.make(port, access, **options)
        except stun.TransactionFailed as error:
            return _code(error)
        await allocation.close()
        return 0

    return wait(ask())


def peers(port: int, access: RelayCredentials, addresses: Sequence[str]) -> dict[str, set[int]]:
    """What a relay answers who wants to bind a channel to an address, and who permits it."""

    async def ask() -> dict[str, set[int]]:
        found = {}
        for version in (4, 6):
            those = [address for address in addresses if ip_address(address).version == version]
            if those:
                allocation = await Allocation.make(port, access, ipv6=version == 6)
                for peer in those:
                    found[peer] = {await allocation.bind(peer), await allocation.permit(peer)}
                await allocation.close()
        return found

    return wait(ask())


def _code(error: stun.TransactionFailed) -> int:
    code, _ = error.response.attributes["ERROR-CODE"]
    return int(code)


def wait(task: Coroutine[Any, Any, T]) -> T:
    """Run it to its end, within `PATIENCE`."""
    return asyncio.run(asyncio.wait_for(task, PATIENCE))


def main(config: str, grant: str, *without: str) -> int:
    """A relay without a node, and without some lines of coturn's configuration."""

    def ask() -> RelayGrant:
        try:
            given = msgspec.json.decode(Path(grant).read_bytes(), type=TurnGrant)
        except (OSError, msgspec.DecodeError) as error:
            raise NotGranted(str(error)) from error
        return RelayGrant(tuple(given.secrets), given.seconds, given.key)

    def less(*given: Any) -> str:
        lines = configuration(*given).splitlines()
        kept = [line for line in lines if not line.startswith(without)]
        assert len(kept) < len(lines)
        return "\n".join([*kept, "allow-loopback-peers\n"])

    found = load(Path(config))
    with patch.object(running, "configuration", less) if without else nullcontext():
        return running.run(found.turn, found.node.name, ask, lambda line: print(line, flush=True))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
