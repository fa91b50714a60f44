"""Lists of members in an envelope: accounts in the order of their octets, each with the hash of its keys."""

from collections.abc import Mapping

from safeum_home.client.secure.octets import HASH, Reader, malformed, number, text
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.ids import MAX_NODE_NAME, is_account

MOST_MEMBERS = 200
MAX_ACCOUNT = 28 + MAX_NODE_NAME

Members = Mapping[str, bytes]
"""Accounts, and hashes of their keys."""


def in_order(members: Members) -> list[str]:
    """The accounts as they stand in an envelope; raises `Refused(TOO_MANY)`."""
    if len(members) > MOST_MEMBERS:
        raise Refused(Reason.TOO_MANY)
    return sorted(members)


def write(members: Members, more: Mapping[str, bytes] | None = None) -> bytes:
    """The list; `more` is what stands behind each hash."""
    accounts = in_order(members)
    listed = (text(each) + members[each] + (more[each] if more else b"") for each in accounts)
    return number(len(accounts), 2) + b"".join(listed)


def read(reader: Reader, extra: int = 0) -> dict[str, tuple[bytes, bytes]]:
    """Accounts with the hash and the `extra` octets behind it, in order; raises `Refused(MALFORMED)`."""
    count = reader.number(2)
    if not 1 <= count <= MOST_MEMBERS:
        raise malformed()
    found: dict[str, tuple[bytes, bytes]] = {}
    last = ""
    for _ in range(count):
        account = reader.text(MAX_ACCOUNT)
        if not is_account(account) or account <= last:
            raise malformed()
        found[account], last = (reader.take(HASH), reader.take(extra)), account
    return found
