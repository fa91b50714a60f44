"""The command line of `safeum`: what can be given there, and what it means. No secret is ever on it."""

import argparse
import os
import sys
from pathlib import Path

from safeum_home import __version__
from safeum_home.client.connection.trust import node_text
from safeum_home.client.desk.phone import NO_PHONE, add_options, phone
from safeum_home.client.entry.entry import Options
from safeum_home.client.methods.methods import this_device
from safeum_home.client.secure.passphrase import MOST
from safeum_home.protocol.types import DeviceType

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
            login=None,
            password_fd=None,
            device=f"safeum {name}",
            agree=None,
            invite_fd=None,
            passphrase_fd=None,
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
        if name in ("chat", "pipe"):
            command.add_argument(
                "--passphrase-fd",
                type=int,
                metavar="N",
                help="unlock secure chats with a passphrase, one line of this descriptor",
            )
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


def read_line(descriptor: int, most: int = 1024, what: str = "password") -> str:
    """One line of a descriptor and not an octet more, so that what follows is left for others."""
    line = b""
    while len(line) < most and (octet := os.read(descriptor, 1)) not in (b"", b"\n"):
        line += octet
    try:
        text = line.decode().removesuffix("\r")
    except UnicodeDecodeError:
        # Without the error's own words, which show the octet.
        raise SystemExit(f"safeum: the {what} is not UTF-8") from None
    if not text:
        more = ", for a change two" if what == "password" else ""
        raise SystemExit(f"safeum: the {what} is empty: one line is needed{more}")
    return text


def options(arguments: argparse.Namespace) -> Options:
    """Everything that may block, or fail on a file, before anything runs."""
    descriptor = arguments.password_fd
    if descriptor is None and not sys.stdin.isatty() and arguments.command != "policy":
        descriptor = 0
    if descriptor is not None and arguments.login is None:
        raise SystemExit("safeum: --login is missing: it goes with a password that is not asked for")
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
        None if arguments.passphrase_fd is None else read_line(arguments.passphrase_fd, MOST, "passphrase"),
    )
