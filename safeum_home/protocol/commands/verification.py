"""Proving a mobile number: a new account on it, or a new device of the one that has it."""

from typing import Annotated, Literal

from msgspec import Meta

from safeum_home.protocol.command import Done, Params, Phase, Result, command
from safeum_home.protocol.commands.accounts import Opened
from safeum_home.protocol.types import DeviceInfo, Password

NumberText = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=32,
        description="A mobile number, international; spaces, dots, dashes and brackets are passed over.",
    ),
]
Number = Annotated[str, Meta(max_length=16, description="A mobile number in E.164: `+`, country, number.")]
VerificationId = Annotated[
    str, Meta(min_length=1, max_length=64, description="Opaque; whoever has it and the code goes on.")
]
CodeText = Annotated[str, Meta(pattern=r"^[0-9]{6}$(?!\n)", max_length=6, description="Six digits.")]
Duration = Annotated[int, Meta(ge=0, description="Seconds.")]

NOTICE = (
    "The code comes as a text message. Your mobile operator, and those who carry the message, learn that you"
    " use SafeUM, and the operator roughly where you are."
)


class Verification(Result, frozen=True):
    """Nothing was sent yet. Show the `notice`, and ask for the code only where its reader agrees."""

    verification: VerificationId
    number: Number
    notice: Literal["operator_learns_location"]
    notice_text: str
    expires_in: Duration


@command("verification.create", Verification, Phase.GREETING)
class VerificationCreate(Params, frozen=True):
    """Begin to prove a mobile number. Nothing is sent before `verification.request`."""

    number: NumberText


class CodeSent(Result, frozen=True):
    """The code is on its way. Only the newest one counts."""

    tries_left: Annotated[int, Meta(ge=0, description="Wrong codes that end the verification.")]
    resend_after: Duration | None
    """When another one can be asked for; null where this was the last."""
    expires_in: Duration


@command("verification.request", CodeSent, Phase.GREETING)
class VerificationRequest(Params, frozen=True):
    """Send a code of six digits as a text message, or another one."""

    verification: VerificationId


@command("verification.submit", Opened, Phase.GREETING)
class VerificationSubmit(Params, frozen=True):
    """Prove the number with the code. The session is then open.

    A number without an account gets one, with this password. Where there is one its password is needed, and
    this is a login. With `claim` a holder who does not know it asks for the number: see the guide.
    """

    verification: VerificationId
    code: CodeText
    password: Password
    device: DeviceInfo
    claim: bool = False


@command("number.keep", Done)
class NumberKeep(Params, frozen=True):
    """Keep one's number, which somebody else has claimed. Done also where nobody has."""
