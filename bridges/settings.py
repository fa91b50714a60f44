"""A provider's table in the configuration: typed, strict, and with names in place of secrets."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Protocol, TypeVar

import msgspec
from msgspec import Meta, Struct

from bridges.address import base_url
from safeum_home.config import ConfigError
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.outgoing.http import HttpLimits, ProviderHttp, roots

SecretName = Annotated[str, Meta(pattern=r"^secret:[a-z0-9][a-z0-9._-]{0,63}\Z")]
"""`secret:NAME`: what it names is in the sealed store, and is opened when it is used."""


class Context(Protocol):
    """What bridges of every sort are handed."""

    @property
    def name(self) -> str: ...
    @property
    def reactor(self) -> Any: ...
    @property
    def secret(self) -> Callable[[str], bytes]: ...


class WebSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every provider that is asked over HTTP has."""

    url: str
    ca: str | None = None
    """A PEM file with the roots to trust in place of the platform's."""
    seconds: Annotated[float, Meta(ge=1, le=60)] = 8.0
    """The most that a message may take, from connecting to the end of the answer."""
    plain_http: bool = False
    """Whether `url` may be http: to another machine: then everything passes in clear."""


S = TypeVar("S", bound=Struct)
W = TypeVar("W", bound=WebSettings)


def read_table(whose: str, settings: Mapping[str, Any], kind: type[S]) -> S:
    """The settings of a provider as `kind`; raises `ConfigError`, which says `whose` they are."""
    try:
        return msgspec.convert(dict(settings), kind)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{whose}: {error}") from None


def read_web(whose: str, settings: Mapping[str, Any], kind: type[W]) -> W:
    """The same, with `url` checked, and that `ca` can be read."""
    found = read_table(whose, settings, kind)
    check_roots(whose, found.ca)
    return msgspec.structs.replace(found, url=checked_url(whose, "url", found.url, found.plain_http))


def checked_url(whose: str, key: str, url: str, plain_http: bool = False) -> str:
    """The setting `key` as `address.base_url` has it; raises `ConfigError`."""
    try:
        return base_url(url, plain_http)
    except ValueError as error:
        raise ConfigError(f"{whose}: {key}: {error}") from None


def web(whose: str, reactor: Any, settings: WebSettings, limits: HttpLimits | None = None) -> ProviderHttp:
    """The way to the provider; raises `ConfigError`. Blocks while it reads `ca`."""
    with reading_roots(whose):
        ca = None if settings.ca is None else Path(settings.ca)
        return ProviderHttp(reactor, settings.url, ca, limits or HttpLimits(seconds=settings.seconds))


def check_roots(whose: str, ca: str | None) -> None:
    """Raises `ConfigError` where the setting `ca` is no file of roots. Blocks while it reads."""
    if ca is not None:
        with reading_roots(whose):
            roots(Path(ca))


@contextmanager
def reading_roots(whose: str) -> Iterator[None]:
    """What goes wrong with the setting `ca` inside is raised as `ConfigError`."""
    try:
        yield
    except OSError as error:
        raise ConfigError(f"{whose}: ca: {error.filename}: {error.strerror}") from None
    except ValueError:
        raise ConfigError(f"{whose}: ca: there is no PEM certificate in it") from None


def secret(context: Context, name: str) -> bytes:
    """What `secret:NAME` names, without the line's end that a file may have; raises `Problem(not_found)`."""
    return context.secret(name.removeprefix("secret:")).rstrip(b"\r\n")


def secret_text(context: Context, name: str) -> str:
    """The same as text that fits a header field; raises `Problem(not_found)` where it is none, too."""
    try:
        text = secret(context, name).decode()
    except UnicodeDecodeError:
        text = ""
    if not text or not text.isprintable():
        raise Problem(Code.NOT_FOUND)
    return text


def missing(context: Context, name: str) -> str | None:
    """What is told of `secret:NAME` where it cannot be opened; None where it can."""
    try:
        context.secret(name.removeprefix("secret:"))
    except Problem:
        return f"no secret {name.removeprefix('secret:')} in the store"
    except Tampered:
        return f"secret {name.removeprefix('secret:')} cannot be opened"
    return None
