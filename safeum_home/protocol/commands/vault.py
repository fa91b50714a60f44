"""The vault: what an account's clients keep for themselves, encrypted by them. docs/secure-chats.md.

It is one blob of up to 1 MiB, in parts that fit frames.
"""

from typing import Annotated

from msgspec import Meta

from safeum_home.protocol.command import Params, Result, command

PART = 44 * 1024
"""Octets of a part, at the most."""
MOST_OCTETS = 1024 * 1024 + 41
MOST_PARTS = -(-MOST_OCTETS // PART)

VaultVersion = Annotated[int, Meta(ge=1, le=2**53 - 1, description="Versions are counted from 1.")]
PartNumber = Annotated[int, Meta(ge=0, le=MOST_PARTS - 1, description="Parts are counted from 0.")]
PartOctets = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]+$(?!\n)",
        min_length=1,
        max_length=(PART * 4 + 2) // 3,
        description="Octets of the vault, in base64url without padding (RFC 4648 section 5).",
    ),
]


class VaultPart(Result, frozen=True):
    """A part of version `n`, which has so many `parts`. Without a vault `n` and `parts` are 0."""

    n: int
    parts: int
    data: str


@command("vault.get", VaultPart, activity=False)
class VaultGet(Params, frozen=True):
    """A part of the account's vault: all that there is of it, or of version `n` alone.

    Whoever reads on says of which version; it is `vault_conflict` where the vault has become another one.
    """

    part: PartNumber = 0
    n: VaultVersion | None = None


class VaultKept(Result, frozen=True):
    """Which version the vault has now: the one before, until its last part has come."""

    n: int


@command("vault.put", VaultKept, activity=False)
class VaultPut(Params, frozen=True):
    """Replace the vault by version `n`, a part after the other; all at once, with the last one.

    It has to follow on the version that there is: `vault_conflict`, whose `detail` is that version, where
    another device was faster. Sending all of it again is harmless. What does not follow on the part before is
    `vault_incomplete`: then begin with the first one. Parts that nothing follows on are dropped.

    `after` is the version that there is, 0 where there is none, of which `n` may be far ahead: so a device
    that has had newer ones goes on from these, on a node that was restored from a backup. More than 2^20 is
    `invalid_params`: so nobody who is in the account without its passphrase can use up all versions.
    """

    n: VaultVersion
    part: PartNumber
    parts: Annotated[int, Meta(ge=1, le=MOST_PARTS)]
    data: PartOctets
    after: Annotated[int, Meta(ge=0, le=2**53 - 2)] | None = None

    @property
    def follows(self) -> int:
        """The version of which it takes the place."""
        return self.n - 1 if self.after is None else self.after
