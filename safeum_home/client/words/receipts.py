"""Checking a node's receipt for an erasure, without asking anybody: `safeum verify-receipt`."""

import re
from pathlib import Path

import msgspec

from safeum_home.client.files.small_files import read_up_to
from safeum_home.client.words.peer_receipts import HOW, about_peer, as_keys, as_peer_receipt, is_false
from safeum_home.client.words.text import moment, safe
from safeum_home.protocol.erasure import Erasure, bears_out
from safeum_home.protocol.federation.events import Event, key_ids
from safeum_home.protocol.signing import decode_octets, fingerprint

AUTHENTIC, FALSE, UNREADABLE, UNKNOWN_KEY = range(4)
"""Exit statuses of `safeum verify-receipt`."""
MOST = 65_536
"""Octets of a file that can be a receipt, or a key."""
_DIGITS = re.compile(r"[0-9a-f]{40}")


class Unreadable(Exception):
    """A file, or a key that was given, is not what it should be; the text says why."""


def about(receipt: Erasure) -> str:
    """What a receipt says, in words."""
    at = moment(receipt.at)
    return (
        f"{safe(receipt.node)} says that it erased all that the chat {safe(receipt.chat)} held"
        f" on {at.day} {at:%b} {at.year}, {at:%H:%M:%S %Z}: its key is destroyed,"
        f" with epoch {receipt.epoch} of the node's keyring."
    )


def read(path: Path) -> Erasure | Event:
    """The receipt in a file, be it of one's own node or another's; raises `Unreadable`."""
    octets = _octets(path)
    try:
        return msgspec.json.decode(octets, type=Erasure)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if (event := as_peer_receipt(octets)) is not None:
            return event
        raise Unreadable(f"{safe(str(path))} holds no receipt.") from None


def expected(text: str) -> str:
    """The fingerprint, as 40 digits, of a key that was given: that itself, the key, or a file with either."""
    for given in (text, _in_file(text)):
        digits = "".join(given.split())
        if _DIGITS.fullmatch(digits.lower()):
            return digits.lower()
        if (key := decode_octets(digits, 32)) is not None:
            return fingerprint(key).replace(" ", "")
    raise Unreadable("--key is neither a fingerprint, nor a node's key, nor a file with one of them.")


def verify(path: Path, key: str | None) -> tuple[int, list[str]]:
    """Check a receipt; the exit status, and what to say.

    `key` is as in `expected`; of another node's receipt, a file with what that publishes of its keys.
    """
    try:
        receipt = read(path)
        if isinstance(receipt, Event):
            return _verify_peer(receipt, key)
        wanted = None if key is None else expected(key)
    except Unreadable as error:
        return UNREADABLE, [str(error)]
    if not bears_out(receipt):
        return FALSE, ["FALSE: this was not signed by the key that it names. It proves nothing."]
    public = decode_octets(receipt.key, 32)
    assert public is not None  # it has verified
    signer = fingerprint(public)
    told = [about(receipt), f"Signed with the key {signer}."]
    if wanted is None:
        return UNKNOWN_KEY, [
            *told,
            "Whose key that is has not been checked: compare it with the one that your client shows for your"
            " node (/support), or give that with --key.",
        ]
    if wanted != signer.replace(" ", ""):
        return FALSE, [f"FALSE: this was signed with another key than the one given: {signer}."]
    return AUTHENTIC, ["AUTHENTIC.", *told]


def _verify_peer(event: Event, key: str | None) -> tuple[int, list[str]]:
    if key is None:
        return UNKNOWN_KEY, [about_peer(event), f"Whether that node has signed it was not checked. {HOW}"]
    keys = as_keys(_in_file(key).encode(), event.node)
    if keys is None:
        raise Unreadable(f"--key is no file with the keys of {safe(event.node)}. {HOW}")
    if (why := is_false(event, keys)) is not None:
        return FALSE, [why]
    return AUTHENTIC, ["AUTHENTIC.", about_peer(event), f"Signed with {', '.join(sorted(key_ids(event)))}."]


def _in_file(name: str) -> str:
    """The text of a file, nothing where there is none of that name; raises `Unreadable`."""
    path = Path(name)
    try:
        if not path.is_file():
            return ""
    except OSError:  # a name that no file can have
        return ""
    return _octets(path).decode("utf-8", "replace")


def _octets(path: Path) -> bytes:
    try:
        data = read_up_to(path, MOST)
    except OSError as error:
        raise Unreadable(f"{safe(str(path))}: {error.strerror}.") from None
    if data is None:
        raise Unreadable(f"{safe(str(path))} is too large.")
    return data
