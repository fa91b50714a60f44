"""What an operator's command line and a node say to each other: JSON-RPC 2.0, one object a line."""

from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct

MAX_LINE = 128 * 1024
"""Octets of a line, either way: a secret of 64 KiB in base64 fits."""

DEFAULT_SOCKET = "/var/lib/safeum-home/admin.sock"


class Request(Struct, frozen=True, forbid_unknown_fields=True):
    """A line to the node."""

    jsonrpc: Literal["2.0"]
    id: Annotated[int, Meta(ge=0, le=2**53 - 1)]
    method: Annotated[str, Meta(max_length=64)]
    params: Raw = Raw(b"{}")


class Params(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of a command; those of commands without any."""


class UnsealParams(Params, frozen=True):
    """One share, or the words of the whole root secret."""

    words: Annotated[str, Meta(max_length=1024)]


class SecretParams(Params, frozen=True):
    name: Annotated[str, Meta(max_length=64)]


class SetSecretParams(SecretParams, frozen=True):
    """`value` travels in base64."""

    value: bytes


class BackupParams(Params, frozen=True):
    """`path` is absolute, and in the node's view of the file system."""

    path: Annotated[str, Meta(max_length=4096)]


PART = 64 * 1024
"""Octets of a file that go in one line."""


class PartParams(Params, frozen=True):
    """A part of a file, which begins at `offset`: 0 begins a file anew. It travels in base64."""

    offset: Annotated[int, Meta(ge=0, le=2**31)]
    data: Annotated[bytes, Meta(max_length=PART)]


class Copied(Struct, frozen=True):
    """A copy of the database was made: its size in octets."""

    size: int


class Done(Struct, frozen=True):
    """The answer of commands that have nothing to tell."""


class Progress(Struct, frozen=True):
    """`state` is `sealed`, `unsealing` or `open`; `needed` shares, 0 while unknown."""

    state: str
    have: int
    needed: int


class Names(Struct, frozen=True):
    names: list[str]


class Status(Struct, frozen=True):
    """How the node is. `memory`: how keys are held (`memfd_secret`, `sodium_malloc`, `mlock`, `unlocked`).

    `state` is `sealed` or `unsealing` as in `Progress`; anything else tells how far an open node is.
    """

    version: str
    node: str
    state: str
    have: int
    needed: int
    memory: str
    core_dumps_off: bool
    database: str
    connections: int
    listening: list[str] = []
    """Where clients connect, as `host:port`: nowhere before the node is `ok`."""
    health: str | None = None
    """Where `GET /health` is answered in clear."""
    uptime: int = 0
    """In seconds."""
    schema: str | None = None
    """What the database is at; None until it is open."""
    accounts: int | None = None
    """None while nobody can be asked."""
    certificate_days: int | None = None
    """Whole days until the certificate ends; below 0 when it has."""
    node_key: str | None = None
    """The fingerprint of the key that the node signs with; None until it is open."""
    sms: list[str] = []
    """For each provider of text messages: its name, how it is with it, and what became of messages."""
    push: list[str] = []
    """For each push provider: its name, how it is with it, and what became of wakes."""
    payments: list[str] = []
    """The same of payment providers, and of payments."""
    carriers: list[str] = []
    """For each carrier of telephone calls: its name, how it is with it, and its lines."""
    telephone: str | None = None
    """Calls with the telephone network that go on, and those that wait to be settled."""
    voicemail: str | None = None
    """Whether calls are answered, and what became of those that were."""
    federation: str | None = None
    """With whom the node has to do, and how it is with those that are to be told something."""
