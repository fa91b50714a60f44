"""Where somebody is served: what is connected to, and whose certificate he must have there."""

from dataclasses import dataclass

HTTPS = 443


@dataclass(frozen=True, slots=True)
class Place:
    """Requests go to `host`: it is in their Host fields, in SNI, and the certificate is for it."""

    host: str
    """A DNS name or an IP address, without brackets."""
    port: int = HTTPS
    services: tuple[tuple[str, int], ...] = ()
    """Hosts and ports to connect to in its place, where DNS says so (SRV), the preferred one first."""

    @property
    def targets(self) -> tuple[tuple[str, int], ...]:
        """What is connected to."""
        return self.services or ((self.host, self.port),)

    @property
    def authority(self) -> str:
        """What URLs and the Host field have (RFC 9110 section 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == HTTPS else f"{host}:{self.port}"
