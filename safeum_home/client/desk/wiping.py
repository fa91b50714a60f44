"""Taking off the screen what is gone: a chat, or its past."""

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.notices import not_sent


def wipe(desk: Desk, chat: str) -> None:
    """The chat is gone: from the screen as well, with what was told in it, and what was to be sent there."""
    desk.outbox.forget(chat)
    wipe_past(desk, chat)
    if desk.current == chat:
        desk.open(None)


def wipe_past(desk: Desk, chat: str) -> None:
    """Nothing that was told in a chat, of it or for it stays.

    What is on its way comes after the past: it is sent. What could not be sent is of the past.
    """
    kept = [notice for notice in desk.notices if chat not in (notice.chat, notice.about)]
    desk.notices.clear()
    desk.notices.extend(kept)
    desk.banner = ""
    desk.drafts.wipe(chat)
    desk.transfers.wipe(chat)
    desk.wiped()
    if dropped := desk.outbox.drop(chat):
        verb = "is" if dropped == 1 else "are"
        desk.tell(f"{not_sent(dropped)}, and {verb} gone with the rest.", chat=chat)
    if desk.current == chat:
        desk.new_from = None
        desk.follow()
