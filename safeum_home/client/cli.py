"""`safeum`: the terminal client, the pipe, and sign-up from the command line."""

import argparse
import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from prompt_toolkit import PromptSession
from twisted.internet.defer import Deferred
from twisted.internet.stdio import StandardIO
from twisted.logger import globalLogBeginner

from safeum_home import __version__
from safeum_home.client import new_client
from safeum_home.client.aio import reactor_of
from safeum_home.client.entry import Options, Person, change_password, close_account, enter, sign_up
from safeum_home.client.errors import UNTRUSTED, ClientError, Closing, Disconnected
from safeum_home.client.futures import future
from safeum_home.client.methods import this_device
from safeum_home.client.notices import not_sent
from safeum_home.client.phone import NO_PHONE, add_options, phone
from safeum_home.client.pipe import Pipe
from safeum_home.client.policy_entry import shown
from safeum_home.client.receipts import verify
from safeum_home.client.session import Client
from safeum_home.client.terminal import run_terminal
from safeum_home.client.text import explain, safe, wrap
from safeum_home.client.trust import BadCertificate, node_text
from safeum_home.errors import Problem
from safeum_home.protocol.types import DeviceType

LOGOUT_SECONDS = 3.0
SECRETS = {"password": "password and the new one, two lines,", "close-account": "PIN, one line,"}
"""What --password-fd gives, where that is not the password alone."""


def parser() -> argparse.ArgumentParser:
    """The command line. There is no way to put a password on it."""
    top = argparse.ArgumentParser(
        prog="safeum", description="A SafeUM client that writes nothing to disk by itself."
    )
    top.add_argument("--version", action="version", version=f"SafeUM Home {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, about in (
        ("chat", "talk, in this terminal"),
        ("register", "sign up"),
        ("policy", "show what the node keeps, and what for"),
        ("password", "change the password, and log all other devices out"),
        ("close-account", "close an account for ever, with one of its PINs, from any device"),
        ("pipe", "JSON lines in, responses and events out"),
    ):
        command = commands.add_parser(name, help=about, description=about[0].upper() + about[1:] + ".")
        command.add_argument(
            "--node",
            type=node_text,
            default="localhost:8443",
            metavar="HOST[:PORT]",
            help="the node (default: %(default)s)",
        )
        command.add_argument(
            "--ca", type=Path, metavar="FILE", help="trust this PEM instead of the public roots"
        )
        # What a command has no use for it does not take either.
        command.set_defaults(
            login=None, password_fd=None, device=f"safeum {name}", agree=None, invite_fd=None
        )
        if name == "policy":
            continue
        command.add_argument("--login", metavar="LOGIN", help="what you sign in with")
        command.add_argument(
            "--password-fd",
            type=int,
            metavar="N",
            help=f"read the {SECRETS.get(name, 'password, one line,')} from this descriptor",
        )
        command.add_argument(
            "--device",
            default=f"safeum {name}",
            metavar="TEXT",
            help="how this device is listed (default: %(default)s)",
        )
        if name == "close-account":
            continue
        if name == "chat":
            add_options(command)
        command.add_argument(
            "--agree", metavar="VERSION", help="agree to the node's policy where it is of this version"
        )
        command.add_argument(
            "--invite-fd", type=int, metavar="N", help="read an invite for a sign-up from this descriptor"
        )
    verify = commands.add_parser(
        "verify-receipt",
        help="check a node's receipt that the history of a chat was erased",
        description="Check a receipt without asking anybody. Exit status: 0 it is authentic; 1 it is not;"
        " 2 it cannot be read; 3 it was signed, and --key was not given to say by whom.",
    )
    verify.add_argument("file", type=Path, metavar="FILE", help="as /receipt has saved it")
    verify.add_argument(
        "--key",
        metavar="KEY",
        help="the node's key, its fingerprint, or a file with one of them; for another node's receipt a file"
        " with what https://NODE/_safeum/key/v1 answers",
    )
    return top


def read_line(descriptor: int, most: int = 1024) -> str:
    """One line of a descriptor and not an octet more, so that what follows is left for others."""
    line = b""
    while len(line) < most and (octet := os.read(descriptor, 1)) not in (b"", b"\n"):
        line += octet
    try:
        text = line.decode().removesuffix("\r")
    except UnicodeDecodeError:
        # Without the error's own words, which show the octet.
        raise SystemExit("safeum: the password is not UTF-8") from None
    if not text:
        raise SystemExit("safeum: the password is empty: one line is needed, for a change two")
    return text


def options(arguments: argparse.Namespace) -> Options:
    """Everything that may block, or fail on a file, before anything runs."""
    descriptor = arguments.password_fd
    if descriptor is None and not sys.stdin.isatty() and arguments.command != "policy":
        descriptor = 0
    if descriptor is not None and arguments.login is None:
        raise SystemExit("safeum: a password without a login: --login is missing")
    return Options(
        arguments.node,
        None if arguments.ca is None else arguments.ca.read_bytes(),
        arguments.login,
        None if descriptor is None else read_line(descriptor),
        this_device(arguments.device, DeviceType.BOT if arguments.command == "pipe" else None),
        read_line(descriptor) if descriptor is not None and arguments.command == "password" else None,
        arguments.agree,
        None if arguments.invite_fd is None else read_line(arguments.invite_fd),
        phone(arguments) if arguments.command == "chat" else NO_PHONE,
    )


async def _ask(prompt: str) -> str:
    session: PromptSession[str] = PromptSession()
    return await session.prompt_async(prompt)


async def _ask_hidden(prompt: str) -> str:
    session: PromptSession[str] = PromptSession()
    return await session.prompt_async(prompt, is_password=True)


def _say(text: str) -> None:
    """Print; on a terminal in lines that are broken between words."""
    terminal = sys.stdout.isatty()
    for line in wrap(text, shutil.get_terminal_size().columns) if terminal else [text]:
        print(line)


PERSON = Person(_ask, _ask_hidden, _say)


async def _register(client: Client, opts: Options) -> int:
    await sign_up(client, opts, PERSON)
    assert client.opened is not None
    print(f"Welcome. Your address is {safe(client.opened.address)}")
    await _leave(client)
    return 0


async def _policy(client: Client, opts: Options) -> int:
    for line in shown(await future(client.policy()), opts.node):
        _say(line)
    return 0


async def _password(client: Client, opts: Options) -> int:
    await change_password(client, opts, PERSON)
    print("The password is changed. All other devices are logged out.")
    await _leave(client)
    return 0


async def _close_account(client: Client, opts: Options) -> int:
    await close_account(client, opts, PERSON)
    print("The account is closed, for ever.")
    return 0


async def _chat(client: Client, opts: Options) -> int:
    opts.phone.attach(client)
    await enter(client, opts, PERSON, offer=True)
    told = True
    try:
        desk = await run_terminal(client, reactor_of(asyncio.get_running_loop()), opts.phone)
        if lost := len(desk.outbox.items):
            print(f"{not_sent(lost)}.")
        if desk.untrusted:
            told = False
            raise Disconnected(Closing(UNTRUSTED, ""))
    finally:
        if told:
            await _leave(client)
    return 0


async def _pipe(client: Client, opts: Options) -> int:
    reactor = reactor_of(asyncio.get_running_loop())
    pipe = Pipe(client, reactor)  # before the login: with it comes what rings already
    await enter(client, opts, PERSON)
    own = {"stdin": os.dup(0), "stdout": os.dup(1)}  # copies, since they will be closed
    StandardIO(pipe, reactor=reactor, **own)
    try:
        return await future(pipe.done)
    finally:
        for descriptor in (0, 1):  # shared with the shell that started this
            os.set_blocking(descriptor, True)
        await _leave(client)


async def _leave(client: Client) -> None:
    """Log the device out: its token lives nowhere else, so that it could never be used again.

    Where that cannot be done now, leaving matters more; the owner can revoke the device later.
    """
    try:
        await asyncio.wait_for(future(client.logout()), LOGOUT_SECONDS)
    except (ClientError, TimeoutError):
        print("The node was not told: this device stays in /devices until it is revoked.", file=sys.stderr)


COMMANDS: dict[str, Callable[[Client, Options], Awaitable[int]]] = {
    "chat": _chat,
    "register": _register,
    "policy": _policy,
    "password": _password,
    "close-account": _close_account,
    "pipe": _pipe,
}


async def _run(command: str, opts: Options) -> int:
    client = new_client(reactor_of(asyncio.get_running_loop()), opts.node, ca=opts.ca)
    try:
        await future(Deferred.fromCoroutine(client.connect()))  # nobody is asked for a password in vain
        return await COMMANDS[command](client, opts)
    finally:
        await future(client.close())


def untrusted(node: str, ca: str | None) -> str:
    """What to say where the node has another certificate than it should have."""
    if ca is None:
        return (
            f"The certificate of {node} is not trusted, or is for another name.\n"
            "A certificate that the node has made itself is given with --ca FILE."
        )
    return (
        f"The certificate of {node} is not the one given with --ca {ca}, or is for another name.\n"
        "A node that was set up anew has a new one. Otherwise somebody may be in between."
    )


def main() -> int:
    """The console script; the result is the exit status."""
    arguments = parser().parse_args()
    if arguments.command == "verify-receipt":
        code, lines = verify(arguments.file, arguments.key)
        for line in lines:
            _say(line)
        return code
    # Nothing is logged: what a library has to say would be written across the screen, or into the pipe.
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False)
    try:
        return asyncio.run(_run(arguments.command, options(arguments)))
    except Disconnected as error:
        if error.closing.code == UNTRUSTED:
            print(f"safeum: {untrusted(arguments.node, arguments.ca)}", file=sys.stderr)
        else:
            print(f"safeum: {arguments.node}: {explain(error)}", file=sys.stderr)
    except BadCertificate as error:
        print(f"safeum: --ca {safe(str(arguments.ca))}: {explain(error)}", file=sys.stderr)
    except (ClientError, Problem) as error:
        print(f"safeum: {explain(error)}", file=sys.stderr)
    except OSError as error:
        print(f"safeum: {f'{error.filename}: ' if error.filename else ''}{error.strerror}", file=sys.stderr)
    except (KeyboardInterrupt, EOFError):
        return 130
    return 1
