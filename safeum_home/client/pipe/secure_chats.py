"""What `safeum pipe` does about secure chats as such: beginning them, and who is in them."""

from msgspec import Struct

from safeum_home.client.pipe.command import ChatCommand, SecureCommand
from safeum_home.client.secure.people import Trust
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.unlocked.secure_chats import SecureChats
from safeum_home.protocol.commands import Done, Params, Result


class Start(SecureCommand, frozen=True):
    """`client.secure.start`: begin a secure chat with contacts; with one of them it is a chat of two."""

    accounts: list[str]
    group: bool = False

    async def run(self, secure: SecureChats) -> Result:
        return Chat((await secure.start(self.accounts, group=self.group)).id)


class Accept(SecureCommand, frozen=True):
    """`client.secure.accept`: join one that the account is invited into."""

    chat: str

    async def run(self, secure: SecureChats) -> Result:
        return Chat((await secure.accept(self.chat)).id)


class Chat(Result, frozen=True):
    """Which chat it is."""

    chat: str


class Invite(ChatCommand, frozen=True):
    """`client.secure.invite`: vouch for contacts, and invite them."""

    accounts: list[str]

    async def within(self, conversation: Conversation, secure: SecureChats) -> Result:
        return Invited(list(await secure.invite(conversation, self.accounts)))


class Invited(Result, frozen=True):
    """All but those whom the node has not invited."""

    refused: list[str]


class Remove(ChatCommand, frozen=True):
    """`client.secure.remove`: seal nothing for a member any more, and have the node remove it."""

    account: str

    async def within(self, conversation: Conversation, secure: SecureChats) -> Result:
        await secure.remove(conversation, self.account)
        return Done()


class Leave(ChatCommand, frozen=True):
    """`client.secure.leave`: be in it no more."""

    async def within(self, conversation: Conversation, secure: SecureChats) -> Result:
        await secure.leave(conversation)
        return Done()


class Members(ChatCommand, frozen=True):
    """`client.secure.members`: by whom what is said can be read, as members have vouched."""

    async def within(self, conversation: Conversation, secure: SecureChats) -> Result:
        peer = conversation.peer
        accounts = conversation.members if peer is None else {secure.own.account, peer}
        return MemberList([Member(account, secure.trust(account)) for account in sorted(accounts)])


class Member(Struct, frozen=True):
    """`trust` says how well its keys are known; of the account itself it says nothing."""

    account: str
    trust: Trust


class MemberList(Result, frozen=True):
    """In the order of their accounts."""

    members: list[Member]


CHATS: dict[str, type[Params]] = {
    "client.secure.start": Start,
    "client.secure.accept": Accept,
    "client.secure.invite": Invite,
    "client.secure.remove": Remove,
    "client.secure.leave": Leave,
    "client.secure.members": Members,
}
