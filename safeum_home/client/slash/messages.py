"""The commands of the terminal client that are about single messages, and about how a chat is kept.

Messages are named by their number from the end of the open chat: 1 is the last one.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import structs

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.mentions import mentioned
from safeum_home.client.desk.notices import Outgoing
from safeum_home.client.desk.waiting_posts import hub, noted
from safeum_home.client.errors import RemoteProblem
from safeum_home.client.methods.message import FOR_EVER
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.slash import secure_acts
from safeum_home.client.slash.chat_lookup import called, meant, notes
from safeum_home.client.slash.group_lookup import here, sure
from safeum_home.client.slash.secure_lookup import unlocked
from safeum_home.client.slash.slash import Mistake, connected, opened, slash
from safeum_home.client.state.chat_view import ChatView
from safeum_home.client.words.message_words import body_text, quoted
from safeum_home.client.words.secure_words import not_said
from safeum_home.client.words.text import safe, when
from safeum_home.client.words.typed_numbers import number_in
from safeum_home.errors import Code
from safeum_home.protocol.files import File
from safeum_home.protocol.message_types import MAX_DRAFT, Draft
from safeum_home.protocol.types import Body, Message, Text

HOURS = 3_600_000


def _meant(desk: Desk, argument: str, usage: str) -> Message | Outgoing:
    """The message that is meant."""
    number = argument.partition(" ")[0]
    place = number_in(number)
    found = None if place is None else desk.numbers.of(place)
    if found is None:
        raise Mistake(f"Which message? {usage}, where 1 is the last one here.")
    return found


def _message(desk: Desk, argument: str, usage: str) -> tuple[ChatView, Message, str]:
    """The open chat, the message that is meant, and what follows its number."""
    view = opened(desk)
    found = _meant(desk, argument, usage)
    if isinstance(found, Outgoing) and found.held:
        raise Mistake(f"That message waits for {hub(view)}: all that can be done to it is /delete.")
    if isinstance(found, Outgoing):
        later = found.ways if found.error else "wait until it is"
        raise Mistake(f"That message is not on the node: {later}.")
    return view, found, argument.partition(" ")[2].strip()


def _acting(desk: Desk, argument: str, usage: str) -> tuple[ChatView, Message, str]:
    """The same for what the node does to a message: it is not done later on, to what stands there then."""
    connected(desk, "nothing was done")
    return _message(desk, argument, usage)


@contextmanager
def _done_to(view: ChatView) -> Iterator[None]:
    """Something is done to a message that is on the screen, and perhaps nowhere else."""
    try:
        yield
    except RemoteProblem as error:
        if error.of(Code.MESSAGE_GONE) and not view.history:
            raise Mistake(
                "The history of this chat is off, and your node no longer keeps this message:"
                " nothing can be done to it."
            ) from None
        raise


def _needed(text: str, what: str) -> str:
    if not text:
        raise Mistake(f"{what} is missing.")
    return text


def _told(desk: Desk, lines: list[str], nobody: str, more: str | None) -> None:
    """A page of people."""
    for line in lines or [nobody]:
        desk.note(line)
    if more is not None:
        desk.note("… and more.")


@slash("reply", "N TEXT", "answer the message N from the end")
async def _reply(desk: Desk, argument: str) -> None:
    _, message, text = _message(desk, argument, "/reply N TEXT")
    desk.write(_needed(text, "The answer"), reply_to=message.id)


@slash("edit", "N TEXT", "change your own text or caption")
async def _edit(desk: Desk, argument: str) -> None:
    view, message, text = _acting(desk, argument, "/edit N TEXT")
    if view.secure:
        secure_acts.edit(desk, view, message, _needed(text, "The new text"))
        return
    named = mentioned(desk, view, text) if view.kind == "group" else None
    if isinstance(message.body, File) and not text:  # no caption at all
        body: Body = structs.replace(message.body, caption="")
    else:
        body = Text(_needed(text, "The new text"))
    with _done_to(view):
        noted(desk, view, await desk.client.edit_body(view.chat, message.id, body, named))


@slash("delete", "N", "delete a message for all")
async def _delete(desk: Desk, argument: str) -> None:
    connected(desk, "nothing was done")
    group, waits = opened(desk), _meant(desk, argument, "/delete N")
    if isinstance(waits, Outgoing) and waits.held:
        await desk.client.delete(group.chat, waits.client_id)
        return
    view, message, _ = _acting(desk, argument, "/delete N")
    if view.pair and message.sender != desk.state.account:
        raise Mistake(not_said(Reason.NOT_ITS_AUTHOR))
    moderates = view.kind == "group" and view.role != "member"
    if message.sender != desk.state.account and moderates:
        said = quoted(message.id, view, desk.names)
        if not await sure(desk, f"It is not yours. Delete for all: {said}?"):
            raise Mistake("Nothing was deleted.")
        connected(desk, "nothing was deleted")
    if view.secure and message.sender == desk.state.account:
        secure_acts.delete(desk, view, message)
        return
    with _done_to(view):
        noted(desk, view, await desk.client.delete(view.chat, message.id))


@slash("react", "N EMOJI", "react to a message; without an emoji, take it back")
async def _react(desk: Desk, argument: str) -> None:
    view, message, emoji = _acting(desk, argument, "/react N EMOJI")
    if view.secure:
        secure_acts.react(desk, view, message, emoji)
        return
    with _done_to(view):
        noted(desk, view, await desk.client.react(view.chat, message.id, emoji or None))


@slash("reactions", "N", "who has reacted to a message")
async def _reactions(desk: Desk, argument: str) -> None:
    view, message, _ = _acting(desk, argument, "/reactions N")
    if view.secure:
        _told(desk, secure_acts.reactions(desk, view, message), "Nobody has reacted to it.", None)
        return
    with _done_to(view):
        page = await desk.client.reactions(view.chat, message.id)
    lines = [f"{safe(each.emoji)}  {desk.names.name(each.account)}" for each in page.reactions]
    _told(desk, lines, "Nobody has reacted to it.", page.next)


@slash("readers", "N", "who in a group has read up to a message")
async def _readers(desk: Desk, argument: str) -> None:
    group = here(desk)
    _, message, _ = _acting(desk, argument, "/readers N")
    with _done_to(group):
        page = await desk.client.readers(group.chat, message.id)
    lines = [f"✓✓ {desk.names.name(account)}" for account in page.readers]
    _told(desk, lines, "Nobody has read it yet.", page.next)


@slash("pin-message", "N", "pin a message for all")
async def _pin(desk: Desk, argument: str) -> None:
    view, message, _ = _acting(desk, argument, "/pin-message N")
    with _done_to(view):
        noted(desk, view, await desk.client.pin(view.chat, message.id))


@slash("unpin-message", "N", "pin a message no longer")
async def _unpin(desk: Desk, argument: str) -> None:
    view, message, _ = _acting(desk, argument, "/unpin-message N")
    with _done_to(view):
        noted(desk, view, await desk.client.unpin(view.chat, message.id))


@slash("pinned", "", "what is pinned in this chat")
async def _pinned(desk: Desk, argument: str) -> None:
    view = opened(desk)
    connected(desk, "what is pinned is not known")
    page = await desk.client.pinned(view.chat)
    if not page.messages:
        desk.note("Nothing is pinned here.")
    shown = (desk.secure.shown(message) for message in page.messages)
    for message in (each for each in shown if each is not None):
        words = body_text(message, desk.names.name)
        desk.note(f"📌 {desk.names.name(message.sender)}: {words}", about=view.chat)


@slash("forward", "N NAME", "copy a message into another chat, or into your notes")
async def _forward(desk: Desk, argument: str) -> None:
    view, message, name = _acting(desk, argument, "/forward N NAME")
    chat = meant(desk, _needed(name, "To whom"))
    target = desk.state.chat(chat)
    if view.secure or (target is not None and target.secure):
        raise Mistake(secure_acts.FORWARD)
    with _done_to(view):
        sent = await desk.client.forward(chat, view.chat, message.id)
    if sent.waiting:
        desk.note(f"It is on its way to {called(desk, chat)}.")
        return
    words = "Copied into your notes." if chat == desk.client.notes else f"Forwarded to {called(desk, chat)}."
    desk.note(words)


@slash("notes", "", "open the chat with yourself")
async def _open_notes(desk: Desk, argument: str) -> None:
    desk.open(notes(desk))


@slash("mute", "[HOURS]", "give no notice of this chat: for some hours, or for good")
async def _mute(desk: Desk, argument: str) -> None:
    view = opened(desk)
    hours = number_in(argument) or 0
    if argument and not 0 < hours <= 24 * 365:
        raise Mistake("For how many hours? /mute 8, or /mute alone for good.")
    until = desk.now() + hours * HOURS if argument else FOR_EVER
    await desk.client.set_chat(view.chat, muted_until=until)
    end = f" until {when(until, desk.now())}" if argument else ""
    desk.note(f"Muted{end}. /unmute ends that.")


@slash("unmute", "", "give notice of this chat again")
async def _unmute(desk: Desk, argument: str) -> None:
    view = opened(desk)
    if not view.muted(desk.now()):
        raise Mistake("This chat is not muted.")
    await desk.client.set_chat(view.chat, muted_until=None)
    desk.note("Not muted any more.")


@slash("archive", "", "put this chat away until something new comes in")
async def _archive(desk: Desk, argument: str) -> None:
    view = opened(desk)
    await desk.client.set_chat(view.chat, archived=True)
    muted = view.muted(desk.now())
    desk.open(None)
    until = "for as long as it is muted, and then until" if muted else "until"
    desk.note(f"Put away {until} a new message comes. /archived lists what is.")


@slash("unarchive", "", "take this chat back into the list")
async def _unarchive(desk: Desk, argument: str) -> None:
    await desk.client.set_chat(opened(desk).chat, archived=False)


@slash("pin-chat", "", "let this chat stand above the others in the list")
async def _pin_chat(desk: Desk, argument: str) -> None:
    await desk.client.set_chat(opened(desk).chat, pinned=True)


@slash("unpin-chat", "", "let it stand where its newest message puts it")
async def _unpin_chat(desk: Desk, argument: str) -> None:
    await desk.client.set_chat(opened(desk).chat, pinned=False)


@slash("archived", "", "chats that were put away")
async def _archived(desk: Desk, argument: str) -> None:
    put_away = [view for view in desk.state.chats if view.archived(desk.now())]
    if not put_away:
        desk.note("Nothing is put away.")
    for view in put_away:
        unread = desk.unread(view)
        desk.note(desk.names.title(view) + (f"  {unread} unread" if unread else ""))


@slash("draft", "[TEXT]", "keep what you have begun to write here for all your devices; nothing: drop it")
async def _draft(desk: Desk, argument: str) -> None:
    if len(argument) > MAX_DRAFT:
        raise Mistake(f"That is too long for a draft: {MAX_DRAFT} characters are the most.")
    view = opened(desk)
    if view.secure:
        unlocked(desk)  # it is kept in the vault
    if argument and not view.history:
        raise Mistake("No history is kept here, and no drafts: what you begin to write stays on this device.")
    desk.drafts.own(view.chat, argument)
    try:
        await desk.client.set_chat(view.chat, draft=Draft(argument) if argument else None)
    except Refused as refused:
        raise Mistake(not_said(refused.reason)) from None
    desk.note("Kept." if argument else "No draft any more.")
