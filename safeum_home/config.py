"""The configuration file: TOML, typed, strict, and without a single secret in it.

Unknown keys are refused, and so is anything that looks like a secret written into the file:
secrets are fed to the running node (docs/operate.md).
"""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote

import msgspec
from msgspec import Meta, Struct, field

from safeum_home.errors import Problem
from safeum_home.ids import node_name

Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0, le=86400 * 365)]
Rate = Annotated[float, Meta(gt=0)]


class ConfigError(Exception):
    """The configuration cannot be used; the message says where and why, and quotes no value."""


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file."""


class NodeSection(Section, frozen=True):
    name: str
    """The node's name, for ever: it is part of every account's id."""
    state_dir: str
    """Where the keyring, the sealed secrets and an SQLite database are kept."""


class ListenSection(Section, frozen=True):
    clients: Annotated[list[str], Meta(min_length=1)] = field(
        default_factory=lambda: ["tcp:8443:backlog=1024", "tcp6:8443:interface=\\:\\::backlog=1024"]
    )
    """Where clients connect (WSS and HTTPS): Twisted endpoint strings, without TLS; `tcp6` is IPv6 alone."""
    health: str | None = None
    """Where `GET /health` is answered in clear also while the node is sealed: loopback, please."""
    admin: str = "admin.sock"
    """The operator's socket, mode 0600; relative to `state_dir`."""
    origins: list[str] = field(default_factory=list)
    """Web origins whose pages may connect."""


class TlsSection(Section, frozen=True):
    certificate: str | None = None
    """The certificate chain, PEM."""
    key: str = "secret:tls-key"
    """`secret:NAME` in the sealed store, or `file:PATH` on a ramfs or tmpfs."""


class DatabaseSection(Section, frozen=True):
    url: str = "sqlite"
    """`sqlite` (a file in `state_dir`), or `postgresql://…` without a password."""


class RegistrationSection(Section, frozen=True):
    open: bool = True
    """Whether anybody may sign up."""


class SupportSection(Section, frozen=True):
    open: bool = True
    """Whether accounts may write to support. Their chats with it can be read in any case."""


class PasswordSection(Section, frozen=True):
    memory_mib: Annotated[int, Meta(ge=8, le=4096)] = 64
    operations: Annotated[int, Meta(ge=1, le=64)] = 2
    threads: Annotated[int, Meta(ge=1, le=64)] = 2
    queue: Annotated[int, Meta(ge=1, le=4096)] = 32
    minimum_length: Annotated[int, Meta(ge=1, le=128)] = 8


class LimitSection(Section, frozen=True):
    """Bounds against floods. Rates are per second, bursts are how many may come at once."""

    connections: Positive = 20_000
    connections_per_address: Positive = 64
    authentication_seconds: Seconds = 15.0
    ping_seconds: Seconds = 60.0
    commands_per_second: Rate = 50.0
    commands_burst: Positive = 400
    in_flight: Annotated[int, Meta(ge=2, le=4096)] = 64
    outbound_frames: Positive = 2_000
    outbound_bytes: Positive = 1_048_576
    unacknowledged: Positive = 10_000
    logins_per_address: Rate = 0.5
    logins_per_address_burst: Positive = 20
    logins_per_account: Rate = 0.05
    logins_per_account_burst: Positive = 10
    signups_per_address: Rate = 0.01
    signups_per_address_burst: Positive = 10
    finds_per_account: Rate = 0.005
    finds_per_account_burst: Positive = 50
    contact_requests_per_account: Rate = 0.001
    contact_requests_per_account_burst: Positive = 20
    support_messages_per_account: Rate = 0.02
    support_messages_per_account_burst: Positive = 20
    contacts: Positive = 5_000
    devices: Annotated[int, Meta(ge=1, le=50)] = 50
    """As many as fit a frame at their longest."""


class Config(Section, frozen=True):
    """A node's configuration."""

    node: NodeSection
    listen: ListenSection = field(default_factory=ListenSection)
    tls: TlsSection = field(default_factory=TlsSection)
    database: DatabaseSection = field(default_factory=DatabaseSection)
    registration: RegistrationSection = field(default_factory=RegistrationSection)
    support: SupportSection = field(default_factory=SupportSection)
    passwords: PasswordSection = field(default_factory=PasswordSection)
    limits: LimitSection = field(default_factory=LimitSection)

    @property
    def state_dir(self) -> Path:
        return Path(self.node.state_dir)

    @property
    def admin_socket(self) -> Path:
        return self.state_dir / self.listen.admin


_SECRET_NAME = re.compile(r"passw|pwd|secret|token|credential|private|api_?key|passphrase", re.I)
_PARAMETER_NAME = re.compile(rf"{_SECRET_NAME.pattern}|^(key|auth|pass)$", re.I)
_PARAMETER = re.compile(r"([\w.-]+)\s*=")
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY")


def _refuse_inline_secrets(value: object, where: str) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            # The table [passwords] holds numbers only; a text under such a name is a secret.
            if _SECRET_NAME.search(name) and isinstance(inner, str):
                raise ConfigError(
                    f"{where}{name}: a secret must not stand in the configuration file; "
                    "feed it with `safeum-home secret set NAME` and refer to it as `secret:NAME`"
                )
            _refuse_inline_secrets(inner, f"{where}{name}.")
    elif isinstance(value, list):
        for inner in value:
            _refuse_inline_secrets(inner, where)
    elif isinstance(value, str):
        _refuse_secret_text(value, where.rstrip("."))


def _refuse_secret_text(value: str, where: str) -> None:
    if _PEM.search(value):
        raise ConfigError(f"{where}: a private key must not stand in the configuration file")
    # `postgresql://user:password@host`, where drivers also take a password with `/`, `?`, `#` or `@` in it;
    # and `password=` wherever it stands, percent-encoded or not.
    user = value.partition("://")[2].rpartition("@")[0]
    parameters = _PARAMETER.findall(unquote(value))
    if ":" in user or any(_PARAMETER_NAME.search(name) for name in parameters):
        raise ConfigError(f"{where}: a password must not stand in the configuration file, in a URL neither")


def parse(text: str) -> Config:
    """The configuration written in `text`; raises `ConfigError`."""
    try:
        raw: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not TOML: {error}") from None
    _refuse_inline_secrets(raw, "")
    try:
        config = msgspec.convert(raw, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(str(error)) from None
    try:
        name = node_name(config.node.name)
    except Problem:
        raise ConfigError("node.name: not a DNS name") from None
    if name != config.node.name:
        raise ConfigError("node.name: write it in lower case")
    if not config.tls.key.startswith(("secret:", "file:")):
        raise ConfigError("tls.key: `secret:NAME` or `file:PATH`")
    if config.database.url != "sqlite" and not config.database.url.startswith("postgresql://"):
        raise ConfigError("database.url: `sqlite` or `postgresql://…`")
    return config


def load(path: Path) -> Config:
    """The configuration in a file; raises `ConfigError`."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8") from None
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
