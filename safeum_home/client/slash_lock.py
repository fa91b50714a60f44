"""The commands of the terminal client that open secure chats, and close them."""

from safeum_home.client.desk import Desk
from safeum_home.client.group_lookup import sure
from safeum_home.client.notices import Notice
from safeum_home.client.passphrase_entry import unlock
from safeum_home.client.slash import Mistake, slash


@slash(
    "unlock",
    "[new]",
    "open your secure chats: asks for your passphrase; new: it is forgotten",
    lambda _: ["new", "words"],
)
async def _unlock(desk: Desk, argument: str) -> None:
    await unlock(desk, argument)


@slash("lock", "", "close them: nothing of them stays in memory")
async def _lock(desk: Desk, argument: str) -> None:
    if desk.secure.chats is None:
        raise Mistake("Secure chats are locked.")
    if unsent := len(desk.secure.all_unsent()):
        what = "one message that was" if unsent == 1 else f"{unsent} messages that were"
        if not await sure(desk, f"This forgets {what} not sent yet. Lock?"):
            raise Mistake("Nothing was locked.")
    desk.secure.lock()
    desk.note("Secure chats are locked: /unlock opens them.")


@slash("alarms", "", "what was not as it should be in secure chats")
async def _alarms(desk: Desk, argument: str) -> None:
    lines = desk.secure.alarms.lines()
    desk.secure.alarms.all_seen()
    if not lines:
        desk.note("There was no alarm since you have come.")
        return
    desk.read([Notice(desk.now(), None, line, "alarm", None, 7) for line in lines], "Alarms, the newest last")
