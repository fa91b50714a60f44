"""Identifiers: accounts, devices, chats, addresses, node names.

An account id is opaque and for ever: `@<26 base32 characters>:<node>`. A username is only an alias,
written `login@node`. An account that was opened with a mobile number has the number as its alias, and one
whose number has gone to somebody else has its own id. A direct chat's id is derived from its two account
ids, so that both nodes of a federated chat know it without asking each other.
"""

import re
from base64 import b32encode
from collections.abc import Callable
from hashlib import blake2b
from secrets import token_bytes
from typing import NewType

from safeum_home.errors import Code, Problem

AccountId = NewType("AccountId", str)
DeviceId = NewType("DeviceId", str)
ChatId = NewType("ChatId", str)
AvatarId = NewType("AvatarId", str)
FileId = NewType("FileId", str)
Cursor = NewType("Cursor", str)
"""An opaque place in the node's order of events; it doubles as the id of the message at that place."""

# `$` alone would let a trailing newline through in Python; the look-ahead is valid in ECMA 262 too.
ACCOUNT_PATTERN = r"^@[a-z2-7]{26}:[a-z0-9.:\[\]-]{1,255}$(?!\n)"
DEVICE_PATTERN = r"^D[a-z2-7]{16}$(?!\n)"
CHAT_PATTERN = r"^![a-z2-7]{26}$(?!\n)"
AVATAR_PATTERN = r"^A[a-z2-7]{26}$(?!\n)"
FILE_PATTERN = r"^F[a-z2-7]{26}$(?!\n)"
CURSOR_PATTERN = r"^[A-Za-z0-9_-]{22}$(?!\n)"
USERNAME_PATTERN = r"^(?=.*[a-z])[a-z0-9](?:[a-z0-9._-]{1,30})[a-z0-9]$(?!\n)"
"""With a letter in it, so that no login looks like a number."""
NUMBER_PATTERN = r"^\+[1-9][0-9]{6,14}$(?!\n)"
"""E.164, in the form in which it is an alias: nobody gets one without having proved it."""

SYSTEM_USERNAME = "safeum"
"""The name under which a node itself writes."""
SUPPORT_USERNAME = "safeum-support"
"""The name under which the operator's staff answers."""
RESERVED_USERNAMES = frozenset(
    (SYSTEM_USERNAME, "support", SUPPORT_USERNAME, "admin", "administrator", "root", "postmaster", "abuse")
)
"""Names that speak for the node: nobody can sign up with them, or their likes (`is_reserved`)."""

_USERNAME = re.compile(USERNAME_PATTERN)
_NUMBER = re.compile(NUMBER_PATTERN)
_ACCOUNT = re.compile(ACCOUNT_PATTERN)
_PORT = re.compile(r"^[1-9][0-9]{0,4}$(?!\n)")
_LABEL = re.compile(r"^(?!-)[a-z0-9-]{1,63}(?<!-)$(?!\n)")
MAX_NODE_NAME = 255
"""Characters of a node's name with its port, as `ACCOUNT_PATTERN` takes them."""

RandomBytes = Callable[[int], bytes]


def _base32(data: bytes) -> str:
    return b32encode(data).decode("ascii").rstrip("=").lower()


def new_account_id(node: str, random: RandomBytes = token_bytes) -> AccountId:
    """A fresh account id on `node` (128 random bits)."""
    return AccountId(f"@{_base32(random(16))}:{node}")


def system_account(node: str) -> AccountId:
    """The account in whose name `node` itself writes. Nobody can log in to it."""
    return AccountId(f"@{_base32(blake2b(b'safeum system contact', digest_size=16).digest())}:{node}")


def support_account(node: str) -> AccountId:
    """The account in whose name the operator's staff answers. Nobody can log in to it either."""
    return AccountId(f"@{_base32(blake2b(b'safeum support contact', digest_size=16).digest())}:{node}")


def voicemail_account(node: str) -> AccountId:
    """What an account's voicemail chat is with, as its id is made. Nothing is written in this name."""
    return AccountId(f"@{_base32(blake2b(b'safeum voicemail', digest_size=16).digest())}:{node}")


def new_device_id(random: RandomBytes = token_bytes) -> DeviceId:
    """A fresh device id (80 random bits)."""
    return DeviceId("D" + _base32(random(10)))


def avatar_id(index: bytes) -> AvatarId:
    """The id of a picture: its keyed hash (16 octets), so that the same picture has the same id."""
    return AvatarId("A" + _base32(index))


def new_file_id(random: RandomBytes = token_bytes) -> FileId:
    """A fresh id of a file (128 random bits)."""
    return FileId("F" + _base32(random(16)))


def foreign_file_id(index: bytes) -> FileId:
    """The id that a file of another node has here: a keyed hash (16 octets) of what it is there."""
    return FileId("F" + _base32(index))


def group_id(hub: str, seed: str) -> ChatId:
    """The id of a group that `hub` orders, made of what it tells of it.

    So no node can give one of its groups the id of a chat of others: of two people who will come to know
    each other, of somebody with itself, or of another node's group.
    """
    digest = blake2b(f"{hub}\n{seed}".encode(), digest_size=16, person=b"safeum group v1").digest()
    return ChatId("!" + _base32(digest))


def direct_chat_id(first: AccountId, second: AccountId) -> ChatId:
    """The id of the direct chat of two accounts: the same on both nodes, whoever asks."""
    low, high = sorted((first, second))
    digest = blake2b(f"{low}\n{high}".encode(), digest_size=16, person=b"safeum chat v1").digest()
    return ChatId("!" + _base32(digest))


def node_name(text: str) -> str:
    """A node's name (DNS name, with an optional port) in its one written form, lower-cased.

    Raises `invalid_node_name`. ASCII only: an internationalised name is written in its `xn--` form.
    """
    host, colon, port = text.lower().partition(":")
    labels = host.split(".")
    port_ok = not colon or (_PORT.match(port) is not None and int(port) < 65536)
    if (
        not text.isascii()
        or len(text) > MAX_NODE_NAME
        or len(host) > 253
        or not port_ok
        or not all(_LABEL.match(label) for label in labels)
    ):
        raise Problem(Code.INVALID_NODE_NAME)
    return host + colon + port


def node_pattern(text: str) -> str:
    """What stands for nodes in an operator's lists, lower-cased: a name, or `*.` and a domain: all below it.

    A name without a port is good for all ports. Raises `invalid_node_name`.
    """
    domain = text.removeprefix("*.")
    if domain != text and ":" in domain:
        raise Problem(Code.INVALID_NODE_NAME)
    return "*." * (domain != text) + node_name(domain)


def username(text: str) -> str:
    """A login in its one written form: 3 to 32 of a-z 0-9 . _ -, lower-cased; raises `invalid_username`.

    ASCII only, so that no two logins look alike and no normalisation can make two of one.
    """
    folded = text.lower() if text.isascii() else ""
    if not _USERNAME.match(folded):
        raise Problem(Code.INVALID_USERNAME)
    return folded


_ALIKE = str.maketrans("0134579il", "oleastgll", "._-")


def skeleton(name: str) -> str:
    """What names in lower-case ASCII have in common that are read as the same one: `5upp0rt`, `sup.port`."""
    return name.translate(_ALIKE).replace("rn", "m").replace("vv", "w").replace("v", "u")


_RESERVED = frozenset(map(skeleton, RESERVED_USERNAMES))


def is_reserved(name: str) -> bool:
    """Whether a username in its written form speaks for the node, or looks as if it did."""
    bare = skeleton(name)
    return bare in _RESERVED or skeleton(SYSTEM_USERNAME) in bare


def is_number(alias: str) -> bool:
    """Whether an alias is a mobile number."""
    return _NUMBER.match(alias) is not None


def is_account(alias: str) -> bool:
    """Whether an alias is the id of its own account."""
    return _ACCOUNT.match(alias) is not None


def alias(text: str) -> str:
    """What somebody signs in with: login, number (E.164) or account id. Raises `invalid_username`."""
    folded = text.lower() if text.isascii() else ""
    return folded if is_number(folded) or is_account(folded) else username(text)


def written(alias: str, node: str) -> str:
    """The address of the account on `node` that has this alias."""
    return alias if is_account(alias) else f"{alias}@{node}"


def public_address(alias: str, account: AccountId, node: str) -> str:
    """What others are told of an account: its login; where that is a number, which is private, its id."""
    return account if is_number(alias) else written(alias, node)


def address(text: str, home: str) -> tuple[str, str]:
    """An address as (alias, node); without a node it means `home`. Raises a `Problem` when malformed."""
    text = text.strip()
    if text.isascii() and is_account(text.lower()):
        return text.lower(), text.lower().partition(":")[2]
    login, at, node = text.removeprefix("@").partition("@")
    return login if is_number(login) else username(login), node_name(node) if at else home
