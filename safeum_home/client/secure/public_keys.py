"""The public half of a unique key, and its hash as docs/keys.md has it."""

from dataclasses import dataclass, field

from safeum_home.client.secret import KEY
from safeum_home.client.secure.octets import digest
from safeum_home.protocol.key_types import Identity, hash_of
from safeum_home.protocol.signing import decode_octets, encode_octets

_HASH_PERSON = b"safeum key hash"


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """Two keys of 32 octets: Ed25519 to sign with, X25519 to be written to."""

    sign: bytes
    box: bytes
    hash: bytes = field(init=False, compare=False)
    """32 octets; `KeyHash` of the directory is this in base64url."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "hash", digest(self.sign + self.box, _HASH_PERSON))

    @classmethod
    def of(cls, account: str, identity: Identity) -> "PublicKeys | None":
        """Those that the directory has of an account; None where they are not signed by themselves."""
        if hash_of(account, identity) is None:
            return None
        return cls.read(identity.sign, identity.box)

    @classmethod
    def read(cls, sign: str, box: str) -> "PublicKeys | None":
        """Of base64url."""
        octets = decode_octets(sign, KEY), decode_octets(box, KEY)
        return None if octets[0] is None or octets[1] is None else cls(octets[0], octets[1])

    def texts(self) -> tuple[str, str]:
        """Both in base64url."""
        return encode_octets(self.sign), encode_octets(self.box)
