"""The terminal client's commands about the history of a chat, and the receipt for what was erased."""

from pathlib import Path
from shlex import quote

import msgspec

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.standing import NOT_KNOWN
from safeum_home.client.slash.slash import Mistake, opened, slash
from safeum_home.client.state.chat_view import UNKNOWN, ChatView
from safeum_home.client.words.peer_receipts import about_peer, not_confirmed
from safeum_home.client.words.receipts import about
from safeum_home.client.words.text import safe
from safeum_home.protocol.erasure import Erasure
from safeum_home.protocol.federation.events import Event
from safeum_home.protocol.federation.keys import KEY_PATH

WARNING = (
    "This erases all messages of this chat, for everybody in it, on the node and on all devices. Nobody can"
    " bring anything back. From then on messages are kept only until they are delivered. An empty line"
    " leaves everything as it is."
)


@slash(
    "history",
    "[on|off]",
    "load older messages; off: erase all, for all, and keep none",
    lambda _: ["off", "on"],
)
async def _history(desk: Desk, argument: str) -> None:
    view = opened(desk)
    if argument == "off":
        await _off(desk, view)
    elif argument == "on":
        await desk.client.set_history(view.chat, True)
        desk.note("Messages of this chat are kept from now on.")
    elif argument:
        raise Mistake("/history, /history off or /history on")
    elif not view.more:
        raise Mistake("There are no older messages.")
    else:
        await desk.pages.older(view)


async def _off(desk: Desk, view: ChatView) -> None:
    if not view.history and view.pending:
        await desk.client.set_history(view.chat, False)
        desk.note(f"Asked again: {not_confirmed(view.pending)}.")
        return
    if not view.history:
        raise Mistake("The history of this chat is off already. /receipt FILE saves the node's receipt.")
    if view.of_node:
        raise Mistake("This is where your node writes to you: its history stays on.")
    if view.kind == UNKNOWN:
        raise Mistake(f"Nothing was erased: {NOT_KNOWN}.")
    if view.kind == "group" and view.role != "owner":
        raise Mistake("In a group only its owner switches the history off.")
    desk.note(WARNING)
    while (line := (await desk.questions.ask("Erase everything? yes/no")).strip().casefold()) != "yes":
        if line in ("", "n", "no"):
            raise Mistake("Nothing was erased.")
        desk.note("Write the whole word, yes or no.")
    desk.note("Erasing, which takes some seconds.")
    await desk.client.set_history(view.chat, False)
    desk.tell(
        "Everything in this chat was erased, for all. /receipt FILE saves the node's receipt.", "", view.chat
    )


@slash("receipt", "FILE", "save the node's receipt that the history of this chat was erased")
async def _receipt(desk: Desk, argument: str) -> None:
    view = opened(desk)
    if not argument:
        raise Mistake("To which file? /receipt FILE")
    given = await desk.client.history_receipt(view.chat)
    receipt = given.receipt
    path = _save(argument, receipt)
    # The key of the login, not the one that the receipt names: whoever made it up would name his own.
    key = desk.state.voice.fingerprint or "FINGERPRINT"
    desk.note(f"{about(receipt)} Saved. This checks it, under your node's key:")
    desk.note(f'safeum verify-receipt {safe(quote(str(path)))} --key "{key}"')
    for event in given.confirmed:
        node = event.node.replace(":", "_")
        path = _save(f"{argument}.{node}", event)
        desk.note(
            f"{about_peer(event)} Saved. This checks it, with what https://{event.node}{KEY_PATH} answers:"
        )
        desk.note(f"safeum verify-receipt {safe(quote(str(path)))} --key {node}.keys.json")
    if given.pending:
        desk.note(f"{not_confirmed(given.pending).capitalize()}.")


def _save(name: str, receipt: Erasure | Event) -> Path:
    path = Path(name).expanduser()
    try:
        with path.open("xb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(receipt)) + b"\n")
    except FileExistsError:
        raise Mistake(f"{safe(path.name)} is there already.") from None
    except OSError as error:
        raise Mistake(f"{safe(path.name)} cannot be written: {error.strerror}.") from None
    return path
