"""What a person can enter in the terminal client: messages, and a coroutine for each command."""

from collections.abc import Iterator

from safeum_home.client.desk import Desk
from safeum_home.client.errors import RemoteProblem
from safeum_home.client.slash import SLASHES, Mistake, Slash, find, people, slash
from safeum_home.client.text import safe
from safeum_home.errors import Code
from safeum_home.protocol.types import ContactState, DeviceEntry


def submit(desk: Desk, line: str) -> None:
    """A line was entered: a command, or a message (`//` begins one that starts with a slash)."""
    if not line.strip():
        return
    if not line.startswith("/") or line.startswith("//"):
        desk.write(line[1:] if line.startswith("//") else line)
        return
    name, _, argument = line[1:].partition(" ")
    found = [SLASHES[name]] if name in SLASHES else [c for key, c in SLASHES.items() if key.startswith(name)]
    if len(found) == 1:
        desk.run(_told(desk, found[0], argument.strip()))
    elif name and found:
        desk.note(f"Which one? {', '.join(f'/{command.name}' for command in found)}", "error")
    else:
        desk.note(f"There is no /{safe(name)}. /help lists what there is.", "error")


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


@slash("chat", "NAME", "open a chat; without a name, the first page", people(ContactState.ACCEPTED))
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


@slash("accept", "[NAME]", "accept a request", people(ContactState.INCOMING))
async def _accept(desk: Desk, argument: str) -> None:
    await desk.client.accept(find(desk, argument, ContactState.INCOMING).account)


@slash("decline", "[NAME]", "drop a request; they are not told", people(ContactState.INCOMING))
async def _decline(desk: Desk, argument: str) -> None:
    contact = find(desk, argument, ContactState.INCOMING)
    await desk.client.decline(contact.account)
    desk.note(f"Declined {safe(contact.address)}.")


@slash("remove", "NAME", "take somebody out of your contacts", people())
async def _remove(desk: Desk, argument: str) -> None:
    contact = find(desk, argument)
    await desk.client.remove(contact.account)
    desk.note(f"{safe(contact.address)} is no longer your contact.")


@slash("block", "NAME", "no messages and no requests from somebody", people())
async def _block(desk: Desk, argument: str) -> None:
    contact = find(desk, argument)
    await desk.client.block(contact.account)
    desk.note(f"{safe(contact.address)} is blocked. To them it looks like a removal.")


@slash("unblock", "NAME", "lift a block", people(ContactState.BLOCKED))
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


@slash("profile", "[NAME]", "a contact's profile, or your own", people(ContactState.ACCEPTED))
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
