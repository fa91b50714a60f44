"""An epoch: a random key, boxed to each member, under which messages are sealed for a while.

    at          8   when it was made, in milliseconds
    commitment 32   hash of the key: so that all members have the same
    roster     32   hash of the roster that it goes by; zeros in a chat of two
    previous   32   id of the epoch that its maker knew last; zeros where there was none
    members         count (2), and for each: account (2 + length), hash of its keys (32), box (80)

Its id is the hash of its envelope: so a message that names it names its members, too.
"""

from collections.abc import Mapping
from typing import NamedTuple

from safeum_home.client.secret import BOX, KEY, Secret
from safeum_home.client.secure import members as listed
from safeum_home.client.secure.envelope import Envelope
from safeum_home.client.secure.octets import HASH, Reader, number
from safeum_home.client.secure.public_keys import PublicKeys
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.unique_key import UniqueKey

SEALED = KEY + BOX
_COMMITMENT_PERSON = b"safeum epoch key"
_SENDER_PERSON = b"safeum sender v1"


class EpochKey:
    """The key of an epoch, from which those of its senders follow. To be wiped."""

    def __init__(self, key: Secret) -> None:
        self._key = key
        self._sender = Secret()
        self._of = b""

    def of_sender(self, account: str, hash: bytes) -> Secret:
        """The key of one sender's messages: good until the next call, and not to be wiped."""
        who = account.encode() + b"\0" + hash
        if self._of != who:
            self._of = who
            self._key.derive(who, _SENDER_PERSON, self._sender)
        return self._sender

    def commitment(self) -> bytes:
        return self._key.digest(b"", _COMMITMENT_PERSON, HASH)

    def box(self, public: bytes) -> bytes:
        """Sealed to a member; raises ValueError."""
        return self._key.box(public)

    def wipe(self) -> None:
        self._key.wipe()
        self._sender.wipe()


class Epoch(NamedTuple):
    """What an envelope says of an epoch. `members` have the hash of their keys and the sealed key."""

    at: int
    commitment: bytes
    roster: bytes
    previous: bytes
    members: Mapping[str, tuple[bytes, bytes]]

    @property
    def hashes(self) -> dict[str, bytes]:
        """The members, each with the hash of the keys that it is sealed to."""
        return {account: hash for account, (hash, _) in self.members.items()}

    def open(self, own: UniqueKey) -> EpochKey:
        """Its key; raises `Refused`: EXCLUDED, or BAD_EPOCH where it is not the one that it commits to."""
        hash, sealed = self.members.get(own.account, (b"", b""))
        if hash != own.hash:
            raise Refused(Reason.EXCLUDED)
        return open_key(sealed, self.commitment, own)


def open_key(sealed: bytes, commitment: bytes, own: UniqueKey) -> EpochKey:
    """The key in a box; raises `Refused(BAD_EPOCH)`."""
    key = own.box.open_box(sealed, own.public.box)
    if key is None:
        raise Refused(Reason.BAD_EPOCH)
    opened = EpochKey(key)
    if opened.commitment() != commitment:
        opened.wipe()
        raise Refused(Reason.BAD_EPOCH)
    return opened


def make(key: EpochKey, at: int, roster: bytes, previous: bytes, members: Mapping[str, PublicKeys]) -> bytes:
    """The content of an envelope. About 70 us for each member. Raises `Refused`, ValueError."""
    boxes = {account: key.box(each.box) for account, each in members.items()}
    hashes = {account: each.hash for account, each in members.items()}
    return number(at) + key.commitment() + roster + previous + listed.write(hashes, boxes)


def read(envelope: Envelope) -> Epoch:
    """What an envelope says; raises `Refused(MALFORMED)`."""
    reader = Reader(envelope.content)
    at = reader.number()
    commitment, roster, previous = (reader.take(HASH) for _ in range(3))
    members = listed.read(reader, SEALED)
    reader.end()
    return Epoch(at, commitment, roster, previous, members)
