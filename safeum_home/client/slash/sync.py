"""The commands of the terminal client that are about finding contacts by their numbers."""

import re
from pathlib import Path

from safeum_home.client.desk.desk import Desk
from safeum_home.client.entry import address_book
from safeum_home.client.errors import RemoteProblem
from safeum_home.client.slash.slash import Mistake, slash
from safeum_home.client.words.text import safe
from safeum_home.errors import Code
from safeum_home.protocol.commands import ContactFound
from safeum_home.protocol.types import ContactState

_LIKE_A_FILE = re.compile(r"~|\.{0,2}/|\S*(?:/\S*[^\W\d_]|\.[^\W\d_]\w*)\S*$")
"""Begins as a path does; or is one word with letters behind a slash or a dot, as no number is written."""
ASKS = (
    "Your node learns how many numbers you look up and when, but not which; those who are found are not told."
)


@slash("sync", "FILE|NUMBERS", "who of an address book (vCards, or numbers) can be found here")
async def _sync(desk: Desk, argument: str) -> None:
    if argument.casefold() in ("yes", "no"):
        wanted, desk.wanted_numbers = desk.wanted_numbers, frozenset()
        if not wanted:
            raise Mistake("Of whom? /sync FILE, or /sync and numbers.")
        if argument.casefold() == "no":
            desk.note("Nothing was looked up.")
        else:
            _show(desk, await _find(desk, wanted))
        return
    found = _read(argument)
    skipped = f" ({found.skipped} more name no country and are left out)" if found.skipped else ""
    if not found.numbers:
        raise Mistake(f"There is no such file, and no number in it that begins with + or 00{skipped}.")
    desk.wanted_numbers = found.numbers
    count = len(found.numbers)
    desk.note(f"{count} number{'' if count == 1 else 's'}{skipped}. {ASKS} Look up? /sync yes, or /sync no.")


def _read(argument: str) -> address_book.Numbers:
    if not argument:
        raise Mistake("Of whom? /sync FILE, or /sync and numbers.")
    path = Path(argument).expanduser()
    try:
        is_file = path.is_file()
    except (OSError, ValueError):
        is_file = False
    if not is_file:
        if _LIKE_A_FILE.match(argument):
            raise Mistake(f"There is no file {safe(argument)}.")
        return address_book.of_text(argument)
    try:
        return address_book.of_file(path)
    except OSError as error:
        raise Mistake(f"{safe(argument)}: {error.strerror}") from None
    except ValueError:
        raise Mistake(f"{safe(argument)} is too large.") from None


async def _find(desk: Desk, numbers: frozenset[str]) -> dict[str, ContactFound]:
    try:
        return await desk.client.find_contacts(numbers)
    except RemoteProblem as error:
        if error.of(Code.RATE_LIMITED):
            desk.wanted_numbers = numbers
            hours = round((error.retry_after or 0) / 3600)
            wait = f"about {hours} hours" if hours > 1 else "an hour or less"
            raise Mistake(f"That is enough for now: /sync yes goes on in {wait}.") from None
        raise


def _show(desk: Desk, found: dict[str, ContactFound]) -> None:
    """The list, numbered for /ask."""
    desk.found = found
    if not found:
        desk.note("None of them can be found here.")
        return
    for place, (number, each) in enumerate(found.items(), 1):
        known = desk.state.contacts.get(each.account)
        name = "" if known is None else f"  {desk.names.name(each.account)}"
        desk.note(f"{place:3}  {number}{name}")
    desk.note("/ask 1, or /ask and the phone number, asks the first of them to be your contact.")


@slash("ask", "PLACE|NUMBER", "ask somebody whom /sync found", lambda desk: list(desk.found))
async def _ask(desk: Desk, argument: str) -> None:
    found = _chosen(desk, argument)
    known = desk.state.contacts.get(found.account)
    state = ContactState.NONE if known is None else known.state
    if state is ContactState.INCOMING:
        await desk.client.accept(found.account)
    elif state in (ContactState.NONE, ContactState.REMOVED):
        await desk.client.request(found.account, found.address)
        desk.note(f"Asked {safe(found.address)}. You can write to each other once they accept.")
    else:
        raise Mistake(f"{safe(found.address)} is in your contacts: /contacts says how that stands.")


def _chosen(desk: Desk, argument: str) -> ContactFound:
    """By the place in the list, or by the phone number in whatever spelling."""
    if argument.isdecimal() and len(argument) <= 6 and 0 < int(argument) <= len(desk.found):
        return list(desk.found.values())[int(argument) - 1]
    number = address_book.number(argument)
    if number is None:
        raise Mistake("Whom? /sync numbers those that it finds.")
    if number not in desk.found:
        raise Mistake(f"{number} is not among those that /sync found last.")
    return desk.found[number]


@slash("findable", "[on|off]", "whether those who know your number can find you", lambda _: ["on", "off"])
async def _findable(desk: Desk, argument: str) -> None:
    wanted = {"": None, "on": True, "off": False}.get(argument.casefold(), ...)
    if wanted is ...:
        raise Mistake("/findable on, or /findable off.")
    if not desk.has_number and wanted is not False:
        raise Mistake("You have no number here: nobody can find you by one.")
    answer = await (desk.client.is_findable() if wanted is None else desk.client.set_findable(bool(wanted)))
    if answer.findable:
        desk.note("Those who have your phone number can find you. /findable off ends that.")
    else:
        more = " /findable on allows it." if desk.has_number else ""
        desk.note(f"Nobody can find you by your phone number.{more}")
