"""The terminal client's commands: what follows a slash."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from safeum_home.client.desk import Desk
from safeum_home.client.errors import RemoteProblem
from safeum_home.client.text import safe
from safeum_home.errors import Code
from safeum_home.protocol.types import Contact, ContactState, DeviceEntry

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


def _nothing(_: Desk) -> list[str]:
    return []


def _people(*states: ContactState) -> Callable[[Desk], list[str]]:
    def names(desk: Desk) -> list[str]:
        return sorted(
            safe(entry.address.partition("@")[0])
            for entry in desk.state.contacts.values()
            if not states or entry.state in states
        )

    return names


def slash(
    name: str, usage: str, about: str, completes: Callable[[Desk], list[str]] = _nothing
) -> Callable[[Run], Run]:
    """Register a command."""

    def register(run: Run) -> Run:
        SLASHES[name] = Slash(name, f"/{name} {usage}".strip(), about, run, completes)
        return run

    return register


def submit(desk: Desk, line: str) -> None:
    """A line was entered: a command, or a message (`//` begins one that starts with a slash)."""
    if not line.strip():
        return
    if not line.startswith("/") or line.startswith("//"):
        desk.write(line[1:] if line.startswith("//") else line)
        return
    name, _, argument = line[1:].partition(" ")
    command = SLASHES.get(name) or _abbreviated(name)
    if command is None:
        desk.note(f"There is no /{safe(name)}. /help lists what there is.", "error")
        return
    desk.run(_told(desk, command, argument.strip()))


def _abbreviated(name: str) -> Slash | None:
    found = [command for key, command in SLASHES.items() if name and key.startswith(name)]
    return found[0] if len(found) == 1 else None


async def _told(desk: Desk, command: Slash, argument: str) -> None:
    try:
        await command.run(desk, argument)
    except Mistake as mistake:
        desk.note(f"{mistake}", "error")


def completions(desk: Desk, before: str) -> Iterator[tuple[str, str]]:
    """What could stand at the end of `before`, with a word about it."""
    if not before.startswith("/"):
        return
    name, space, argument = before[1:].partition(" ")
    if not space:
        for command in SLASHES.values():
            if command.name.startswith(name):
                yield f"/{command.name}", command.about
    elif name in SLASHES:
        for choice in SLASHES[name].completes(desk):
            if choice.startswith(argument.lower()):
                yield choice, ""


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


@slash("chat", "NAME", "open a chat; without a name, the first page", _people(ContactState.ACCEPTED))
async def _chat(desk: Desk, argument: str) -> None:
    if not argument:
        desk.open(None)
        return
    for view in desk.state.chats:
        if view.kind == "system" and desk.title(view).casefold().startswith(argument.casefold()):
            desk.open(view.chat)
            return
    desk.open(find(desk, argument).chat)


@slash("add", "LOGIN@NODE", "ask somebody to be your contact")
async def _add(desk: Desk, argument: str) -> None:
    if not argument:
        raise Mistake("Whom? /add login@node")
    try:
        found = await desk.client.find(argument)
    except RemoteProblem as error:
        if error.of(Code.NOT_FOUND):
            raise Mistake(f"Nobody has the address {safe(argument)}.") from None
        raise
    known = desk.state.contacts.get(found.account)
    if known is not None and known.state is ContactState.INCOMING:
        await desk.client.accept(found.account)
    else:
        await desk.client.request(found.account, found.address)
        desk.note(f"Asked {safe(found.address)}. You can write to each other once they accept.")


@slash("contacts", "", "everybody you know, and who is asking")
async def _contacts(desk: Desk, argument: str) -> None:
    words = {
        ContactState.ACCEPTED: "",
        ContactState.INCOMING: "asks to be your contact: /accept",
        ContactState.REQUESTED: "asked, no answer yet",
        ContactState.REMOVED: "ended it: /add asks again",
        ContactState.BLOCKED: "blocked: /unblock",
    }
    entries = sorted(
        desk.state.contacts.values(),
        key=lambda entry: (entry.state is not ContactState.INCOMING, entry.address),
    )
    desk.listed = [entry.account for entry in entries]
    if not entries:
        desk.note("Nobody yet. /add login@node asks somebody.")
    for number, entry in enumerate(entries, 1):
        name = f"{safe(entry.display_name)}  " if entry.display_name else ""
        desk.note(f"{number:3}  {name}{safe(entry.address)}  {words.get(entry.state, '')}".rstrip())


@slash("accept", "[NAME]", "accept a request", _people(ContactState.INCOMING))
async def _accept(desk: Desk, argument: str) -> None:
    await desk.client.accept(find(desk, argument, ContactState.INCOMING).account)


@slash("decline", "[NAME]", "drop a request; they are not told", _people(ContactState.INCOMING))
async def _decline(desk: Desk, argument: str) -> None:
    contact = find(desk, argument, ContactState.INCOMING)
    await desk.client.decline(contact.account)
    desk.note(f"Declined {safe(contact.address)}.")


@slash("remove", "NAME", "take somebody out of your contacts", _people())
async def _remove(desk: Desk, argument: str) -> None:
    contact = find(desk, argument)
    await desk.client.remove(contact.account)
    desk.note(f"{safe(contact.address)} is no longer your contact.")


@slash("block", "NAME", "no messages and no requests from somebody", _people())
async def _block(desk: Desk, argument: str) -> None:
    contact = find(desk, argument)
    await desk.client.block(contact.account)
    desk.note(f"{safe(contact.address)} is blocked. To them it looks like a removal.")


@slash("unblock", "NAME", "lift a block", _people(ContactState.BLOCKED))
async def _unblock(desk: Desk, argument: str) -> None:
    contact = find(desk, argument, ContactState.BLOCKED)
    await desk.client.unblock(contact.account)
    desk.note(f"{safe(contact.address)} is no longer blocked.")


@slash("history", "", "load older messages")
async def _history(desk: Desk, argument: str) -> None:
    view = desk.chat
    if view is None:
        raise Mistake("No chat is open.")
    if not view.more:
        raise Mistake("There are no older messages.")
    await desk.older(view)


@slash("devices", "", "where you are logged in")
async def _devices(desk: Desk, argument: str) -> None:
    devices = (await desk.client.devices()).devices
    desk.listed = [entry.device for entry in devices]
    for number, entry in enumerate(devices, 1):
        desk.note(f"{number:3}  {_device(entry)}")
    desk.note("/revoke NUMBER logs a device out.")


def _device(entry: DeviceEntry) -> str:
    state = "this one" if entry.current else "connected" if entry.connected else "not connected"
    return f"{safe(entry.name)} on {safe(entry.system)} ({state})"


@slash("revoke", "NUMBER", "log a device out, by its number in /devices")
async def _revoke(desk: Desk, argument: str) -> None:
    listed = [device for device in desk.listed if device.startswith("D")]
    if not argument.isdigit() or not 0 < int(argument) <= len(listed):
        raise Mistake("Which one? /devices numbers them.")
    await desk.client.revoke(listed[int(argument) - 1])
    desk.note("That device is logged out.")


@slash("profile", "[NAME]", "a contact's profile, or your own", _people(ContactState.ACCEPTED))
async def _profile(desk: Desk, argument: str) -> None:
    account = find(desk, argument).account if argument else None
    result = await desk.client.profile(account)
    profile = result.profile
    status = f": {safe(profile.status)}" if profile.status else ""
    desk.note(f"{safe(profile.display_name) or '(no name)'} <{safe(result.address)}>{status}")


@slash("name", "TEXT", "what your contacts see as your name")
async def _name(desk: Desk, argument: str) -> None:
    await desk.client.set_profile(argument, desk.state.profile.status)
    desk.note(f"Your name is now {safe(argument) or '(none)'}.")


@slash("status", "TEXT", "a line about you for your contacts")
async def _status(desk: Desk, argument: str) -> None:
    await desk.client.set_profile(desk.state.profile.display_name, argument)
    desk.note("Your status is set.")


@slash("retry", "", "send again what could not be sent, and reconnect now")
async def _retry(desk: Desk, argument: str) -> None:
    desk.client.retry()
    for outgoing in desk.outgoing:
        if outgoing.error:
            desk.deliver(outgoing)


@slash("help", "", "this list")
async def _help(desk: Desk, argument: str) -> None:
    for command in SLASHES.values():
        desk.note(f"{command.usage:20} {command.about}", "help")
    desk.note("Enter sends, Alt+Enter breaks the line, Tab completes, PageUp and PageDown scroll,", "help")
    desk.note(
        "Ctrl+N and Ctrl+P change the chat, Ctrl+C clears the line and leaves when it is empty.", "help"
    )
    desk.note("✓ is on the node, ✓✓ is on a device of theirs. A message may start with //.", "help")


@slash("quit", "", "log this device out and leave")
async def _quit(desk: Desk, argument: str) -> None:
    desk.leave()
