"""A provider's table in the configuration: typed, strict, and with names in place of secrets."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from bridges.address import base_url
from safeum_home.config import ConfigError
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.outgoing.http import HttpLimits, ProviderHttp
from safeum_home.ports.sms import SmsContext

SecretName = Annotated[str, Meta(pattern=r"^secret:[a-z0-9][a-z0-9._-]{0,63}\Z")]
"""`secret:NAME`: what it names is in the sealed store, and is opened when it is used."""
Sender = Annotated[str, Meta(pattern=r"^(\+?[1-9][0-9]{2,14}|[A-Za-z0-9 &._-]{1,11})\Z")]
"""A number (E.164), a short code, or up to 11 letters and digits."""

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")


class HttpSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every provider that is asked over HTTP has."""

    url: str
    sender: Sender
    ca: str | None = None
    """A PEM file with the roots to trust in place of the platform's."""
    seconds: Annotated[float, Meta(ge=1, le=60)] = 8.0
    """The most that a message may take, from connecting to the end of the answer."""
    plain_http: bool = False
    """Whether `url` may be http: to another machine: then everything passes in clear."""


S = TypeVar("S", bound=HttpSettings)


def read(name: str, settings: Mapping[str, Any], kind: type[S]) -> S:
    """The settings of provider `name` as `kind`, with `url` checked; raises `ConfigError`."""
    try:
        found = msgspec.convert(dict(settings), kind)
    except msgspec.ValidationError as error:
        raise ConfigError(f"sms provider {name}: {error}") from None
    try:
        return msgspec.structs.replace(found, url=base_url(found.url, found.plain_http))
    except ValueError as error:
        raise ConfigError(f"sms provider {name}: url: {error}") from None


def http(context: SmsContext, settings: HttpSettings) -> ProviderHttp:
    """The way to the provider; raises `ConfigError`. Blocks while it reads `ca`."""
    ca = None if settings.ca is None else Path(settings.ca)
    try:
        return ProviderHttp(context.reactor, settings.url, ca, HttpLimits(seconds=settings.seconds))
    except OSError as error:
        raise ConfigError(f"sms provider {context.name}: ca: {error.strerror}") from None
    except ValueError:
        raise ConfigError(f"sms provider {context.name}: ca: there is no PEM certificate in it") from None


def secret(context: SmsContext, name: str) -> bytes:
    """What `secret:NAME` names, without the line's end that a file may have; raises `Problem(not_found)`."""
    return context.secret(name.removeprefix("secret:")).rstrip(b"\r\n")


def secret_text(context: SmsContext, name: str) -> str:
    """The same as text that fits a header field; raises `Problem(not_found)` where it is none, too."""
    try:
        text = secret(context, name).decode()
    except UnicodeDecodeError:
        text = ""
    if not text or not text.isprintable():
        raise Problem(Code.NOT_FOUND)
    return text


def missing(context: SmsContext, name: str) -> str | None:
    """What is told of `secret:NAME` where it cannot be opened; None where it can."""
    try:
        context.secret(name.removeprefix("secret:"))
    except Problem:
        return f"no secret {name.removeprefix('secret:')} in the store"
    except Tampered:
        return f"secret {name.removeprefix('secret:')} cannot be opened"
    return None


def is_number(text: str) -> bool:
    """Whether it is a phone number in E.164, with "+"."""
    return _NUMBER.fullmatch(text) is not None
