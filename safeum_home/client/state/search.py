"""Searching what is loaded. A node never searches: it holds nothing that could be searched unopened.

Words are compared as people read them: without regard to case in any script (Unicode caseless matching),
and with what merely looks different for technical reasons taken for the same (compatibility normalisation,
NFKC): `ﬁ` and `fi`, half width and full, composed and not.
"""

from collections.abc import Iterable, Iterator
from heapq import merge
from typing import NamedTuple
from unicodedata import normalize

from msgspec import Struct, structs

from safeum_home.client.state.chat_view import ChatView
from safeum_home.client.state.state import State
from safeum_home.protocol.types import Message

MOST = 100
"""How many messages are found unless more are asked for."""
_TEXTS = ("text", "caption", "name")
"""Members of bodies that hold words: what was written, and what files are called."""


class Found(NamedTuple):
    """A message, and the chat that it is in."""

    chat: ChatView
    message: Message


def folded(text: str) -> str:
    """What two texts have in common that read alike (The Unicode Standard, section 3.13.5, NFKC_Casefold)."""
    return normalize("NFKC", normalize("NFKC", normalize("NFD", text).casefold()).casefold())


def search(state: State, text: str, chat: str | None = None, limit: int = MOST) -> list[Found]:
    """Messages that are loaded and hold all words of `text`, the newest first; of one chat, or of all."""
    views = state.chats if chat is None else [view for view in state.chats if view.chat == chat]
    return search_in(views, text, limit)


def search_in(views: Iterable[ChatView], text: str, limit: int = MOST) -> list[Found]:
    """The same in chats as they are given."""
    words = folded(text).split()
    if not words:
        return []
    chats = [_found(view, words) for view in views]
    newest = merge(*chats, key=lambda found: found.message.at, reverse=True)
    return [found for found, _ in zip(newest, range(limit), strict=False)]


def _found(view: ChatView, words: list[str]) -> Iterator[Found]:
    for message in reversed(view.messages):
        read = folded("\n".join(_texts(message.body)))
        if all(word in read for word in words):
            yield Found(view, message)


def _texts(body: object) -> Iterable[str]:
    known = structs.asdict(body) if isinstance(body, Struct) else body
    if isinstance(known, dict):
        for member in _TEXTS:
            if isinstance(value := known.get(member), str):
                yield value


class Searching:
    """Part of the clients."""

    state: State

    def search(self, text: str, chat: str | None = None, limit: int = MOST) -> list[Found]:
        """Messages that are loaded and hold all words of `text`, the newest first; in `chat`, or in all."""
        return search(self.state, text, chat, limit)
