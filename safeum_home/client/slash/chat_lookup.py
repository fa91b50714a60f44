"""Which chat of the terminal client is meant by a name: a person's, a group, the notes, the node's own."""

from safeum_home.client.desk.desk import Desk
from safeum_home.client.slash import group_lookup
from safeum_home.client.slash.slash import Mistake, find, matching, people
from safeum_home.client.state.chat_view import ChatView
from safeum_home.client.words.names import GROUP_MARK, SECURE_MARK, bare, label
from safeum_home.client.words.text import safe
from safeum_home.protocol.types import Contact

NOTES = "notes"
"""Means one's own notes, whatever else is called so."""


def notes(desk: Desk) -> str:
    """The chat with oneself."""
    if desk.client.notes is None:
        raise Mistake("You are not logged in.")
    return desk.client.notes


def meant(desk: Desk, text: str) -> str:
    """The id of the chat that is called this; raises `Mistake` for none, and where it could be several.

    All of a name comes before how one begins. A person and a group of one name are told apart by the
    person's address, and by the mark of groups.
    """
    if text.strip().startswith(SECURE_MARK):
        return _secure(desk, text)
    groups, whole = group_lookup.called(_groups(desk), text, lambda view: view.display_name)
    if group_lookup.marked(text):
        if not groups:
            raise Mistake("You are in no such group.")
        return _one(desk, [], groups)
    wanted = bare(text).casefold()
    for view in desk.chats():
        if view.of_node and wanted in ("", bare(desk.names.title(view)).casefold()):
            return view.chat
    if wanted == NOTES:
        return notes(desk)
    try:
        persons, named = matching(desk, text, desk.names.people())
    except Mistake:  # that is oneself
        if not groups:
            raise
        persons, named = [], False
    if any(person.address.casefold() == wanted.removeprefix("@") for person in persons):
        groups = []  # an address is nobody else's
    persons, groups = group_lookup.clearer(persons, groups, (named, whole))
    return _one(desk, persons, groups) if groups else find(desk, text).chat


def _groups(desk: Desk) -> list[ChatView]:
    """Secure chats are meant where their mark is written: they go by the names of people."""
    return [view for view in desk.state.chats if view.kind == "group" and not view.secure]


def _secure(desk: Desk, text: str) -> str:
    found, _ = group_lookup.called(secure_chats(desk), bare(text), lambda view: bare(desk.names.title(view)))
    if len(found) == 1:
        return found[0].chat
    raise Mistake("Which one? /secure lists them." if found else "You are in no such secure chat: /secure")


def secure_chats(desk: Desk) -> list[ChatView]:
    """In the order of the list of chats."""
    return [view for view in desk.state.chats if view.secure]


def _one(desk: Desk, persons: list[Contact], groups: list[ChatView]) -> str:
    if not persons and len(groups) == 1:
        return groups[0].chat
    which = [*(safe(person.address) for person in persons), *(desk.names.title(view) for view in groups)]
    raise Mistake(f"Which one? {', '.join(which)}: write one of these, or use Ctrl-N to get there.")


def titles(desk: Desk) -> list[str]:
    """Completes what `meant` finds."""
    return [*_system(desk), *writable(desk)]


def writable(desk: Desk) -> list[str]:
    """The same without the chats that nobody writes into."""
    persons = people()(desk)
    taken = {each.casefold() for each in (*persons, *_system(desk), NOTES)}
    groups = [label(view.display_name) for view in _groups(desk)]
    marked = [f"{GROUP_MARK} {name}" if name.casefold() in taken else name for name in groups]
    return [*persons, *marked, *(desk.names.title(view) for view in secure_chats(desk)), NOTES]


def _system(desk: Desk) -> list[str]:
    return [bare(desk.names.title(view)) for view in desk.chats() if view.of_node]


def called(desk: Desk, chat: str) -> str:
    """A chat as it is called where it was chosen: people with their logins."""
    view = desk.state.chat(chat)
    if view is None:
        return "the chat"
    contact = desk.state.contacts.get(view.peer)
    return desk.names.title(view) if contact is None else desk.names.full(contact)
