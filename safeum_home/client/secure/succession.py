"""That an account has other keys now, said by those that it had: so it is no swap, and shown all the same.

    at          8   when they came into force, in milliseconds
    sign, box  32 each: the new keys
    proof      64   Ed25519 by the new `sign` of a tag, account, hash before, hash now, and `at`

The envelope is signed with the keys before.
"""

from typing import NamedTuple

from safeum_home.client.secret import KEY
from safeum_home.client.secure.envelope import Envelope
from safeum_home.client.secure.octets import Reader, malformed, number
from safeum_home.client.secure.public_keys import PublicKeys
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.protocol.federation.signed import SIGNATURE_SIZE, is_signed_by

_TAG = b"safeum secure succession v1\0"


class Succession(NamedTuple):
    """The keys that have taken the place of those with the hash `before`."""

    at: int
    keys: PublicKeys


def _signed(account: str, before: bytes, after: bytes, at: int) -> bytes:
    return _TAG + account.encode() + b"\0" + before + after + number(at)


def make(new: UniqueKey, before: bytes, at: int) -> bytes:
    """The content of an envelope."""
    proof = new.signing.sign(_signed(new.account, before, new.hash, at))
    return number(at) + new.public.sign + new.public.box + proof


def read(envelope: Envelope, account: str, before: bytes) -> Succession:
    """What an envelope that keys with the hash `before` have signed says; raises `Refused(MALFORMED)`."""
    reader = Reader(envelope.content)
    said = Succession(reader.number(), PublicKeys(reader.take(KEY), reader.take(KEY)))
    proof = reader.take(SIGNATURE_SIZE)
    reader.end()
    if not is_signed_by(said.keys.sign, _signed(account, before, said.keys.hash, said.at), proof):
        raise malformed()
    return said
