"""A file that goes to the node in parts, as it does not fit a line."""

import argparse
from pathlib import Path

from safeum_home.admin.control_cli import Ask
from safeum_home.admin.wire import PART, Done, PartParams


class TooLarge(Exception):
    """The file is larger than is taken."""


def send_file(node: Ask, arguments: argparse.Namespace, command: str, path: Path, largest: int) -> int:
    """Send `path` with a command that takes parts; how many octets there were. Raises `TooLarge`, OSError."""
    with path.open("rb") as file:
        octets = file.read(largest + 1)
    if len(octets) > largest:
        raise TooLarge
    for offset in range(0, max(len(octets), 1), PART):
        node(arguments, command, PartParams(offset, octets[offset : offset + PART]), Done)
    return len(octets)
