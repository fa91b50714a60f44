"""`safeum`: the terminal client, the pipe, and sign-up from the command line."""

import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Callable

from prompt_toolkit import PromptSession
from twisted.internet.defer import Deferred
from twisted.internet.stdio import StandardIO
from twisted.logger import globalLogBeginner

from safeum_home.client import new_client
from safeum_home.client.cli_options import options, parser
from safeum_home.client.connection.trust import BadCertificate
from safeum_home.client.desk.notices import not_sent
from safeum_home.client.entry.entry import Options, Person, change_password, close_account, enter, sign_up
from safeum_home.client.entry.policy_entry import shown
from safeum_home.client.errors import UNTRUSTED, ClientError, Closing, Disconnected
from safeum_home.client.futures import future
from safeum_home.client.loop_reactor import reactor_of
from safeum_home.client.pipe import secure as pipe_secure
from safeum_home.client.pipe.pipe import Pipe
from safeum_home.client.screen.terminal import run_terminal
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.session import Client
from safeum_home.client.words.receipts import verify
from safeum_home.client.words.text import explain, safe, wrap
from safeum_home.errors import Problem

LOGOUT_SECONDS = 8.0
"""Five of them are for what is to be kept of secure chats."""


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
        reactor = reactor_of(asyncio.get_running_loop())
        desk = await run_terminal(client, reactor, opts.phone, opts.passphrase)
        if lost := len(desk.unsent):
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
    if opts.passphrase is not None:
        await _unlock(client, opts.passphrase)
    own = {"stdin": os.dup(0), "stdout": os.dup(1)}  # copies, since they will be closed
    StandardIO(pipe, reactor=reactor, **own)
    try:
        return await future(pipe.done)
    finally:
        for descriptor in (0, 1):  # shared with the shell that started this
            os.set_blocking(descriptor, True)
        await _leave(client)


async def _unlock(client: Client, passphrase: str) -> None:
    loop = asyncio.get_running_loop()

    def key_of(account: str, known: str) -> "Deferred[UniqueKey]":
        return Deferred.fromFuture(loop.run_in_executor(None, UniqueKey.of, account, passphrase, known))

    await future(client.load())
    await future(Deferred.fromCoroutine(pipe_secure.unlock(client, key_of)))


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
