"""Keys that providers' tokens are signed with."""

from contextlib import suppress

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc.jwk import RSAKey

from safeum_home.errors import Code, Problem


def rsa_key(pem: bytes) -> RSAKey:
    """The private key of RSA in a PEM; raises `Problem(not_found)` for what is none.

    That its numbers are primes is not looked into, which would hold up everybody for a tenth of a second: it
    is the operator's own, from the sealed store, with another the provider only refuses what it signs.
    """
    # Not `except … raise`: what the library says might quote the key.
    with suppress(ValueError, TypeError, UnsupportedAlgorithm):
        key = load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
        if isinstance(key, RSAPrivateKey):
            return RSAKey(key, pem)
    raise Problem(Code.NOT_FOUND)
