"""The commands of the terminal client that are about chats and messages."""

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.waiting_posts import withdraw
from safeum_home.client.events import Link
from safeum_home.client.slash.chat_lookup import meant, titles
from safeum_home.client.slash.slash import Mistake, connected, slash


@slash("chat", "[NAME]", "open a chat; without a name, the first page", titles)
async def _chat(desk: Desk, argument: str) -> None:
    desk.open(meant(desk, argument) if argument else None)


@slash("support", "", "write to the operator of your node")
async def _support(desk: Desk, argument: str) -> None:
    if desk.client.support_chat is None:
        raise Mistake("This node has no support.")
    desk.open(desk.client.support_chat)
    if desk.state.voice.fingerprint:
        desk.note(f"What your node writes is signed with its key: {desk.state.voice.fingerprint}")


@slash("retry", "", "send again what could not be sent, and reconnect now")
async def _retry(desk: Desk, argument: str) -> None:
    if desk.link.link is Link.ONLINE and not desk.unsent:
        raise Mistake("There is nothing that could not be sent, and the node is there.")
    desk.client.retry()
    desk.outbox.retry()
    desk.secure.retry()


@slash("drop", "", "forget what could not be sent in this chat, and what still waits")
async def _drop(desk: Desk, argument: str) -> None:
    dropped = 0 if desk.current is None else desk.outbox.drop(desk.current)
    if desk.chat is not None and desk.chat.secure:
        dropped += desk.secure.drop(desk.chat)
    if desk.chat is not None and desk.chat.waiting:
        connected(desk, "what waits was not dropped")
        dropped += await withdraw(desk, desk.chat)
    if not dropped:
        raise Mistake("There is nothing here that could not be sent.")
    desk.note(f"Dropped {dropped} message{'' if dropped == 1 else 's'}.")
