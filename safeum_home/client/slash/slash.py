"""What a command of the terminal client is, and whom its argument means."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from safeum_home.client.desk.desk import Desk
from safeum_home.client.events import Link
from safeum_home.client.state.chat_view import ChatView
from safeum_home.client.words.names import label
from safeum_home.client.words.text import safe
from safeum_home.client.words.typed_numbers import chosen
from safeum_home.protocol.types import Contact, ContactState

Run = Callable[[Desk, str], Awaitable[None]]


class Mistake(Exception):
    """What was typed cannot be done; the text says why."""


@dataclass(frozen=True, slots=True)
class Slash:
    """A command; `completes` gives what its argument may be."""

    name: str
    usage: str
    about: str
    run: Run
    completes: Callable[[Desk], list[str]]


SLASHES: dict[str, Slash] = {}


def nothing(_: Desk) -> list[str]:
    """Completes nothing."""
    return []


def people(*states: ContactState) -> Callable[[Desk], list[str]]:
    """Completes people, of those in `states`: what they are shown as, and their logins."""

    def names(desk: Desk) -> list[str]:
        known = [entry for entry in desk.names.people() if not states or entry.state in states]
        logins = {desk.names.short(entry.address) for entry in known}
        shown = {desk.names.name(entry.account).casefold(): desk.names.name(entry.account) for entry in known}
        return sorted([*shown.values(), *(logins - set(shown))], key=str.casefold)

    return names


def slash(
    name: str, usage: str, about: str, completes: Callable[[Desk], list[str]] = nothing
) -> Callable[[Run], Run]:
    """Register a command; raises `ValueError` for a name that is taken: one would shadow the other."""

    def register(run: Run) -> Run:
        if name in SLASHES:
            raise ValueError(f"/{name} is there already, in {SLASHES[name].run.__module__}")
        SLASHES[name] = Slash(name, f"/{name} {usage}".strip(), about, run, completes)
        return run

    return register


def opened(desk: Desk) -> ChatView:
    """The chat that is open."""
    if desk.chat is None:
        raise Mistake("No chat is open.")
    return desk.chat


def connected(desk: Desk, undone: str) -> None:
    """Raises `Mistake` while there is no connection: what is done to messages is done now, or not."""
    if desk.link.link in (Link.CONNECTING, Link.OFFLINE):
        raise Mistake(f"Not connected: {undone}. Try again once you are.")


def find(desk: Desk, text: str, *states: ContactState, otherwise: str = "") -> Contact:
    """Who is meant: a number of the last list, an address, a login, or a name as it is shown.

    `states` are those in which the command makes sense; `otherwise`, with `{}` for a name, is said of
    somebody who is in another one. Without a text it is the open chat's other side, or the only one.
    """
    entries = desk.names.people()
    fitting = [entry for entry in entries if not states or entry.state in states]
    if not text.strip():
        return _unnamed(desk, fitting, only=bool(states))
    found = matching(desk, text, fitting)[0] or matching(desk, text, entries)[0]
    if len(found) > 1:
        raise Mistake(f"Which one? {', '.join(sorted(safe(entry.address) for entry in found))}")
    if not found:
        raise Mistake(f"{safe(text)} is not among those you know. /contacts lists them.")
    if found[0] not in fitting:
        raise Mistake(otherwise.format(desk.names.name(found[0].account)))
    return found[0]


def _unnamed(desk: Desk, fitting: list[Contact], only: bool) -> Contact:
    here = [entry for entry in fitting if desk.chat is not None and entry.account == desk.chat.peer]
    if here:
        return here[0]
    if only and len(fitting) == 1:
        return fitting[0]
    raise Mistake("Whom? Give a name, as in /contacts.")


def matching(desk: Desk, text: str, entries: list[Contact]) -> tuple[list[Contact], bool]:
    """The best kind of match that there is, and whether the text is all of a name, not how one begins."""
    wanted = " ".join(text.removeprefix("@").split()).casefold()
    if (account := chosen(wanted, desk.listed)) is not None:
        numbered = [entry for entry in entries if entry.account == account]
        if numbered:
            return numbered, True
    own = desk.state.address.casefold()
    if wanted in ("you", own, own.partition("@")[0]):
        raise Mistake("That is you.")

    def names(entry: Contact) -> tuple[str, str, str]:
        chosen, shown = label(entry.display_name), desk.names.name(entry.account)
        return shown.casefold(), chosen.casefold(), desk.names.short(entry.address).casefold()

    for whole, matches in (
        (True, lambda entry: entry.address.casefold() == wanted),
        (True, lambda entry: desk.names.short(entry.address).casefold() == wanted),
        (True, lambda entry: entry.address.partition("@")[0].casefold() == wanted),
        (True, lambda entry: wanted in names(entry)),
        (False, lambda entry: any(name.startswith(wanted) for name in names(entry))),
    ):
        found = [entry for entry in entries if matches(entry)]
        if found:
            return found, whole
    return [], False
