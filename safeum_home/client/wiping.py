"""Taking off the screen what is gone: a chat, or its past."""

from safeum_home.client.desk import Desk


def wipe(desk: Desk, chat: str) -> None:
    """The chat is gone: from the screen as well, with what was told in it."""
    desk.outbox.drop(chat)
    wipe_past(desk, chat)
    if desk.current == chat:
        desk.open(None)


def wipe_past(desk: Desk, chat: str) -> None:
    """Nothing that was told in a chat stays on the screen."""
    kept = [notice for notice in desk.notices if notice.chat != chat]
    desk.notices.clear()
    desk.notices.extend(kept)
    desk.banner = ""
    if desk.current == chat:
        desk.new_from = None
        desk.follow()
