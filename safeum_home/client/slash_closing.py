"""The commands of the terminal client for PINs, and for closing the account for ever."""

from safeum_home.client.desk import Desk
from safeum_home.client.slash import Mistake, slash
from safeum_home.client.text import safe

WARNING = (
    "This closes your account for ever. All messages with all your contacts are erased on the node, on both "
    "sides; all your devices are logged out; your login can never be used again, by anybody. Nothing can be "
    "brought back, by nobody. An empty line leaves everything as it is."
)
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
        desk.note(f"{PINS} 6 to 12 digits, not easy to guess.")
        password = await _ask(desk, "Password", hidden=True)
        pin = await _ask(desk, "PIN", hidden=True)
        if pin != await _ask(desk, "PIN once more", hidden=True):
            raise Mistake("These were two different PINs. None was set.")
        done = await desk.client.set_pin(password, pin)
        desk.note(f"PIN {done.ordinal} is set.")
    elif action == "remove" and number in ("1", "2", "3"):
        password = await _ask(desk, "Password", hidden=True)
        await desk.client.remove_pin(password, int(number))
        desk.note(f"PIN {number} is removed; those behind it have moved up.")
    else:
        raise Mistake("/pin, /pin set or /pin remove NUMBER")


@slash("close-account", "", "close your account FOR EVER, with a PIN")
async def _close(desk: Desk, argument: str) -> None:
    if not (await desk.client.pins()).count:
        raise Mistake("You have no PIN to close the account with: /pin set")
    desk.note(WARNING, "error")
    login = desk.state.address.partition("@")[0]
    if (await _ask(desk, f"To close it for ever type your login, {safe(login)}")).strip() != login:
        raise Mistake("That is not your login. Nothing was closed.")
    await desk.client.close_account(await _ask(desk, "PIN", hidden=True))


async def _ask(desk: Desk, text: str, hidden: bool = False) -> str:
    answer = await desk.questions.ask(text, hidden)
    if not answer:
        raise Mistake("Left as it was.")
    return answer
