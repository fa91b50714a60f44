"""`safeum-home support`: reading what accounts wrote to support, and answering one of them."""

import argparse
import sys
import time
from collections.abc import Callable
from typing import NoReturn

import msgspec

from safeum_home.admin.caller import call
from safeum_home.admin.support_wire import (
    SupportClosed,
    SupportCloseParams,
    SupportConversation,
    SupportList,
    SupportListParams,
    SupportMessage,
    SupportPage,
    SupportReadParams,
    SupportReplied,
    SupportReplyParams,
)
from safeum_home.admin.terminal import OK, REFUSED, fail, say

LONGEST = 8192
"""Characters of a message."""
LOOK_SECONDS = 2.0
"""How often `watch` looks for something new."""
_SHORT = 60

SocketOf = Callable[[argparse.Namespace], str]


def add_support(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    online: argparse.ArgumentParser,
    socket_of: SocketOf,
) -> None:
    """`support list`, `read`, `reply`, `close` and `watch`."""
    support = commands.add_parser("support", help="Read what accounts wrote to support, and answer.")
    nested = support.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Callable[[argparse.Namespace, str], int], text: str) -> argparse.ArgumentParser:
        command = nested.add_parser(name, help=text, description=text, parents=[online])
        command.set_defaults(run=lambda arguments: run(arguments, socket_of(arguments)))
        return command

    listing = add("list", _list, "Show who waits, the newest message first; answered ones until closed.")
    reading = add("read", _read, "Show what was said with an account; it is told that it was read.")
    for command in (listing, reading):
        command.add_argument("--before", type=int, metavar="PLACE", help="go on where a page ended")
        command.add_argument("--json", action="store_true")
    answering = add("reply", _reply, "Answer an account; the text is typed, or read from standard input.")
    closing = add("close", _close, "Take a conversation off the list until the account writes again.")
    for command in (reading, answering, closing):
        command.add_argument("account", metavar="LOGIN_OR_ID")
    add("watch", _watch, "Show who writes, as it comes in; Ctrl-C ends it.")


def _list(arguments: argparse.Namespace, socket: str) -> int:
    found = call(socket, "support.list", SupportListParams(arguments.before), SupportList)
    if arguments.json:
        print(msgspec.json.encode(found).decode())
        return OK
    for each in found.conversations:
        say(_line(each))
    if not found.conversations:
        say("No conversation is open.")
    if found.before is not None:
        say(f"More: safeum-home support list --before {found.before}")
    return OK


def _line(each: SupportConversation) -> str:
    waits = "answered" if each.waiting_since is None else f"UNANSWERED for {_span(each.waiting_since)}"
    who = "you: " if each.last.staff else ""
    text = " ".join(each.last.text.split())
    short = text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"
    return f"{each.login or each.account:<24} {waits:<24} {who}{short}"


def _span(since: int) -> str:
    minutes = max(0, int(time.time() - since / 1000) // 60)
    if minutes >= 24 * 60:
        return f"{minutes // (24 * 60)} d"
    return f"{minutes // 60} h {minutes % 60} min"


def _read(arguments: argparse.Namespace, socket: str) -> int:
    params = SupportReadParams(arguments.account, arguments.before)
    page = call(socket, "support.read", params, SupportPage)
    if arguments.json:
        print(msgspec.json.encode(page).decode())
        return OK
    say(f"{page.login or '(account is gone)'}  {page.account}")
    if page.before is not None:
        say(f"Older: safeum-home support read {arguments.account} --before {page.before}")
    for message in page.messages:
        for line in _said(message, page.login):
            say(line)
    return OK


def _said(message: SupportMessage, login: str) -> list[str]:
    at = time.strftime("%Y-%m-%d %H:%M", time.localtime(message.at / 1000))
    lines = (f"    {line.expandtabs()}" for line in message.text.splitlines())
    return [f"{at}  {'you' if message.staff else login or 'they'}:", *lines]


def _reply(arguments: argparse.Namespace, socket: str) -> int:
    if sys.stdin.isatty():
        print("Your answer; Ctrl-D on a line of its own sends it, Ctrl-C does not:", file=sys.stderr)
    text = sys.stdin.read(LONGEST + 2).removesuffix("\n")
    if not 0 < len(text) <= LONGEST or not text.strip():
        return fail(REFUSED, "An answer has 1 to 8192 characters.")
    params = SupportReplyParams(arguments.account, text)
    if call(socket, "support.reply", params, SupportReplied).waits:
        say("It was sent. Something that was not read yet still waits: safeum-home support read", sys.stderr)
    return OK


def _close(arguments: argparse.Namespace, socket: str) -> int:
    if not call(socket, "support.close", SupportCloseParams(arguments.account), SupportClosed).closed:
        return fail(REFUSED, "Something came in that was not read yet: safeum-home support read")
    return OK


def _watch(arguments: argparse.Namespace, socket: str) -> int:
    try:
        _look(socket)
    except KeyboardInterrupt:
        return OK


def _look(socket: str) -> NoReturn:
    seen: dict[str, str] = {}
    while True:
        found = call(socket, "support.list", SupportListParams(), SupportList).conversations
        for each in reversed(found):
            if not each.last.staff and seen.get(each.account) != each.last.id:
                say(_line(each))
                sys.stdout.flush()
        seen = {each.account: each.last.id for each in found}
        time.sleep(LOOK_SECONDS)
