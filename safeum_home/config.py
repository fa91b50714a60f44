"""The configuration file: TOML, typed, strict, and without a single secret in it.

Unknown keys are refused, and so is anything that looks like a secret written into the file:
secrets are fed to the running node (docs/operate.md).
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from safeum_home.config_base import Seconds as Seconds
from safeum_home.config_base import Section as Section
from safeum_home.config_federation import FederationSection as FederationSection
from safeum_home.config_federation import check_federation
from safeum_home.config_files import FileSection as FileSection
from safeum_home.config_files import check_files
from safeum_home.config_history import HistorySection as HistorySection
from safeum_home.config_limits import LimitSection as LimitSection
from safeum_home.config_payments import PaymentProviderSection as PaymentProviderSection
from safeum_home.config_payments import PaymentSection as PaymentSection
from safeum_home.config_payments import check_payments
from safeum_home.config_premium import PremiumSection as PremiumSection
from safeum_home.config_premium import check_premium
from safeum_home.config_push import PushProviderSection as PushProviderSection
from safeum_home.config_push import PushSection, check_push
from safeum_home.config_safenum import SafenumSection as SafenumSection
from safeum_home.config_safenum import check_safenum
from safeum_home.config_secrets import ConfigError as ConfigError
from safeum_home.config_secrets import refuse_inline_secrets
from safeum_home.config_sms import SmsProviderSection as SmsProviderSection
from safeum_home.config_sms import SmsSection as SmsSection
from safeum_home.config_sms import check_sms
from safeum_home.config_trunk import TrunkSection as TrunkSection
from safeum_home.config_trunk import check_trunk
from safeum_home.config_turn import TurnSection as TurnSection
from safeum_home.config_turn import check_turn
from safeum_home.errors import Problem
from safeum_home.ids import node_name


class NodeSection(Section, frozen=True):
    name: str
    """The node's name, for ever: it is part of every account's id."""
    state_dir: str
    """Where the keyrings, the sealed secrets and an SQLite database are kept."""


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
    mode: Literal["open", "invite", "closed"] = "open"
    """Who may sign up: anybody, who has an invite, nobody. `safeum-home registration` overrules it."""


class PolicySection(Section, frozen=True):
    file: str = "standard"
    """What people agree to when they sign up: `standard` (comes with the package), or a file's path."""


class SupportSection(Section, frozen=True):
    open: bool = True
    """Whether accounts may write to support. Their chats with it can be read in any case."""


class PasswordSection(Section, frozen=True):
    memory_mib: Annotated[int, Meta(ge=8, le=4096)] = 64
    operations: Annotated[int, Meta(ge=1, le=64)] = 2
    threads: Annotated[int, Meta(ge=1, le=64)] = 2
    queue: Annotated[int, Meta(ge=1, le=4096)] = 32
    minimum_length: Annotated[int, Meta(ge=1, le=128)] = 8


class ContactSyncSection(Section, frozen=True):
    """Finding contacts by their numbers (docs/contact-sync.md)."""

    enabled: bool = True
    threads: Annotated[int, Meta(ge=1, le=64)] = 1
    queue: Annotated[int, Meta(ge=1, le=4096)] = 32
    period_days: Annotated[int, Meta(ge=1, le=90)] = 7
    points_per_day: Annotated[int, Meta(ge=1000, le=10_000_000)] = 5_000
    """Numbers that one account may have evaluated; ten times as many for an address."""


class NumberSection(Section, frozen=True):
    """Mobile numbers: how they are proved, and what happens when one goes to somebody else."""

    code_seconds: Seconds = 600.0
    """How long a code is good."""
    verifications: Annotated[int, Meta(ge=1, le=1_000_000)] = 10_000
    """How many may be begun, and as many with a code sent; beyond that the oldest of these is dropped."""
    claim_seconds: Seconds = 7 * 86400.0
    """How long an account's owner has to keep a number that somebody else has proved to hold."""
    claim_again_seconds: Seconds = 30 * 86400.0
    """After it was kept: for how long it cannot be claimed again."""


class MessageSection(Section, frozen=True):
    edit_seconds: Seconds = 48 * 3600.0
    """For how long after it was sent its author can change a message."""


class Config(Section, frozen=True):
    """A node's configuration."""

    node: NodeSection
    listen: ListenSection = field(default_factory=ListenSection)
    tls: TlsSection = field(default_factory=TlsSection)
    database: DatabaseSection = field(default_factory=DatabaseSection)
    registration: RegistrationSection = field(default_factory=RegistrationSection)
    support: SupportSection = field(default_factory=SupportSection)
    passwords: PasswordSection = field(default_factory=PasswordSection)
    contact_sync: ContactSyncSection = field(default_factory=ContactSyncSection)
    history: HistorySection = field(default_factory=HistorySection)
    limits: LimitSection = field(default_factory=LimitSection)
    sms: SmsSection = field(default_factory=SmsSection)
    push: PushSection = field(default_factory=PushSection)
    turn: TurnSection = field(default_factory=TurnSection)
    trunk: TrunkSection = field(default_factory=TrunkSection)
    safenum: SafenumSection = field(default_factory=SafenumSection)
    payments: PaymentSection = field(default_factory=PaymentSection)
    premium: PremiumSection = field(default_factory=PremiumSection)
    numbers: NumberSection = field(default_factory=NumberSection)
    policy: PolicySection = field(default_factory=PolicySection)
    files: FileSection = field(default_factory=FileSection)
    messages: MessageSection = field(default_factory=MessageSection)
    federation: FederationSection = field(default_factory=FederationSection)

    @property
    def state_dir(self) -> Path:
        return Path(self.node.state_dir)

    @property
    def admin_socket(self) -> Path:
        return self.state_dir / self.listen.admin


def parse(text: str) -> Config:
    """The configuration written in `text`; raises `ConfigError`."""
    try:
        raw: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not TOML: {error}") from None
    refuse_inline_secrets(raw)
    _refuse_former(raw)
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
    if config.policy.file != "standard" and not config.policy.file.startswith("/"):
        raise ConfigError("policy.file: `standard`, or a path that begins with /")
    check_files(config.files)
    check_federation(config.federation)
    check_sms(config.sms)
    check_push(config.push)
    check_turn(config.turn)
    check_safenum(config.safenum)
    check_trunk(config.trunk)
    check_payments(config.payments)
    check_premium(config.premium)
    return config


def _refuse_former(raw: dict[str, Any]) -> None:
    """Settings that have another name now: what to write is said."""
    registration = raw.get("registration")
    if isinstance(registration, dict) and "open" in registration:
        mode = "closed" if registration["open"] is False else "open"
        raise ConfigError(f'registration.open is no more: write `mode = "{mode}"` in its place')


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
