"""What the sections of the configuration are made of."""

from typing import Annotated

from msgspec import Meta, Struct

Positive = Annotated[int, Meta(ge=1, le=2**53)]
"""As far as a double is exact: a limit is shown as one."""
Seconds = Annotated[float, Meta(gt=0, le=86400 * 365)]
Rate = Annotated[float, Meta(ge=1e-9, le=1e9)]
"""A number, in either direction: without a limit a rate cannot be reckoned with."""


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file."""
