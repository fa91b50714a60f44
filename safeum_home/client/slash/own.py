"""The commands of the terminal client that are about oneself, and about the client."""

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.notices import Notice
from safeum_home.client.slash.slash import SLASHES, Mistake, slash
from safeum_home.client.words.text import moment, safe
from safeum_home.client.words.typed_numbers import chosen
from safeum_home.protocol.types import DeviceEntry


@slash("devices", "", "where you are logged in")
async def _devices(desk: Desk, argument: str) -> None:
    devices = (await desk.client.devices()).devices
    desk.listed = [entry.device for entry in devices]
    for number, entry in enumerate(devices, 1):
        desk.note(f"{number:3}  {_device(entry)}", hang=5)
    desk.note("/revoke NUMBER logs a device out.")


def _device(entry: DeviceEntry) -> str:
    state = "this one" if entry.current else "connected" if entry.connected else "not connected"
    kind = None if entry.type is None else entry.type.value
    told = [safe(each) for each in (kind, entry.model, entry.region, entry.time_zone) if each]
    if entry.address is not None:
        told.append(f"from {safe(entry.address)}")
    since = moment(entry.created_at)
    told.append(f"since {since.day} {since:%b} {since.year}")
    return f"{safe(entry.name)} on {safe(entry.system)} ({state})\n{', '.join(told)}"


@slash("revoke", "NUMBER", "log a device out, by its number in /devices")
async def _revoke(desk: Desk, argument: str) -> None:
    listed = [device for device in desk.listed if device.startswith("D")]
    if (device := chosen(argument, listed)) is None:
        raise Mistake("Which one? /devices numbers them.")
    await desk.client.revoke(device)
    desk.note("That device is logged out.")


@slash("keep", "", "keep your number, where somebody else has asked for it")
async def _keep(desk: Desk, argument: str) -> None:
    if not desk.has_number:
        raise Mistake("You have no number here: there is none to keep.")
    await desk.client.keep_number()
    desk.note("Your number stays yours.")


@slash("help", "", "this list")
async def _help(desk: Desk, argument: str) -> None:
    desk.read([Notice(desk.now(), None, line, "help", None, 20) for line in [*help_lines(), *KEYS]])


def help_lines() -> list[str]:
    """All commands, each in a line, by what they are about."""
    lines: list[str] = []
    about = ""
    order = list(SECTIONS)
    modules = {name: command.run.__module__.rpartition(".")[2] for name, command in SLASHES.items()}
    for name, command in sorted(SLASHES.items(), key=lambda item: order.index(modules[item[0]])):
        if about != (about := SECTIONS[modules[name]]):
            lines += [*([""] if lines else []), about]
        lines.append(f"{command.usage:19} {command.about}")
    return lines


SECTIONS = {
    "chats": "Chats",
    "messages": "Messages, by their number from the end",
    "files": "Files",
    "voice": "Voice notes",
    "history": "History",
    "search": "Searching",
    "contacts": "People",
    "calls": "Calls",
    "telephone": "The telephone network: open, it hears what is said",
    "voicemail": "Voicemail",
    "money": "Money",
    "sync": "Finding people by their numbers",
    "secure": "Secure chats: what only those in them can read",
    "lock": "Locking them",
    "verify": "Knowing that nobody is in between",
    "groups": "Groups",
    "group_info": "What a group says of itself, and its link",
    "presence": "Who is there",
    "sleep": "Being away",
    "profile": "You",
    "picture": "Pictures",
    "own": "This client, and your devices",
    "policy": "The policy of your node",
    "closing": "Closing the account",
}
"""What the commands of each module are about, in the order of the help."""


KEYS = (
    "",
    "Enter               sends",
    "Alt+Enter           breaks the line",
    "Tab                 completes commands, names, and who is mentioned with @",
    "PageUp, PageDown    scroll",
    "Ctrl+N, Ctrl+P      next chat, chat before",
    "Ctrl+C              clears the line; leaves when it is empty",
    "✓                   it is on the node",
    "✓✓                  it is on a device of theirs",
    "🔒                  before a name: only those in that chat can read it",
    "🔒✓ 🔒⚠             all others there are verified; somebody has another key",
    "//                  begins a message that starts with a slash",
)


@slash("quit", "", "log this device out and leave")
async def _quit(desk: Desk, argument: str) -> None:
    desk.quit()
