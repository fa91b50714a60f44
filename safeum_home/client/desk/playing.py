"""Having a sound heard at a desk, until it is over or given up."""

from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from safeum_home.client.desk.desk import Desk
from safeum_home.client.errors import NoMedia
from safeum_home.client.slash.slash import Mistake
from safeum_home.client.words.text import safe


async def until_over(desk: Desk, playing: "Deferred[Any]", label: str, chat: str = "") -> None:
    """`/stop` ends it, and so does the end of its `chat`. Raises `Mistake` where it is no sound."""
    transfer = desk.transfers.begin(f"♪ {label}", desk.now(), chat)
    transfer.cancel = playing.cancel
    try:
        await playing
    except CancelledError:
        desk.note("Not played any further.")
    except NoMedia as error:
        raise Mistake(f"{safe(str(error))}.") from None
    finally:
        desk.transfers.end(transfer)
        desk.calls.over()
        desk.refresh()
