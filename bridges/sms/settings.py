"""The table of a provider of text messages in the configuration."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from msgspec import Meta

from bridges.settings import WebSettings, read_web, web
from safeum_home.outgoing.http import ProviderHttp
from safeum_home.ports.sms import SmsContext

Sender = Annotated[str, Meta(pattern=r"^(\+?[1-9][0-9]{2,14}|[A-Za-z0-9 &._-]{1,11})\Z")]
"""A number (E.164), a short code, or up to 11 letters and digits."""

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")


class HttpSettings(WebSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every provider that is asked over HTTP has."""

    sender: Sender


S = TypeVar("S", bound=HttpSettings)


def read(name: str, settings: Mapping[str, Any], kind: type[S]) -> S:
    """The settings of provider `name` as `kind`, with `url` checked; raises `ConfigError`."""
    return read_web(f"sms provider {name}", settings, kind)


def http(context: SmsContext, settings: HttpSettings) -> ProviderHttp:
    """The way to the provider; raises `ConfigError`. Blocks while it reads `ca`."""
    return web(f"sms provider {context.name}", context.reactor, settings)


def is_number(text: str) -> bool:
    """Whether it is a phone number in E.164, with "+"."""
    return _NUMBER.fullmatch(text) is not None
