"""`safeum-home invites`: making them, with their QR codes, looking at them, revoking them."""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from safeum_home.admin import control_wire as wire
from safeum_home.admin.control_cli import Adds, Ask, day, shown
from safeum_home.admin.terminal import OK, REFUSED, fail
from safeum_home.admin.wire import Done

_SCALE = 8
"""Pixels of a module of the QR code, in pictures."""


def add_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    add: Adds,
    node: Ask,
) -> None:
    """`invites create`, `list` and `revoke`."""
    command = InviteCommands(node)
    invites = commands.add_parser("invites", help="Let somebody sign up where not everybody may.")
    nested = invites.add_subparsers(required=True, metavar="COMMAND")
    create = add(nested, "create", command.create, "Make an invite, and show its link this once.")
    create.add_argument("--uses", type=int, default=1, metavar="N", help="accounts (default: %(default)s)")
    create.add_argument("--days", type=int, default=7, metavar="D", help="good for (default: %(default)s)")
    create.add_argument("--label", default="", metavar="TEXT", help="for your list; stored sealed")
    create.add_argument("--png", type=Path, metavar="FILE", help="write the QR code there, too")
    create.add_argument("--svg", type=Path, metavar="FILE", help="write the QR code there, too")
    create.add_argument("--qr", action="store_true", help="show it also where that is not a terminal")
    add(nested, "list", command.list, "Show all invites, without what it takes to use them.")
    add(nested, "revoke", command.revoke, "Revoke an invite.").add_argument("id", help="as in the list")


class InviteCommands:
    """What the commands do."""

    def __init__(self, node: Ask) -> None:
        self._node = node

    def create(self, arguments: argparse.Namespace) -> int:
        # Here, since it takes longer than all the rest of a command.
        import segno

        for option, value, most in (
            ("--uses", arguments.uses, wire.MOST_USES),
            ("--days", arguments.days, wire.MOST_DAYS),
        ):
            if not 1 <= value <= most:
                return fail(REFUSED, f"{option} is from 1 to {most}.")
        params = wire.CreateInviteParams(arguments.uses, arguments.days, arguments.label)
        with ExitStack() as files:
            # Before the invite is made: none is left over where its picture cannot be written.
            pictures = {
                kind: files.enter_context(_new_file(path))
                for kind, path in (("png", arguments.png), ("svg", arguments.svg))
                if path is not None
            }
            created = self._node(arguments, "invite.create", params, wire.CreatedInvite)
            code = segno.make_qr(created.link, error="m")
            if not arguments.json and (arguments.qr or sys.stdout.isatty()):
                code.terminal(compact=True)
            # Before the pictures: whatever becomes of these, this is the one time that the link is told.
            shown(arguments, created, [created.link])
            for kind, file in pictures.items():
                code.save(file, kind=kind, scale=_SCALE)
        return OK

    def list(self, arguments: argparse.Namespace) -> int:
        found: list[wire.InviteRow] = []
        while True:
            page = self._node(arguments, "invite.list", wire.ListInvitesParams(len(found)), wire.InviteRows)
            found += page.invites
            if not page.invites or len(found) >= page.count:
                break
        rows = wire.InviteRows(found, len(found))
        return shown(arguments, rows, [_line(invite) for invite in found], "There is no invite.")

    def revoke(self, arguments: argparse.Namespace) -> int:
        self._node(arguments, "invite.revoke", wire.RevokeInviteParams(arguments.id), Done)
        return shown(arguments, Done(), [])


def _line(invite: wire.InviteRow) -> str:
    left = f"{invite.left} of {invite.uses} left"
    return f"{invite.id}  {left:<16}  until {day(invite.ends)}  {invite.label}".rstrip()


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that only its owner can read, for an invite is good for whoever sees it.

    None is replaced, and after a failure none is left.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise
