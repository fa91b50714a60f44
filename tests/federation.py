"""What tests of federation share: signers from fixed seeds, and headers of requests."""

from collections.abc import Mapping

from nacl.signing import SigningKey
from twisted.web.http_headers import Headers

from federation.signatures import sign_request
from safeum_home.protocol.federation.keys import write_document

NOW = 1_750_000_000
"""Seconds since 1970."""


class SeedSigner:
    """`ports.NodeSigner` of a seed that is no secret."""

    def __init__(self, seed: bytes) -> None:
        self._key = SigningKey(seed)
        self.public_key = bytes(self._key.verify_key)

    def sign(self, octets: bytes) -> bytes:
        return self._key.sign(octets).signature


def signer(number: int = 1) -> SeedSigner:
    return SeedSigner(bytes([number]) * 32)


def document(
    node: str = "b.example",
    number: int = 1,
    valid_until: int = (NOW + 86_400) * 1000,
    old: Mapping[int, int] | None = None,
) -> bytes:
    """The keys of a node: one in force, and when others expired (milliseconds)."""
    before = {f"ed25519:{each}": (signer(each).public_key, ended) for each, ended in (old or {}).items()}
    return write_document(node, valid_until, {f"ed25519:{number}": signer(number)}, before)


def fields(
    method: str = "PUT",
    target: str = "/_safeum/federation/v1/transactions/s/1",
    body: bytes = b"{}",
    *,
    origin: str = "b.example",
    destination: str = "a.example",
    number: int = 1,
    created: int = NOW,
    nonce: str = "AAAAAAAAAAAAAAAAAAAAAA",
) -> dict[str, str]:
    """The header fields that sign a request of `origin`, with its key of this number."""
    return sign_request(
        method,
        target,
        body,
        origin=origin,
        destination=destination,
        key_id=f"ed25519:{number}",
        signer=signer(number),
        created=created,
        nonce=nonce,
    )


def headers(values: Mapping[str, str]) -> Headers:
    return Headers({name: [value] for name, value in values.items()})
