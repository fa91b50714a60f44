"""The commands of the terminal client for PINs, and for closing the account for ever.

Each asks until it is given what it needs, or an empty line: whoever has mistyped a PIN types it again,
and nothing of it may become a message then.
"""

from safeum_home.client.desk.desk import Desk
from safeum_home.client.entry.entry import alias_of
from safeum_home.client.entry.pins import RULE, is_pin
from safeum_home.client.errors import RemoteProblem
from safeum_home.client.slash.slash import Mistake, slash
from safeum_home.client.words.text import explain, safe
from safeum_home.errors import Code, Problem

WARNING = (
    "This closes your account for ever. All messages with all your contacts are erased on the node, on both "
    "sides; all your devices are logged out; {}. Nothing can be brought back, by nobody. An empty line "
    "leaves everything as it is."
)
LOGIN_ENDS = "your login can never be used again, by anybody"
NUMBER_GOES_ON = "whoever holds your number next can sign up with it"
PINS = (
    "Whoever enters a PIN of yours closes your account for ever: here with /close-account, or on any device "
    "as the password at a login, where it looks like a wrong password."
)


@slash("pin", "[set | remove NUMBER]", "PINs that close your account for ever; how many there are")
async def _pin(desk: Desk, argument: str) -> None:
    action, _, number = argument.partition(" ")
    if not action:
        count = (await desk.client.pins()).count
        having = f"You have {count or 'no'} PIN{'' if count == 1 else 's'}"
        desk.note(f"{PINS} {having}: /pin set, /pin remove NUMBER.")
    elif action == "set" and not number:
        await _set(desk)
    elif action == "remove" and number in ("1", "2", "3"):
        await _remove(desk, int(number))
    else:
        raise Mistake("/pin, /pin set or /pin remove NUMBER")


async def _set(desk: Desk) -> None:
    desk.note(f"{PINS} {RULE} Take one that is not easy to guess; an empty line sets none.")
    password, pin = await _ask(desk, "Password", hidden=True), ""
    while True:
        pin = pin or await _new_pin(desk)
        try:
            done = await desk.questions.meanwhile(desk.client.set_pin(password, pin))
        except RemoteProblem as error:
            if error.of(Code.WEAK_PIN):
                desk.note(explain(error), "error")
                pin = ""
            else:
                password = await _another_password(desk, error)
            continue
        desk.note(f"PIN {done.ordinal} is set.")
        return


async def _new_pin(desk: Desk) -> str:
    """A PIN that was given twice."""
    while True:
        pin = await _ask(desk, "PIN", hidden=True)
        if not is_pin(pin):
            desk.note(f"{RULE} An empty line sets none.", "error")
        elif pin == await _ask(desk, "PIN once more", hidden=True):
            return pin
        else:
            desk.note("These were two different PINs. Again, twice; an empty line sets none.", "error")


async def _remove(desk: Desk, number: int) -> None:
    password = await _ask(desk, "Password", hidden=True)
    while True:
        try:
            await desk.questions.meanwhile(desk.client.remove_pin(password, number))
        except RemoteProblem as error:
            password = await _another_password(desk, error)
            continue
        desk.note(f"PIN {number} is removed; those behind it have moved up.")
        return


async def _another_password(desk: Desk, error: RemoteProblem) -> str:
    """The password, where it was refused; other refusals are the end."""
    if not error.of(Code.BAD_CREDENTIALS):
        raise error
    desk.note("The password is wrong. Give it again; an empty line leaves it.", "error")
    return await _ask(desk, "Password", hidden=True)


@slash("close-account", "", "close your account FOR EVER, with a PIN")
async def _close(desk: Desk, argument: str) -> None:
    desk.note(WARNING.format(NUMBER_GOES_ON if desk.has_number else LOGIN_ENDS), "error")
    own, what = alias_of(desk.state.address), "number" if desk.has_number else "login"
    while _alias(await _ask(desk, f"To close it for ever type your {what}, {safe(own)}")) != own:
        desk.note(f"That is not your {what}, and nothing was closed.", "error")
    while True:
        pin = await _ask(desk, "PIN", hidden=True)
        if not is_pin(pin):
            desk.note(f"{RULE} An empty line leaves everything as it is.", "error")
            continue
        try:
            await desk.questions.meanwhile(desk.client.close_account(pin))
            return
        except RemoteProblem as error:
            if not error.of(Code.WRONG_PIN):
                raise
        # Only now: who has none may believe to have one, and to type it in next.
        if not (await desk.questions.meanwhile(desk.client.pins())).count:
            raise Mistake("You have no PIN to close the account with, and nothing was closed: /pin set")
        desk.note("The PIN is wrong, and nothing was closed. Again, or an empty line to leave.", "error")


def _alias(line: str) -> str | None:
    """The login or number in what was typed, in its one form."""
    try:
        return alias_of(line)
    except Problem:
        return None


async def _ask(desk: Desk, text: str, hidden: bool = False) -> str:
    answer = await desk.questions.ask(text, hidden)
    if not answer:
        raise Mistake("Left as it was.")
    return answer
