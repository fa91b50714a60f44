"""What whoever runs the relay is told by the node."""

from typing import Annotated

from msgspec import Meta, Struct

Secret = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]


class TurnGrant(Struct, frozen=True):
    """As `grants.turn.RelayGrant`; `key` travels in base64."""

    secrets: Annotated[list[Secret], Meta(min_length=1, max_length=8)]
    seconds: Annotated[float, Meta(gt=0, le=86400)]
    key: bytes | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"
