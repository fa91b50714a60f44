"""What a PIN looks like, so that nobody is refused without being told why."""

from msgspec import ValidationError, convert

from safeum_home.client.errors import ClientError
from safeum_home.protocol.types import Pin

RULE = "A PIN has 6 to 12 digits, and nothing else."


class BadPin(ClientError):
    """What was given as a PIN cannot be one."""


def is_pin(text: str) -> bool:
    """Whether it has the form of a PIN (`protocol.types.Pin`)."""
    try:
        convert(text, Pin)
    except ValidationError:
        return False
    return True
