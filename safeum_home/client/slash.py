"""What a command of the terminal client is, and whom its argument means."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from safeum_home.client.desk import Desk
from safeum_home.client.text import safe
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
    """Completes the logins of contacts, of those in `states`."""

    def names(desk: Desk) -> list[str]:
        return sorted(
            safe(entry.address.partition("@")[0])
            for entry in desk.state.contacts.values()
            if not states or entry.state in states
        )

    return names


def slash(
    name: str, usage: str, about: str, completes: Callable[[Desk], list[str]] = nothing
) -> Callable[[Run], Run]:
    """Register a command."""

    def register(run: Run) -> Run:
        SLASHES[name] = Slash(name, f"/{name} {usage}".strip(), about, run, completes)
        return run

    return register


def find(desk: Desk, text: str, *states: ContactState) -> Contact:
    """The contact that is meant: a number of the last list, an address, a login, or a display name."""
    wanted = text.strip().removeprefix("@").casefold()
    if not wanted:
        view = desk.chat
        if view is not None and view.peer in desk.state.contacts and not states:
            return desk.state.contacts[view.peer]
        held = [entry for entry in desk.state.contacts.values() if entry.state in states]
        if len(held) == 1:
            return held[0]
        raise Mistake("Whom? Give a name, as in /contacts.")
    entries = [entry for entry in desk.state.contacts.values() if not states or entry.state in states]
    if wanted.isdigit() and 0 < int(wanted) <= len(desk.listed):
        chosen = desk.listed[int(wanted) - 1]
        entries = [entry for entry in entries if entry.account == chosen] or entries
        if len(entries) == 1:
            return entries[0]
    for matches in (
        lambda entry: entry.address.casefold() == wanted,
        lambda entry: entry.address.partition("@")[0].casefold() == wanted,
        lambda entry: entry.display_name.casefold() == wanted,
        lambda entry: (
            entry.address.casefold().startswith(wanted) or entry.display_name.casefold().startswith(wanted)
        ),
    ):
        found = [entry for entry in entries if matches(entry)]
        if len(found) == 1:
            return found[0]
        if found:
            raise Mistake(f"Which one? {', '.join(sorted(safe(entry.address) for entry in found))}")
    raise Mistake(
        f"{safe(text)} is not {'among those' if states else 'in your contacts'}. /contacts lists them."
    )
