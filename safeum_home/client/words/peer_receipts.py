"""Another node's receipt for an erasure: an event that it has signed, and the keys that it publishes."""

from collections.abc import Sequence

import msgspec

from safeum_home.client.words.text import moment, safe
from safeum_home.errors import Code, Problem
from safeum_home.protocol.federation import groups
from safeum_home.protocol.federation.canonical import NotCanonical, decode, encode
from safeum_home.protocol.federation.chats import ERASED, SharedErasure
from safeum_home.protocol.federation.events import MOST_OCTETS, Event, read_event, verify_event
from safeum_home.protocol.federation.keys import KEY_PATH, VerifyKeys, read_document

HOW = f"Fetch https://NODE{KEY_PATH} and give that file with --key."


_TYPES: dict[str, type[SharedErasure] | type[groups.SharedErasure]] = {
    ERASED: SharedErasure,
    groups.ERASED: groups.SharedErasure,
}


def _said(event: Event) -> SharedErasure | groups.SharedErasure:
    """Raises `msgspec.ValidationError`."""
    return msgspec.convert(event.content, _TYPES.get(event.type, SharedErasure), strict=True)


def as_peer_receipt(octets: bytes) -> Event | None:
    """The event in a file, with or without white space between its parts; None where there is none."""
    try:
        event = read_event(encode(msgspec.json.decode(octets)))
        _said(event)
    except (ValueError, RecursionError, NotCanonical, Problem):
        return None
    return event if event.type in _TYPES and event.chat is not None else None


def about_peer(event: Event) -> str:
    """What it says, in words."""
    erased = _said(event)
    at = moment(event.at)
    return (
        f"{safe(event.node)} says that it erased all that its copy of the chat {safe(str(event.chat))} held"
        f" on {at.day} {at:%b} {at.year}, {at:%H:%M:%S %Z}: its key is destroyed,"
        f" with epoch {erased.epoch} of the node's keyring."
    )


def as_keys(octets: bytes, node: str) -> VerifyKeys | None:
    """The keys of a node in the document that it publishes, however old that is; None where it is not one."""
    try:
        return read_document(encode(decode(octets.strip(), MOST_OCTETS)), node, 0)
    except (ValueError, NotCanonical, Problem):
        return None


def is_false(event: Event, keys: VerifyKeys) -> str | None:
    """Why it was not signed by its node; None where it was. Old keys count for what is from their time."""
    try:
        verify_event(event, keys.at(event.at))
    except Problem as problem:
        if problem.code is Code.UNKNOWN_KEY:
            return "FALSE: this names a key that the node did not have at that time."
        return "FALSE: this was not signed with the key that it names. It proves nothing."
    return None


def not_confirmed(nodes: Sequence[str]) -> str:
    """What is to be said while other nodes have not signed that they have erased a chat."""
    return f"erased here; not yet confirmed by {safe(', '.join(nodes))}"
