"""The command of the terminal client that begins secure chats, and finds them."""

from safeum_home.client.desk import secure_standing
from safeum_home.client.desk.desk import Desk
from safeum_home.client.errors import RemoteProblem
from safeum_home.client.slash.chat_lookup import secure_chats
from safeum_home.client.slash.secure_lookup import others, pair_with, unlocked
from safeum_home.client.slash.secure_members import lacking
from safeum_home.client.slash.slash import Mistake, find, people, slash
from safeum_home.client.state.chat_view import ChatView
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.unlocked.directory import KeysUnavailable
from safeum_home.client.words.names import bare
from safeum_home.client.words.secure_words import COMPARE
from safeum_home.client.words.typed_numbers import chosen
from safeum_home.errors import Code
from safeum_home.protocol.types import Contact, ContactState

_GROUP = "group"
_NO_CONTACT = "{} is not a contact of yours: /add asks them."


def _choices(desk: Desk) -> list[str]:
    return [*people(ContactState.ACCEPTED)(desk), _GROUP]


@slash("secure", "[NAME]", "what only you two can read; group NAME, NAME: for more; alone: a list", _choices)
async def _secure(desk: Desk, argument: str) -> None:
    word, _, names = argument.partition(" ")
    if not argument:
        _list(desk)
    elif word == _GROUP and names.strip():
        await _group(desk, names)
    elif word == _GROUP:
        raise Mistake("With whom? /secure group NAME, NAME")
    else:
        await _pair(desk, argument)


def _list(desk: Desk) -> None:
    views = secure_chats(desk)
    desk.listed = [view.chat for view in views]
    invited = sum(each.secure for each in desk.state.groups.invitations.values())
    if invited:
        desk.note(f"Invitations into secure chats: {invited}. /invitations lists them.")
    elif not views:
        desk.note("There is no secure chat yet: /secure NAME begins one.")
    for number, view in enumerate(views, 1):
        unread = f"  {count} unread" if (count := desk.unread(view)) else ""
        words = f"{desk.names.title(view)}  {secure_standing.words(desk, view)}"
        desk.note(f"{number:3}  {words}{unread}", about=view.chat)


async def _pair(desk: Desk, argument: str) -> None:
    if (chat := chosen(argument, desk.listed)) is not None:
        listed = [view for view in secure_chats(desk) if view.chat == chat]
        if listed:
            desk.open(listed[0].chat)
            return
    if (known := _called(desk, argument)) is not None:
        desk.open(known.chat)
        return
    contact = find(desk, argument, ContactState.ACCEPTED, otherwise=_NO_CONTACT)
    if (view := pair_with(desk, contact.account)) is not None:
        desk.open(view.chat)
        return
    conversation = await _started(desk, [contact], group=False)
    desk.open(conversation.id)
    called = desk.names.full(contact)
    advice = "" if secure_standing.is_verified(desk, contact.account) else f" {COMPARE}"
    desk.note(f"{called} is invited. What you say is sealed for you two.{advice}")


def _called(desk: Desk, name: str) -> ChatView | None:
    """The secure chat of two with somebody of this name, also where that is no contact any more."""
    wanted = bare(name).casefold()
    for view in secure_chats(desk):
        if view.pair and bare(desk.names.title(view)).casefold() == wanted:
            account = next(iter(others(desk, view)), "")
            return pair_with(desk, account)
    return None


async def _group(desk: Desk, names: str) -> None:
    named = [each.strip() for each in names.split(",") if each.strip()]
    found = {
        contact.account: contact
        for contact in (find(desk, each, ContactState.ACCEPTED, otherwise=_NO_CONTACT) for each in named)
    }
    conversation = await _started(desk, list(found.values()), group=True)
    desk.open(conversation.id)
    desk.note(
        f"{desk.secure.named(found)} can join now. /invite and /kick NAME, and /members says who reads."
    )


async def _started(desk: Desk, contacts: list[Contact], group: bool) -> Conversation:
    secure = unlocked(desk)
    try:
        conversation = await secure.start([each.account for each in contacts], group=group)
    except KeysUnavailable as error:
        raise Mistake(lacking(desk, list(error.accounts))) from None
    except RemoteProblem as error:
        if error.of(Code.PREMIUM_NEEDED):
            raise Mistake(
                "To begin a secure chat takes premium: /premium. To be invited into one takes nothing."
            ) from None
        raise
    desk.secure.forget()
    return conversation
