"""The commands of the terminal client for the telephone network."""

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.phone import NOT_INSTALLED
from safeum_home.client.desk.telephone_desk import missed
from safeum_home.client.errors import RemoteProblem
from safeum_home.client.slash.calls import able, free
from safeum_home.client.slash.dialled import asked
from safeum_home.client.slash.slash import Mistake, connected, slash
from safeum_home.client.words.money_words import price
from safeum_home.client.words.telephone_numbers import shown
from safeum_home.client.words.text import stamp
from safeum_home.errors import Code

MOST_KEYS = 32


@slash("dial", "NUMBER", "call a telephone: what you say there is open, and costs what /price says")
async def _dial(desk: Desk, argument: str) -> None:
    number = await asked(desk, argument)
    connected(desk, "nobody was called")
    free(desk)
    await able(desk)
    telephone = desk.client.telephone
    if telephone is None:
        raise Mistake(f"{NOT_INSTALLED}.")
    costs = await _price(desk, number)
    try:
        call = await telephone.dial(number)
    except RemoteProblem as error:
        if error.of(Code.LIMIT_REACHED):
            raise Mistake("You are in too many calls already, on other devices.") from None
        raise
    desk.calls.telephone.begun(call, costs)


async def _price(desk: Desk, number: str) -> str:
    """In words; nothing where the node has no price: whether it can be called at all is said by dialling."""
    try:
        return price(await desk.client.call_price(number))
    except RemoteProblem:
        return ""


@slash("keys", "KEYS", "press keys of a telephone in the call, as 123#")
async def _keys(desk: Desk, argument: str) -> None:
    call = desk.calls.telephone.current
    if call is None or call.since is None:
        raise Mistake("You are in no call with a telephone.")
    keys = "".join(argument.split()).upper()
    if not 0 < len(keys) <= MOST_KEYS or not set(keys) <= set("0123456789*#ABCD"):
        raise Mistake(f"Which ones? 0 to 9, *, # and A to D, {MOST_KEYS} at the most.")
    await call.press(keys)
    desk.note(f"Pressed {keys}.")


@slash("number", "[request]", "your SafeNUM, or ask for one", lambda _: ["request"])
async def _number(desk: Desk, argument: str) -> None:
    if argument == "request":
        desk.note(f"Your SafeNUM is {shown((await desk.client.request_safenum()).safenum)}.")
        return
    if argument:
        raise Mistake("/number, or /number request.")
    profile = (await desk.client.profile()).profile
    if profile.safenum is None:
        raise Mistake("You have no SafeNUM: /number request asks for one.")
    other, seen = ("hide", "see") if profile.show_safenum else ("show", "do not see")
    desk.note(
        f"Your SafeNUM is {shown(profile.safenum)}: any telephone can call it."
        f" Your contacts {seen} it: /safenum {other} changes that."
    )


@slash("missed", "[forget]", "who has called your SafeNUM in vain", lambda _: ["forget"])
async def _missed(desk: Desk, argument: str) -> None:
    if argument == "forget":
        await desk.client.forget_missed_calls()
        desk.note("Your node keeps no calls that you have missed any more.")
        return
    if argument:
        raise Mistake("/missed, or /missed forget.")
    found = await desk.client.missed_calls()
    for each in reversed(found.calls):
        desk.note(f"{stamp(each.at, desk.now())}  {missed(each)}")
    if not found.calls:
        desk.note("You have missed no calls.")
    elif found.more:
        desk.note("There are older ones.")
