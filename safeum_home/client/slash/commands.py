"""What a person can enter in the terminal client: messages, and commands."""

from collections.abc import Iterator

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.mentions import mentions

# They register themselves; `slash.own.SECTIONS` is the order of the help.
from safeum_home.client.slash import calls as calls
from safeum_home.client.slash import chats as chats
from safeum_home.client.slash import closing as closing
from safeum_home.client.slash import contacts as contacts
from safeum_home.client.slash import files as files
from safeum_home.client.slash import group_info as group_info
from safeum_home.client.slash import groups as groups
from safeum_home.client.slash import history as history
from safeum_home.client.slash import lock as lock
from safeum_home.client.slash import messages as messages
from safeum_home.client.slash import money as money
from safeum_home.client.slash import own as own
from safeum_home.client.slash import picture as picture
from safeum_home.client.slash import policy as policy
from safeum_home.client.slash import presence as presence
from safeum_home.client.slash import profile as profile
from safeum_home.client.slash import search as search
from safeum_home.client.slash import secure as secure
from safeum_home.client.slash import sleep as sleep
from safeum_home.client.slash import sync as sync
from safeum_home.client.slash import telephone as telephone
from safeum_home.client.slash import verify as verify
from safeum_home.client.slash import voice as voice
from safeum_home.client.slash import voicemail as voicemail
from safeum_home.client.slash.chat_lookup import writable
from safeum_home.client.slash.slash import SLASHES, Mistake, Slash
from safeum_home.client.words.names import SECURE_MARK, bare
from safeum_home.client.words.text import safe


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
