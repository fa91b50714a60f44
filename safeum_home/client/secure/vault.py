"""A vault: what a program wants to know again when it starts, encrypted, at the node, in one piece.

    0x21        1
    nonce      24
    sealed          XChaCha20-Poly1305 under the vault key of JSON that is filled up; bound to it are a tag,
                    the account and the version (8)

Versions are counted from 1. A node keeps one, and takes the next one only.
"""

from safeum_home.client.secret import NONCE, TAG, fresh
from safeum_home.client.secure.envelope import NONE
from safeum_home.client.secure.octets import Reader, digest, malformed, number
from safeum_home.client.secure.padding import padded, unpadded
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.secure.vault_content import Content
from safeum_home.client.secure.vault_room import decode, encode
from safeum_home.protocol.signing import decode_octets, encode_octets

BUCKETS = tuple(2**each for each in range(12, 21))
"""Octets of what is sealed: 4 KiB to 1 MiB."""
ROOM = BUCKETS[-1] - 1
"""Octets of content that there is room for."""
MOST = 1 + NONCE + BUCKETS[-1] + TAG
_KIND = b"\x21"
_ABOUT = b"safeum vault v1\0"
_PERSON = b"safeum vault"


def _about(account: str, version: int) -> bytes:
    return _ABOUT + account.encode() + b"\0" + number(version)


def seal(content: Content, version: int, own: UniqueKey, nonce: bytes | None = None) -> str:
    """The blob, base64url; raises `Refused(TOO_LARGE)`. A nonce is given by vectors alone."""
    nonce = fresh(NONCE) if nonce is None else nonce
    plain = padded(encode(content), BUCKETS)
    return encode_octets(_KIND + nonce + own.vault.seal(plain, _about(own.account, version), nonce))


def open(data: str, version: int, own: UniqueKey) -> tuple[Content, bytes]:
    """What is in a blob, and its hash; raises `Refused`: MALFORMED, UNDECRYPTABLE."""
    octets = decode_octets(data, len(data) * 3 // 4) if len(data) <= (MOST * 4 + 2) // 3 else None
    if octets is None or not 1 <= version < 2**53:
        raise malformed()
    reader = Reader(octets)
    kind, nonce, sealed = reader.take(1), reader.take(NONCE), reader.rest()
    if kind != _KIND:
        raise malformed()
    plain = own.vault.open(sealed, _about(own.account, version), nonce)
    if plain is None:
        raise Refused(Reason.UNDECRYPTABLE)
    return decode(unpadded(plain, BUCKETS)), digest(octets, _PERSON)


class Vault:
    """Which version this program has had last: so an older one is seen, and one beside it."""

    def __init__(self, own: UniqueKey) -> None:
        self._own = own
        self.version = 0
        self._hash = NONE
        self._expected = 0
        self._after = 0
        """The version that the next one takes the place of."""

    def rekey(self, own: UniqueKey) -> UniqueKey:
        """Seal, and open, with other keys from now on; those before."""
        before, self._own = self._own, own
        return before

    @property
    def previous(self) -> str:
        """The `previous` of the content that is to be put next."""
        return encode_octets(self._hash)

    def expect(self, version: int) -> None:
        """Another program of this account has had that version (`events.VaultNewer`): none before is good."""
        self._expected = max(self._expected, version)

    def none(self) -> None:
        """The node says that there is none; raises `Refused(ROLLED_BACK)` where there was one."""
        if max(self.version, self._expected):
            raise Refused(Reason.ROLLED_BACK)

    def take(self, version: int, data: str) -> Content:
        """What the node has; raises `Refused`: ROLLED_BACK, FORKED, and as `open`."""
        content, hash = open(data, version, self._own)
        if version < max(self.version, self._expected):
            raise Refused(Reason.ROLLED_BACK)
        followed = version == self.version + 1 and content.previous != encode_octets(self._hash)
        if self.version and (followed or (version == self.version and hash != self._hash)):
            raise Refused(Reason.FORKED)
        self.version, self._hash, self._after = version, hash, version
        return content

    def accept(self, version: int, data: str) -> Content:
        """What the node has, though it is older, or beside: its user was asked. Merge it, and put that.

        Raises as `open`.
        """
        content, hash = open(data, version, self._own)
        if version > self.version:
            self.version, self._hash = version, hash
        self._after = version
        return content

    def instead(self, version: int) -> None:
        """The one that the node has, or 0 for none, is to be replaced unread: its user was asked."""
        self._after = version

    def put(self, content: Content) -> tuple[int, int, str]:
        """What is to be put: its version, the one that it follows, and the blob. `take` it once it is there.

        Where the node has another one meanwhile: `take` that, `merge`, and put what comes of it. Its version
        is beyond all that there were, so that nobody takes one before it any more.
        """
        version = max(self.version, self._expected, self._after) + 1
        return version, self._after, seal(content, version, self._own)
