"""What a session with Janus is opened with: secrets as they are now."""

from bridges.safenum.janus.session import Credentials
from bridges.safenum.janus.settings import JanusSettings
from bridges.safenum.janus.token import signed
from bridges.settings import secret_text
from safeum_home.errors import Problem, Tampered
from safeum_home.ports.carrier import EDGE, JANUS, CarrierContext


class Unusable(Exception):
    """A secret that settings name is not there; the text is for the operator."""


def credentials(context: CarrierContext, settings: JanusSettings) -> Credentials:
    """Those that settings name, or that are derived. Raises `Unusable`."""
    api = _one(context, settings.api_secret, JANUS)
    key = None if settings.token is None else _named(context, settings.token).encode()

    def headers() -> dict[str, str]:
        token = {} if key is None else {"token": signed(key, context.reactor.seconds())}
        return {"apisecret": api, **token}

    return Credentials(headers, _one(context, settings.password, EDGE))


def _one(context: CarrierContext, name: str | None, word: str) -> str:
    return context.derived(word).hex() if name is None else _named(context, name)


def _named(context: CarrierContext, name: str) -> str:
    try:
        return secret_text(context, name)
    except (Problem, Tampered):
        raise Unusable(f"no usable secret {name.removeprefix('secret:')} in the store") from None
