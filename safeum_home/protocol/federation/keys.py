"""What a node publishes of its keys, and how it is read: the document at `KEY_PATH`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct, structs

from safeum_home.errors import Code, Problem
from safeum_home.protocol.federation.canonical import Canonical, NotCanonical
from safeum_home.protocol.federation.signed import (
    KEY_SIZE,
    MOST_SIGNATURES,
    KeyId,
    KeyText,
    NodeName,
    Signatures,
    base64,
    is_signed,
    octets_of,
)
from safeum_home.protocol.scalars import Milliseconds

if TYPE_CHECKING:
    from safeum_home.ports import NodeSigner

KEY_PATH = "/_safeum/key/v1"
MOST_OCTETS = 16 * 1024
"""Of a document."""
MOST_OLD = 64
LONGEST_VALID = 7 * 24 * 3600 * 1000
"""Milliseconds for which a document is believed, whatever it says itself."""


class PublishedKey(Struct, frozen=True, forbid_unknown_fields=True):
    """A key in force."""

    key: KeyText


class OldKey(Struct, frozen=True, forbid_unknown_fields=True):
    """A key that is not used any more."""

    key: KeyText
    expired: Milliseconds
    """Since when."""


class KeyDocument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A node's keys, as canonical JSON, signed with each key in force."""

    node: NodeName
    valid_until: Milliseconds
    """When it is to be fetched anew."""
    verify_keys: Annotated[dict[KeyId, PublishedKey], Meta(min_length=1, max_length=MOST_SIGNATURES)]
    """The keys that the node signs with now."""
    old_verify_keys: Annotated[dict[KeyId, OldKey], Meta(max_length=MOST_OLD)]
    """Those that it signed with before."""
    signatures: Signatures = {}


_canonical = Canonical(KeyDocument)


@dataclass(frozen=True, slots=True)
class VerifyKeys:
    """A document that was verified. Times are in milliseconds since 1970, keys are 32 octets each."""

    node: str
    good_until: int
    current: Mapping[str, bytes]
    old: Mapping[str, tuple[bytes, int]]

    def at(self, when: int) -> dict[str, bytes]:
        """The keys in force, and those that were at `when`: for what somebody else kept meanwhile."""
        before = {key: public for key, (public, expired) in self.old.items() if when < expired}
        return {**before, **self.current}


def write_document(
    node: str, valid_until: int, current: Mapping[str, "NodeSigner"], old: Mapping[str, tuple[bytes, int]]
) -> bytes:
    """The document of a node, signed; `old` are keys and when each expired (milliseconds)."""
    document = KeyDocument(
        node=node,
        valid_until=valid_until,
        verify_keys={key: PublishedKey(base64(signer.public_key)) for key, signer in current.items()},
        old_verify_keys={key: OldKey(base64(public), expired) for key, (public, expired) in old.items()},
    )
    octets = _canonical.encode(document)
    signatures = {key: base64(signer.sign(octets)) for key, signer in current.items()}
    return _canonical.encode(structs.replace(document, signatures={node: signatures}))


def read_document(octets: bytes, node: str, now: int) -> VerifyKeys:
    """The keys in what was fetched from `node` at `now` (milliseconds).

    Raises `Problem(unknown_key)` where it is malformed, another node's, over, or not signed by each key
    that it says is in force.
    """
    try:
        document = _canonical.decode(octets, MOST_OCTETS)
    except NotCanonical:
        raise Problem(Code.UNKNOWN_KEY, "the document of its keys is malformed") from None
    if document.node != node:
        raise Problem(Code.UNKNOWN_KEY, "the document of its keys is another node's")
    if document.valid_until <= now:
        raise Problem(Code.UNKNOWN_KEY, "the document of its keys is over")
    current = {key: octets_of(each.key, KEY_SIZE) for key, each in document.verify_keys.items()}
    old = {
        key: (octets_of(each.key, KEY_SIZE), each.expired) for key, each in document.old_verify_keys.items()
    }
    good = {key: public for key, public in current.items() if public is not None}
    before = {key: (public, expired) for key, (public, expired) in old.items() if public is not None}
    if len(good) != len(current) or len(before) != len(old) or good.keys() & before.keys():
        raise Problem(Code.UNKNOWN_KEY, "the document of its keys is malformed")
    signatures = document.signatures.get(node, {})
    signed = _canonical.encode(structs.replace(document, signatures={}))
    if signatures.keys() != good.keys() or not is_signed(signed, signatures, good):
        raise Problem(Code.UNKNOWN_KEY, "the document of its keys is not signed with each of them")
    return VerifyKeys(node, min(document.valid_until, now + LONGEST_VALID), good, before)
