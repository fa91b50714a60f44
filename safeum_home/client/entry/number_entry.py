"""Signing up, or in, by a mobile number, by a person: the notice first, then the code, then the password."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safeum_home.client.entry.policy_entry import agree
from safeum_home.client.errors import Disconnected, RemoteProblem
from safeum_home.client.futures import future
from safeum_home.client.session import Client
from safeum_home.client.words.text import duration, explain, safe
from safeum_home.errors import Code

if TYPE_CHECKING:
    from safeum_home.client.entry.entry import Options, Person

ROUNDS = 10
"""Submissions after which the last refusal is the end."""
_CODE = re.compile(r"[0-9]{6}")
"""A code, without the blanks that somebody may put into it."""


@dataclass(slots=True)
class _Given:
    """What the person has said so far; empty is what is still to be asked for."""

    code: str = ""
    password: str = ""
    claim: bool = False
    consent: str = ""
    invite: str | None = None


async def enter_by_number(
    client: Client, options: "Options", person: "Person", number: str, consent: str, invite: str | None
) -> str | None:
    """Open a session by proving `number`; the password that let in, or None where no text is wanted."""
    begun = await future(client.create_verification(number))
    person.say(f"{safe(begun.number)}. {safe(begun.notice_text)}")
    if not await _agrees(person, "Have the code sent?"):
        return None
    await _send(client, person, begun.verification)
    given = _Given(consent=consent, invite=invite)
    for left in reversed(range(ROUNDS)):
        while not given.code:
            typed = "".join((await person.ask("Code (empty for another one): ")).split())
            if not typed:
                await _send(client, person, begun.verification, another=True)
            elif _CODE.fullmatch(typed) is None:
                person.say("The code has six digits.")
            else:
                given.code = typed
        given.password = given.password or await person.new_password()
        try:
            done = client.submit_code(
                begun.verification,
                given.code,
                given.password,
                options.device,
                given.claim,
                given.consent,
                given.invite,
            )
            await future(done)
            return given.password
        except RemoteProblem as error:
            if left and error.of(Code.CONSENT_NEEDED):
                person.say("The policy has just changed.")
                given.consent = await agree(client, options.node, person)
            elif not left or not await _corrected(person, given, error):
                raise
    raise AssertionError("the last refusal was raised")


async def _agrees(person: "Person", question: str) -> bool:
    while (answer := (await person.ask(f"{question} (yes/no): ")).strip().lower()) not in ("y", "yes"):
        if answer in ("n", "no"):
            return False
    return True


async def _send(client: Client, person: "Person", verification: str, another: bool = False) -> None:
    """Have a code sent, the first or `another` one; raises where no code is there to be asked for."""
    try:
        try:
            sent = await future(client.request_code(verification))
        except Disconnected:
            # The time to log in may have run out over the notice; what was sent all the same comes once.
            another = True
            sent = await future(client.request_code(verification))
    except RemoteProblem as error:
        if not another or not error.of(Code.RATE_LIMITED):
            raise
        person.say(explain(error))
        return
    more = "" if sent.resend_after is None else f" Another one can be sent in {duration(sent.resend_after)}."
    person.say(f"The code is on its way.{more}")


async def _corrected(person: "Person", given: _Given, error: RemoteProblem) -> bool:
    """Ask for what was refused; False where that is the end."""
    if error.of(Code.WRONG_CODE, Code.INVALID_PARAMS):
        person.say(explain(error))
        given.code = ""
    elif error.of(Code.WEAK_PASSWORD):
        person.say(explain(error))
        given.password = ""
    elif error.of(Code.INVITE_NEEDED):
        person.say(explain(error))
        given.invite = await person.ask("Your invite (the link, or its code): ")
    elif error.of(Code.BAD_CREDENTIALS):
        await _another_password(person, given)
    elif error.passing:
        person.say(explain(error))
    else:
        return False
    return True


async def _another_password(person: "Person", given: _Given) -> None:
    """The number has an account, whose password is another one."""
    person.say("There is an account with this number, and its password is needed: a code is not enough.")
    given.claim = False
    given.password = await person.ask_hidden("Its password (empty if the account is not yours): ")
    if given.password:
        return
    person.say(
        "Then you can ask for the number. Its owner is told and can keep it. If not, come back when the"
        " time is over, and it is yours, with a new account."
    )
    given.claim = await _agrees(person, "Ask for it?")
    if given.claim:
        given.password = await person.new_password()
    else:
        await _another_password(person, given)
