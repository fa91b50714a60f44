"""The unique key of an account: its private keys, which follow from a passphrase and are stored nowhere."""

from safeum_home.client.secret import Secret, Signing
from safeum_home.client.secure import passphrase
from safeum_home.client.secure.octets import digest
from safeum_home.client.secure.public_keys import PublicKeys
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.protocol.key_types import Identity, identity_octets
from safeum_home.protocol.signing import encode_octets

PASSES = 3
MEMORY = 256 * 2**20
"""Octets. Both as Argon2id (RFC 9106) has them: half a second to two seconds on a core of today."""
_SALT_PERSON = b"safeum salt v1"
_KEY_PERSON = b"safeum unique v1"


class UniqueKey:
    """The private keys of `account`, in memory that is locked and wiped: see `client.secret`."""

    def __init__(self, account: str, master: Secret) -> None:
        """From the master key, which is wiped."""
        self.account = account
        self.signing = Signing(master.derive(b"sign", _KEY_PERSON))
        self.box = master.derive(b"box", _KEY_PERSON)
        self.vault = master.derive(b"vault", _KEY_PERSON)
        master.wipe()
        self.public = PublicKeys(self.signing.public, self.box.public())
        self.hash = self.public.hash

    @classmethod
    def of(cls, account: str, text: str, known: str | None = None) -> "UniqueKey":
        """From a passphrase, or words. Takes a second or two, and 256 MiB: call it in a thread.

        `known` is the hash of keys that the account has, in base64url: what comes to these was taken once,
        and is not refused because it is estimated in another way now, or elsewhere.

        Raises `Refused(WEAK_PASSPHRASE)`, `Refused(TOO_LARGE)`, MemoryError.
        """
        octets = passphrase.octets_of(text, even_weak=known is not None)
        try:
            key = cls(account, Secret.stretched(octets, salt_of(account), PASSES, MEMORY))
        finally:
            octets[:] = bytes(len(octets))
        if known not in (None, encode_octets(key.hash)) and not passphrase.strength(text).enough:
            key.wipe()
            raise Refused(Reason.WEAK_PASSPHRASE)
        return key

    def identity(self, at: int) -> Identity:
        """What is published (`keys.publish`); `at` in milliseconds."""
        sign, box = self.public.texts()
        signature = self.signing.sign(identity_octets(self.account, sign, box, at))
        return Identity(sign, box, at, encode_octets(signature))

    @property
    def wiped(self) -> bool:
        return self.signing.wiped

    def wipe(self) -> None:
        """At close. Twice is harmless."""
        for each in (self.signing, self.box, self.vault):
            each.wipe()


def salt_of(account: str) -> bytes:
    """16 octets that follow from an account: nothing has to be stored, and no two accounts share a table."""
    return digest(account.encode(), _SALT_PERSON, 16)
