"""What looks like a secret is refused in a configuration file, in whatever shape and place."""

import re
from urllib.parse import unquote


class ConfigError(Exception):
    """The configuration cannot be used; the message says where and why, and quotes no value."""


_SECRET_NAME = re.compile(r"passw|pwd|secret|token|credential|private|api_?key|passphrase", re.I)
_PARAMETER_NAME = re.compile(rf"{_SECRET_NAME.pattern}|^(key|auth|pass)$", re.I)
_PROVIDER_NAME = re.compile(
    rf"{_SECRET_NAME.pattern}|(^|[_-])(key(?!_id$)|auth|pass|pin|sign|signature|hmac)([_-]|$)", re.I
)
"""What may be a secret among the settings of a provider, which are its bridge's own; a key's id is none."""
_PROVIDER = re.compile(r"\b((sms|push|payments)\.providers|safenum\.carriers)\.settings\.")
_PARAMETER = re.compile(r"([\w.-]+)\s*=")
_REFERENCE = re.compile(r"secret:[a-z0-9][a-z0-9._-]{0,63}\Z")
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY")


def refuse_inline_secrets(value: object, where: str = "") -> None:
    """Raises `ConfigError` where something in `value`, as TOML was read, looks like a secret."""
    if isinstance(value, dict):
        for name, inner in value.items():
            # The table [passwords] holds numbers only; a text under such a name is a secret.
            # A reference says only what the secret is called.
            is_secret = isinstance(inner, str) and not _REFERENCE.match(inner)
            names = _PROVIDER_NAME if _PROVIDER.search(where) else _SECRET_NAME
            if names.search(name) and is_secret:
                raise ConfigError(
                    f"{where}{name}: a secret must not stand in the configuration file; "
                    "feed it with `safeum-home secret set NAME` and refer to it as `secret:NAME`"
                )
            refuse_inline_secrets(inner, f"{where}{name}.")
    elif isinstance(value, list):
        for inner in value:
            refuse_inline_secrets(inner, where)
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
