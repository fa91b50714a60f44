"""The certificate that the node serves with, and its key."""

from pathlib import Path

from cryptography import x509
from twisted.internet.threads import deferToThread

from safeum_home.config import Config
from safeum_home.errors import Code, Problem
from safeum_home.gateway.tls import ServerTls, TlsError
from safeum_home.sealing.secrets import SecretStore
from safeum_home.sealing.sources import read_safe_file

_LONGEST_KEY = 64 * 1024


class NodeCertificate:
    """What `[tls]` describes, once it was read; `tls` is None before."""

    def __init__(self, config: Config, tls: ServerTls | None = None) -> None:
        """`tls` is used instead of what is configured."""
        self._config = config
        self._end: float | None = None
        self.tls = tls

    async def read(self, secrets: SecretStore) -> None:
        """Read the chain and the key anew: connections from now on are served with them.

        Raises `invalid_params` where they do not fit, and what `tls_material` raises.
        """
        chain, key = await deferToThread(tls_material, self._config, secrets)
        try:
            if self.tls is None:
                self.tls = ServerTls(chain, key)
            else:
                self.tls.replace(chain, key)
        except TlsError as error:
            raise Problem(Code.INVALID_PARAMS, str(error)) from None
        self._end = certificate_end(chain)

    def kept_as(self, secret: str) -> bool:
        """Whether its key is the sealed secret of this name."""
        return self._config.tls.key == f"secret:{secret}"

    def days(self, now: float) -> int | None:
        """For how many more days it is good; None where it did not come from a file."""
        return None if self._end is None else int((self._end - now) // 86400)


def tls_material(config: Config, secrets: SecretStore) -> tuple[bytes, bytes]:
    """The certificate chain and its key, PEM. Blocks while it reads.

    Raises `not_found` where the sealed store has no such key, `unsafe_source` where a key lies on a
    disk, and OSError.
    """
    if config.tls.certificate is None:
        raise Problem(Code.NOT_FOUND, "tls.certificate is not configured")
    chain = Path(config.tls.certificate).read_bytes()
    kind, _, name = config.tls.key.partition(":")
    if kind == "secret":
        return chain, secrets.open(name)
    return chain, read_safe_file(Path(name), _LONGEST_KEY)


def certificate_end(chain: bytes) -> float:
    """When the first certificate of a chain ends, in seconds since 1970."""
    return x509.load_pem_x509_certificates(chain)[0].not_valid_after_utc.timestamp()
