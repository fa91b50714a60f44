"""Events: what one node tells another of what its accounts did, signed by the node of that very account."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta, Struct, structs

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId
from safeum_home.protocol.federation.canonical import Canonical, NotCanonical
from safeum_home.protocol.federation.signed import (
    NodeName,
    Signatures,
    base64,
    is_node_name,
    is_signed,
)
from safeum_home.protocol.scalars import Account, Chat, Milliseconds

if TYPE_CHECKING:
    from safeum_home.ports import NodeSigner

MOST_OCTETS = 64 * 1024
"""Of an event with its signatures."""
AHEAD = 5 * 60 * 1000
"""By how many milliseconds the clock of another node may be ahead."""

EventType = Annotated[
    str, Meta(pattern=r"^[a-z][a-z0-9_.]{0,63}$(?!\n)", max_length=64, description="What the content is.")
]
EventId = Annotated[
    str, Meta(min_length=1, max_length=64, description="The object's id at the node of the sender.")
]


class Event(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The state of one object, as canonical JSON."""

    type: EventType
    node: NodeName
    """The node of the sender: it signs, and nobody else can."""
    sender: Account
    at: Milliseconds
    """When the object came to be so."""
    content: dict[str, Any]
    chat: Chat | None = None
    id: EventId | None = None
    signatures: Signatures = {}


_canonical = Canonical(Event)


def node_of(account: str) -> str:
    """The node of an account."""
    return account.partition(":")[2]


def new_event(
    type: str,
    sender: AccountId,
    at: int,
    content: dict[str, Any],
    chat: ChatId | None = None,
    id: str | None = None,
) -> Event:
    """An event that is still to be signed. `content` is what `msgspec.to_builtins` makes of its type."""
    return Event(
        type=type,
        node=node_of(sender),
        sender=sender,
        at=at,
        content=content,
        chat=chat,
        id=id,
        signatures={},
    )


def sign_event(event: Event, key: str, signer: "NodeSigner") -> bytes:
    """The event as it goes to other nodes, signed with the node's own key of the id `key`.

    Raises `Problem(malformed_event)` where it holds what it cannot hold, or is too long, and `Erased`.
    """
    try:
        unsigned = _canonical.encode(structs.replace(event, signatures={}))
    except NotCanonical:
        raise Problem(Code.MALFORMED_EVENT) from None
    signatures = {event.node: {key: base64(signer.sign(unsigned))}}
    octets = _canonical.encode_again(structs.replace(event, signatures=signatures))
    if len(octets) > MOST_OCTETS:
        raise Problem(Code.MALFORMED_EVENT, "the event is too long")
    return octets


def signed_octets(event: Event) -> bytes:
    """What is signed of an event that was read: the canonical form without the signatures."""
    return _canonical.encode_again(structs.replace(event, signatures={}))


def event_octets(event: Event) -> bytes:
    """An event that was read, octet for octet as it came."""
    return _canonical.encode_again(event)


def read_event(octets: bytes) -> Event:
    """An event from another node, of which nothing is verified yet but that one node answers for all of it.

    Raises `Problem`: `malformed_event`; `wrong_sender_node` where the event, or its signature, is not of the
    node of its sender; `bad_signature` where there is none.
    """
    try:
        event = _canonical.decode(octets, MOST_OCTETS)
    except NotCanonical:
        raise Problem(Code.MALFORMED_EVENT) from None
    if not is_node_name(event.node):
        raise Problem(Code.MALFORMED_EVENT)
    if not event.signatures:
        raise Problem(Code.BAD_SIGNATURE, "the event is not signed")
    if event.node != node_of(event.sender) or event.signatures.keys() != {event.node}:
        raise Problem(Code.WRONG_SENDER_NODE)
    return event


def key_ids(event: Event) -> frozenset[str]:
    """With which keys of its node an event is signed, as it says."""
    return frozenset(event.signatures.get(event.node, ()))


def verify_event(event: Event, keys: Mapping[str, bytes]) -> None:
    """Check what `read_event` has read against keys of the node `event.node` (32 octets each, by id).

    `keys` are those in force when the event is received; see `VerifyKeys.at` for one that somebody else kept
    meanwhile. Raises `Problem`: `unknown_key`, `bad_signature`. About 60 us: many belong into a thread.
    """
    if event.node != node_of(event.sender):
        raise Problem(Code.WRONG_SENDER_NODE)
    signatures = event.signatures.get(event.node, {})
    if not signatures.keys() & keys.keys():
        raise Problem(Code.UNKNOWN_KEY)
    if not is_signed(signed_octets(event), signatures, keys):
        raise Problem(Code.BAD_SIGNATURE)
