"""The commands of the terminal client for being away, and for being woken."""

from safeum_home.client.desk.desk import Desk
from safeum_home.client.events import Link
from safeum_home.client.slash.slash import Mistake, slash
from safeum_home.client.words.text import safe


@slash("sleep", "", "disconnect until you type something")
async def _sleep(desk: Desk, argument: str) -> None:
    if desk.link.link is Link.CLOSED:
        raise Mistake("The session is over.")
    desk.drafts.keep()  # a moment later it would wake it
    await desk.client.sleep()


@slash("push", "", "whether this device is woken when it sleeps")
async def _push(desk: Desk, argument: str) -> None:
    provider = (await desk.client.push()).provider
    if provider is not None:
        desk.note(f"This device is woken through {safe(provider)} when it sleeps.")
        return
    offered = [safe(each.name) for each in (await desk.client.push_providers()).providers]
    ways = f"Your node wakes others through {', '.join(offered)}." if offered else "Your node wakes nobody."
    desk.note(f"Nothing wakes this device: it stays connected, unless /sleep ends that. {ways}")
