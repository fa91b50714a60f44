"""The command of the terminal client that searches."""

from safeum_home.client.desk.desk import Desk
from safeum_home.client.slash.slash import Mistake, slash
from safeum_home.client.state.search import MOST, search_in
from safeum_home.client.words.message_words import body_text
from safeum_home.client.words.text import stamp

_SHOWN = 20
_LINE = 160
"""Characters of a message that are shown of it."""


@slash("search", "WORDS", "find messages in the open chat, or in all chats, as far as they are loaded")
async def _search(desk: Desk, argument: str) -> None:
    if not argument.strip():
        raise Mistake("What for? /search WORDS")
    views = desk.state.chats if desk.chat is None else [desk.chat]
    found = search_in(map(desk.secure.opened, views), argument)
    if not found:
        view = desk.chat
        more = view is not None and view.more
        raise Mistake("Nothing that is loaded here has that." + (" /history loads older messages." * more))
    shown = found[:_SHOWN]
    for chat, message in reversed(shown):
        when = stamp(message.at, desk.now())
        where = "" if desk.current == chat.chat else f" in {desk.names.title(chat)}"
        text = " ".join(body_text(message, desk.names.name).split())
        desk.note(f"{when} {desk.names.name(message.sender)}{where}: {text[:_LINE]}", hang=4, about=chat.chat)
    if len(found) > len(shown):
        count = "more" if len(found) >= MOST else len(found) - len(shown)
        desk.note(f"… and {count} before that: more words find fewer.")
