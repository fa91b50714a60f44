"""`safeum`: the terminal client, the pipe, and sign-up from the command line."""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from prompt_toolkit import PromptSession
from twisted.internet.defer import Deferred
from twisted.internet.stdio import StandardIO
from twisted.logger import globalLogBeginner

from safeum_home.client import new_client
from safeum_home.client.aio import reactor_of
from safeum_home.client.errors import ClientError, RemoteProblem
from safeum_home.client.methods import this_device
from safeum_home.client.pipe import Pipe
from safeum_home.client.session import Client
from safeum_home.client.terminal import run_terminal
from safeum_home.client.text import explain, safe
from safeum_home.errors import Code, Problem
from safeum_home.protocol.types import DeviceInfo

TRIES = 3
LOGOUT_SECONDS = 3.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line said."""

    node: str
    ca: bytes | None
    login: str | None
    password: str | None
    """Read from the descriptor that was named; None means to ask for it."""
    device: DeviceInfo


def parser() -> argparse.ArgumentParser:
    """The command line. There is no way to put a password on it."""
    top = argparse.ArgumentParser(prog="safeum", description="A SafeUM client that writes nothing to disk.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, about in (
        ("chat", "talk, in this terminal"),
        ("register", "sign up"),
        ("pipe", "JSON lines in, responses and events out"),
    ):
        command = commands.add_parser(name, help=about, description=about.capitalize() + ".")
        command.add_argument("--node", default="localhost:8443", metavar="HOST[:PORT]")
        command.add_argument(
            "--ca", type=Path, metavar="FILE", help="trust this PEM instead of the public roots"
        )
        command.add_argument("--login", metavar="NAME")
        command.add_argument(
            "--password-fd", type=int, metavar="N", help="read the password, one line, from this descriptor"
        )
        command.add_argument(
            "--device", default=f"safeum {name}", metavar="TEXT", help="how this device is listed"
        )
    return top


def read_line(descriptor: int, most: int = 1024) -> str:
    """One line of a descriptor and not an octet more, so that what follows is left for others."""
    line = b""
    while len(line) < most and (octet := os.read(descriptor, 1)) not in (b"", b"\n"):
        line += octet
    return line.decode().removesuffix("\r")


def options(arguments: argparse.Namespace) -> Options:
    """Everything that may block, or fail on a file, before anything runs."""
    descriptor = arguments.password_fd
    if descriptor is None and not sys.stdin.isatty():
        descriptor = 0
    if descriptor is not None and arguments.login is None:
        raise SystemExit("safeum: a password without a name: --login is missing")
    return Options(
        arguments.node,
        None if arguments.ca is None else arguments.ca.read_bytes(),
        arguments.login,
        None if descriptor is None else read_line(descriptor),
        this_device(arguments.device),
    )


async def _ask(prompt: str, hidden: bool = False) -> str:
    session: PromptSession[str] = PromptSession()
    return (await session.prompt_async(prompt, is_password=hidden)).strip("" if hidden else None)


async def _enter(client: Client, opts: Options) -> None:
    """Log in, asking for what is not known; a person gets some tries."""
    for left in reversed(range(TRIES if opts.password is None else 1)):
        login = opts.login or await _ask("Login: ")
        password = opts.password if opts.password is not None else await _ask("Password: ", hidden=True)
        try:
            await _future(client.login(login.partition("@")[0], password, opts.device))
            return
        except RemoteProblem as error:
            if not error.of(Code.BAD_CREDENTIALS) or not left:
                raise
            print(explain(error))


async def _register(client: Client, opts: Options) -> int:
    login = opts.login or await _ask("Choose a login: ")
    password = opts.password
    while password is None:
        first = await _ask("Choose a password: ", hidden=True)
        if first == await _ask("Once more: ", hidden=True):
            password = first
        else:
            print("These were two different passwords.")
    await _future(client.register(login, password, opts.device))
    assert client.opened is not None
    print(f"Welcome. Your address is {safe(client.opened.address)}")
    await _future(client.logout())
    return 0


async def _chat(client: Client, opts: Options) -> int:
    await _enter(client, opts)
    try:
        await run_terminal(client)
    finally:
        await _leave(client)
    return 0


async def _pipe(client: Client, opts: Options) -> int:
    await _enter(client, opts)
    pipe = Pipe(client)
    reactor = reactor_of(asyncio.get_running_loop())
    own = {"stdin": os.dup(0), "stdout": os.dup(1)}  # copies, since they will be closed
    StandardIO(pipe, reactor=reactor, **own)
    try:
        return await _future(pipe.done)
    finally:
        for descriptor in (0, 1):  # shared with the shell that started this
            os.set_blocking(descriptor, True)
        await _leave(client)


async def _leave(client: Client) -> None:
    """Log the device out: its token lives nowhere else, so that it could never be used again.

    Where that cannot be done now, leaving matters more; the owner can revoke the device later.
    """
    with suppress(ClientError, TimeoutError):
        await asyncio.wait_for(_future(client.logout()), LOGOUT_SECONDS)


async def _future(awaitable: Awaitable[T]) -> T:
    """Wait in asyncio for what Twisted promises."""
    assert isinstance(awaitable, Deferred)
    result: T = await awaitable.asFuture(asyncio.get_running_loop())
    return result


COMMANDS: dict[str, Callable[[Client, Options], Awaitable[int]]] = {
    "chat": _chat,
    "register": _register,
    "pipe": _pipe,
}


async def _run(command: str, opts: Options) -> int:
    client = new_client(reactor_of(asyncio.get_running_loop()), opts.node, ca=opts.ca)
    try:
        return await COMMANDS[command](client, opts)
    finally:
        await _future(client.close())


def main() -> int:
    """The console script; the result is the exit status."""
    arguments = parser().parse_args()
    # Nothing is logged: what a library has to say would be written across the screen, or into the pipe.
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False)
    try:
        return asyncio.run(_run(arguments.command, options(arguments)))
    except (ClientError, Problem) as error:
        print(f"safeum: {explain(error)}", file=sys.stderr)
    except OSError as error:
        print(f"safeum: {error.filename or ''} {error.strerror}", file=sys.stderr)
    except (KeyboardInterrupt, EOFError):
        return 130
    return 1
