"""What happens at a desk when the node, or the connection to it, has something to say."""

from contextlib import suppress

from safeum_home.client import alerts
from safeum_home.client.desk import Desk
from safeum_home.client.errors import ClientError
from safeum_home.client.events import Heard, Link, LinkChanged
from safeum_home.client.filling import Loaded
from safeum_home.client.group_words import notice_text
from safeum_home.client.names import label
from safeum_home.client.text import safe
from safeum_home.protocol.events import ChatUpdated, ContactChanged, ProfileChanged
from safeum_home.protocol.types import (
    ChatInfo,
    Contact,
    ContactState,
    Message,
    Notice,
    NumberClaim,
    Profile,
    Text,
)
from safeum_home.spawn import spawn

FORGED = "⚠ Not from your node, though it says so: its signature is missing or wrong."
"""What is said of a message in the node's name that does not verify."""

HISTORY_OFF = (
    "The history is off: all that was here is erased, for all. Messages live until they are delivered."
)
HISTORY_ON = "The history is on: messages are kept from now on."


class Listening:
    """`client.listen(Listening(desk).heard)`, once the client's `state` was loaded."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._called: dict[str, str] = {}
        """The names that contacts had; what they have now is in the state already when it is told."""
        self._policy = desk.state.policy
        """The version that its reader was last told of."""
        self._begin()
        if desk.state.policy is None:
            spawn(self._agreed(), "asking for the policy's version")
        for contact in desk.wanted():
            self._wants(contact)

    async def _agreed(self) -> None:
        """Who was not asked for consent at the login has agreed to what is in force."""
        with suppress(ClientError):  # then /policy and /agree go by what the node says when they are used
            self._desk.agreed_policy = (await self._desk.client.policy()).version

    def _begin(self) -> None:
        self._desk.begin()
        contacts = self._desk.state.contacts.values()
        self._histories = {view.chat: (view.history, view.erased) for view in self._desk.state.chats}
        self._called = {contact.account: label(contact.display_name) for contact in contacts}

    def heard(self, event: Heard) -> None:
        """An event of the node, or `LinkChanged`."""
        self._desk.names.forget()
        if isinstance(event, LinkChanged):
            self._link(event)
        elif isinstance(event, Message):
            self._message(event)
        elif isinstance(event, ContactChanged):
            self._contact(event.contact)
        elif isinstance(event, ProfileChanged):
            self._profile(event.account, event.profile)
        elif isinstance(event, ChatUpdated):
            self._updated(event.chat)
        elif isinstance(event, Loaded):
            self._more()
        self._desk.refresh()

    def _more(self) -> None:
        """More contacts were loaded."""
        for contact in self._desk.state.contacts.values():
            if contact.account not in self._called:
                self._called[contact.account] = label(contact.display_name)
                if contact.state is ContactState.INCOMING:
                    self._wants(contact)

    def _link(self, event: LinkChanged) -> None:
        desk = self._desk
        desk.link, desk.link_at = event, desk.now()
        if event.untrusted:
            desk.untrusted = True
            desk.leave()
        if event.reset:
            self._begin()
            desk.open(desk.current if desk.chat is not None else None)
            desk.tell("The node has forgotten what came last. This is what it holds now.")
        if event.link is Link.ONLINE and desk.state.policy not in (None, self._policy):
            self._policy = desk.state.policy
            desk.tell("The policy of this node has changed: /policy shows it, /agree agrees to it.")
        if event.link is Link.CLOSED:
            desk.tell(
                f"The session is over: {safe(event.reason)} Nothing more will arrive; /quit leaves.", "error"
            )

    def _message(self, message: Message) -> None:
        desk = self._desk
        view = desk.state.chat(message.chat)
        if view is None or message.sender == desk.state.account:
            return
        if message.chat != desk.current:
            if desk.state.authentic(message) is False:
                desk.banner = FORGED
            elif not alerts.own(desk.device, message):
                desk.banner = f"{desk.names.title(view)}: {body_text(message)}"
        elif desk.mark is None and not desk.reading:
            desk.seen(view)

    def _contact(self, contact: Contact) -> None:
        desk = self._desk
        self._called[contact.account] = label(contact.display_name)
        name, login = desk.names.full(contact), desk.names.short(contact.address)
        if contact.state is ContactState.INCOMING:
            self._wants(contact)
        elif contact.state is ContactState.ACCEPTED:
            self._tell(f"You and {name} are contacts now: /chat {login}")
        elif contact.state is ContactState.CLOSED:
            self._desk.wipe(contact.chat)
            self._tell(f"{name} has closed the account. The chat is gone; /remove {login} removes the entry.")
        elif contact.state is ContactState.REMOVED:
            self._tell(f"{name} is no longer your contact.")

    def _updated(self, chat: ChatInfo) -> None:
        """The chat is now this; what it was is in the state no more."""
        before = self._histories.get(chat.chat, (True, None))
        self._histories[chat.chat] = now = (chat.history, chat.erased)
        if before[1] != chat.erased:
            self._desk.forget(chat.chat)
        if before != now:
            self._desk.tell(HISTORY_ON if chat.history else HISTORY_OFF, "contact", chat.chat)

    def _wants(self, contact: Contact) -> None:
        name, login = self._desk.names.full(contact), self._desk.names.short(contact.address)
        self._tell(f"{name} asks to be your contact: /accept {login} or /decline {login}")

    def _tell(self, text: str) -> None:
        """With a name in it: so not where the node writes."""
        view = self._desk.chat
        if view is not None and view.of_node:
            self._desk.banner = text
        else:
            self._desk.tell(text, "contact")

    def _profile(self, account: str, profile: Profile) -> None:
        """Nobody becomes somebody else unseen."""
        contact = self._desk.state.contacts.get(account)
        if contact is None:
            return
        before, name = self._called.get(account, ""), label(profile.display_name)
        self._called[account] = name
        if name != before:
            login = self._desk.names.short(contact.address)
            now = f"is now called {name}" if name else "has no name any more"
            was = f" (before: {before})" if before else ""
            self._desk.tell(f"{login} {now}{was}.", "contact", contact.chat)


def body_text(message: Message) -> str:
    """A message as text that is safe to show; its line breaks are kept."""
    body = message.body
    if isinstance(body, Text):
        return safe(body.text, newlines=True)
    if isinstance(body, NumberClaim):
        return _claim_text(body)
    if isinstance(body, Notice):
        return notice_text(body, safe)
    return f"New login: {safe(body.name)} on {safe(body.system)}"


def _claim_text(body: NumberClaim) -> str:
    if body.state == "moved":
        return "Your number has gone to a new account. Log in with this account's id now: see /profile."
    return (
        "Somebody else has proved to hold your number, and asks for it. /keep keeps it,"
        " and so does logging in to this account."
    )
