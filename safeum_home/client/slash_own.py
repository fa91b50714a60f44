"""The commands of the terminal client that are about oneself, and about the client."""

from safeum_home.client.desk import Desk
from safeum_home.client.notices import Notice
from safeum_home.client.slash import SLASHES, Mistake, slash
from safeum_home.client.text import moment, safe
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
    if not argument.isdigit() or not 0 < int(argument) <= len(listed):
        raise Mistake("Which one? /devices numbers them.")
    await desk.client.revoke(listed[int(argument) - 1])
    desk.note("That device is logged out.")


@slash("keep", "", "keep your number, where somebody else has asked for it")
async def _keep(desk: Desk, argument: str) -> None:
    if not desk.has_number:
        raise Mistake("You have no number here: there is none to keep.")
    await desk.client.keep_number()
    desk.note("Your number stays yours.")


@slash("help", "", "this list")
async def _help(desk: Desk, argument: str) -> None:
    lines = [f"{command.usage:19} {command.about}" for command in SLASHES.values()]
    desk.read([Notice(desk.now(), None, line, "help", None, 20) for line in [*lines, *KEYS]])


KEYS = (
    "",
    "Enter               sends",
    "Alt+Enter           breaks the line",
    "Tab                 completes commands and names",
    "PageUp, PageDown    scroll",
    "Ctrl+N, Ctrl+P      next chat, chat before",
    "Ctrl+C              clears the line; leaves when it is empty",
    "✓                   it is on the node",
    "✓✓                  it is on a device of theirs",
    "//                  begins a message that starts with a slash",
)


@slash("quit", "", "log this device out and leave")
async def _quit(desk: Desk, argument: str) -> None:
    desk.quit()
