"""Who is in a secure chat, for whom it is sealed, and who comes and goes: members sign all of that."""

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.secure_standing import HERE
from safeum_home.client.secure.refused import Refused
from safeum_home.client.slash.group_lookup import sure
from safeum_home.client.slash.secure_lookup import others, unlocked, within
from safeum_home.client.slash.slash import Mistake
from safeum_home.client.state.chat_view import ChatView
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.unlocked.directory import KeysUnavailable
from safeum_home.client.words.secure_words import not_said, trust_words
from safeum_home.protocol.types import Contact

NO_MORE = "This is a chat of you two: nobody else comes into it. /secure group NAME, NAME makes one for more."


async def invite(desk: Desk, view: ChatView, contact: Contact) -> bool:
    """Vouch for a contact, and invite; whether the node has. Raises `Mistake`, `ClientError`."""
    conversation = within(desk, view)
    try:
        refused = await unlocked(desk).invite(conversation, [contact.account])
    except KeysUnavailable:
        raise Mistake(lacking(desk, [contact.account])) from None
    except Refused as error:
        raise Mistake(not_said(error.reason)) from None
    return not refused


def lacking(desk: Desk, accounts: list[str]) -> str:
    """Of whom there are no keys."""
    names = desk.secure.named(accounts)
    verb = "has" if len(accounts) == 1 else "have"
    return (
        f"Not invited: {names} {verb} no security key yet, or the node does not have it now. Nothing is"
        f" sealed for somebody without: it is there once {names} {verb} unlocked while the node runs."
    )


async def remove(desk: Desk, view: ChatView, account: str) -> None:
    """Seal nothing for somebody any more. Raises `Mistake`, `ClientError`."""
    await unlocked(desk).remove(within(desk, view), account)


async def leave(desk: Desk, view: ChatView) -> None:
    """Be in it no more: what was said there is not to be read any more. Raises `ClientError`."""
    conversation = desk.secure.of(view)
    if conversation is not None:
        await unlocked(desk).leave(conversation)
    elif await sure(desk, "It is locked, so nobody is given your word for it. Leave all the same?"):
        await desk.client.leave_group(view.chat)


def lines(desk: Desk, view: ChatView) -> list[tuple[str, str]]:
    """Who is in it or invited, by account, and how that stands, in words."""
    conversation = desk.secure.of(view)
    states = desk.state.groups.rosters.get(view.chat, {})
    shown = []
    for account in [desk.state.account, *sorted(others(desk, view), key=desk.names.name)]:
        known = states.get(account)
        node = None if known is None or known.state not in HERE else known.state
        shown.append((account, ", ".join(filter(None, _standing(desk, conversation, account, node)))))
    return shown


def _standing(desk: Desk, conversation: Conversation | None, account: str, node: str | None) -> list[str]:
    invited = "invited" if node == "invited" else ""
    if conversation is None:
        return [invited, "locked: /unlock"]
    if account == desk.state.account:
        return ["this is you"]
    vouched = conversation.peer == account or account in conversation.members
    if not vouched:
        return [invited, "nobody has vouched for that: reads nothing that is said"]
    gone = "not here any more, by the word of the node" if node is None else ""
    return [invited, gone, trust_words(unlocked(desk).people.get(account))]
