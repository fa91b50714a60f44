"""Which chat of the terminal client is meant by a name: a person's, a group, the notes, the node's own."""

from safeum_home.client.desk import Desk
from safeum_home.client.group_lookup import named
from safeum_home.client.names import GROUP_MARK, SYSTEM_MARK, label
from safeum_home.client.slash import Mistake, find, people

NOTES = "notes"


def notes(desk: Desk) -> str:
    """The chat with oneself."""
    if desk.client.notes is None:
        raise Mistake("You are not logged in.")
    return desk.client.notes


def meant(desk: Desk, text: str) -> str:
    """The id of the chat that is called this. People come first, then groups; raises `Mistake`."""
    wanted = _plain(text).casefold()
    for view in desk.chats():
        if view.of_node and wanted in ("", _plain(desk.names.title(view)).casefold()):
            return view.chat
    if text.lstrip().startswith(GROUP_MARK):
        if (group := named(desk, text.lstrip().removeprefix(GROUP_MARK))) is None:
            raise Mistake("You are in no such group.")
        return group.chat
    try:
        return find(desk, text).chat
    except Mistake:
        if (group := named(desk, text)) is not None:
            return group.chat
        if wanted == NOTES:
            return notes(desk)
        raise


def titles(desk: Desk) -> list[str]:
    """Completes what `meant` finds."""
    return [*_system(desk), *_written(desk)]


def writable(desk: Desk) -> list[str]:
    """The same without the chats that nobody writes into."""
    return _written(desk)


def _system(desk: Desk) -> list[str]:
    return [_plain(desk.names.title(view)) for view in desk.chats() if view.of_node]


def _written(desk: Desk) -> list[str]:
    groups = [label(view.display_name) for view in desk.chats() if view.kind == "group"]
    return [*people()(desk), *groups, NOTES]


def called(desk: Desk, chat: str) -> str:
    """A chat as it is called where it was chosen: people with their logins."""
    view = desk.state.chat(chat)
    if view is None:
        return "the chat"
    contact = desk.state.contacts.get(view.peer)
    return desk.names.title(view) if contact is None else desk.names.full(contact)


def _plain(title: str) -> str:
    return title.removeprefix(SYSTEM_MARK).strip()
