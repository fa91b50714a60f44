"""Money: the values that its commands and events are made of. docs/money.md explains it."""

from typing import Annotated

from msgspec import Meta

MOST_MICROS = 10**15
Micros = Annotated[
    int,
    Meta(ge=-MOST_MICROS, le=MOST_MICROS, description="Millionths of a unit of the currency."),
]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$(?!\n)", max_length=3, description="ISO 4217.")]
Country = Annotated[
    str, Meta(pattern=r"^[A-Z]{2}$(?!\n)", max_length=2, description="ISO 3166-1, as `DE`; Greece is `GR`.")
]
BasisPoints = Annotated[int, Meta(ge=0, le=10_000, description="Hundredths of a per cent.")]
Month = Annotated[
    str,
    Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$(?!\n)", max_length=7, description="As `2026-11`, in UTC."),
]
Dialled = Annotated[
    str, Meta(pattern=r"^\+?[0-9]{2,15}$(?!\n)", max_length=16, description="A number (E.164), with its +.")
]
LineNumber = Annotated[int, Meta(ge=1, le=2**53 - 1, description="Lines of a statement count from 1.")]
VoucherCode = Annotated[
    str, Meta(pattern=r"^[a-z2-7]{26}$(?!\n)", max_length=26, description="In small letters, without dashes.")
]
Element = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_-]{43}$(?!\n)", max_length=43, description="32 octets, base64url.")
]
Octets64 = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_-]{86}$(?!\n)", max_length=86, description="64 octets, base64url.")
]
