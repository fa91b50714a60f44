"""The commands of the terminal client that are about chats and messages."""

from safeum_home.client.desk import Desk
from safeum_home.client.group_lookup import named
from safeum_home.client.names import GROUP_MARK, SYSTEM_MARK, label
from safeum_home.client.slash import Mistake, find, people, slash


def _plain(title: str) -> str:
    return title.removeprefix(SYSTEM_MARK).strip()


def _chats(desk: Desk) -> list[str]:
    system = [_plain(desk.names.title(view)) for view in desk.chats() if view.of_node]
    groups = [label(view.display_name) for view in desk.chats() if view.kind == "group"]
    return [*system, *people()(desk), *groups]


@slash("chat", "[NAME]", "open a chat; without a name, the first page", _chats)
async def _chat(desk: Desk, argument: str) -> None:
    if not argument:
        desk.open(None)
        return
    for view in desk.chats():
        called = ("", _plain(desk.names.title(view)).casefold())
        if view.of_node and _plain(argument).casefold() in called:
            desk.open(view.chat)
            return
    try:
        desk.open(find(desk, argument).chat)
    except Mistake:
        if (group := named(desk, argument.removeprefix(GROUP_MARK))) is None:
            raise
        desk.open(group.chat)


@slash("support", "", "write to the operator of your node")
async def _support(desk: Desk, argument: str) -> None:
    if desk.client.support_chat is None:
        raise Mistake("This node has no support.")
    desk.open(desk.client.support_chat)
    if desk.state.voice.fingerprint:
        desk.note(f"What your node writes is signed with its key: {desk.state.voice.fingerprint}")


@slash("retry", "", "send again what could not be sent, and reconnect now")
async def _retry(desk: Desk, argument: str) -> None:
    desk.client.retry()
    desk.outbox.retry()


@slash("drop", "", "forget what could not be sent in this chat")
async def _drop(desk: Desk, argument: str) -> None:
    dropped = 0 if desk.current is None else desk.outbox.drop(desk.current)
    if not dropped:
        raise Mistake("There is nothing here that could not be sent.")
    desk.note(f"Dropped {dropped} message{'' if dropped == 1 else 's'}.")
