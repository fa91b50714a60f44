"""What a person can enter in the terminal client: messages, and commands."""

from collections.abc import Iterator

# They register themselves; `slash_own.SECTIONS` is the order of the help.
from safeum_home.client import slash_calls as slash_calls
from safeum_home.client import slash_chats as slash_chats
from safeum_home.client import slash_closing as slash_closing
from safeum_home.client import slash_contacts as slash_contacts
from safeum_home.client import slash_files as slash_files
from safeum_home.client import slash_group_info as slash_group_info
from safeum_home.client import slash_groups as slash_groups
from safeum_home.client import slash_history as slash_history
from safeum_home.client import slash_lock as slash_lock
from safeum_home.client import slash_messages as slash_messages
from safeum_home.client import slash_money as slash_money
from safeum_home.client import slash_own as slash_own
from safeum_home.client import slash_picture as slash_picture
from safeum_home.client import slash_policy as slash_policy
from safeum_home.client import slash_presence as slash_presence
from safeum_home.client import slash_profile as slash_profile
from safeum_home.client import slash_search as slash_search
from safeum_home.client import slash_secure as slash_secure
from safeum_home.client import slash_sleep as slash_sleep
from safeum_home.client import slash_sync as slash_sync
from safeum_home.client import slash_telephone as slash_telephone
from safeum_home.client import slash_verify as slash_verify
from safeum_home.client import slash_voice as slash_voice
from safeum_home.client import slash_voicemail as slash_voicemail
from safeum_home.client.chat_lookup import writable
from safeum_home.client.desk import Desk
from safeum_home.client.mentions import mentions
from safeum_home.client.names import SECURE_MARK, bare
from safeum_home.client.slash import SLASHES, Mistake, Slash
from safeum_home.client.text import safe


def submit(desk: Desk, line: str) -> None:
    """A line was entered: a command, or a message (`//` begins one that starts with a slash).

    What a terminal gives that is no character is not taken for one.
    """
    line = line.encode(errors="replace").decode()
    if desk.questions.open:
        desk.questions.answer(line)
        return
    if desk.reading:
        desk.read([])
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
        desk.note(f"Which one? {', '.join(sorted(f'/{command.name}' for command in found))}", "error")
    else:
        desk.note(f"There is no /{safe(name)}. /help lists what there is.", "error")


async def _told(desk: Desk, command: Slash, argument: str) -> None:
    try:
        await command.run(desk, argument)
    except Mistake as mistake:
        desk.note(f"{mistake}", "error")


def completions(desk: Desk, before: str) -> Iterator[tuple[str, str]]:
    """What could stand at the end of `before`, with a word about it."""
    if desk.questions.open:
        return
    if not before.startswith("/"):
        yield from ((choice, "") for choice in mentions(desk, before))
        return
    name, space, argument = before[1:].partition(" ")
    if not space:
        for command in SLASHES.values():
            if command.name.startswith(name):
                yield f"/{command.name}", command.about
    elif name == "forward" and argument.partition(" ")[0].isdecimal():
        number, space, start = argument.partition(" ")
        for choice in writable(desk):
            if space and bare(choice).casefold().startswith(start.casefold()):
                yield f"{number} {choice}", ""
    elif name in SLASHES:
        for choice in SLASHES[name].completes(desk):
            if _begins(choice, argument):
                yield choice, ""


def _begins(choice: str, typed: str) -> bool:
    """Whether it may be what is being typed: with the mark before it, or without."""
    if typed.startswith(SECURE_MARK):
        return choice.startswith(SECURE_MARK) and _begins(bare(choice), bare(typed))
    return any(each.casefold().startswith(typed.casefold()) for each in (choice, bare(choice)))
