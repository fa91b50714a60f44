"""The commands of the terminal client for being away, and for being woken."""

from safeum_home.client.desk import Desk
from safeum_home.client.events import Link
from safeum_home.client.slash import Mistake, slash


@slash("sleep", "", "disconnect until you type something")
async def _sleep(desk: Desk, argument: str) -> None:
    if desk.link.link is Link.CLOSED:
        raise Mistake("The session is over.")
    await desk.client.sleep()
