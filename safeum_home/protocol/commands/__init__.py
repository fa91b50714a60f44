"""What a client may ask: one struct of parameters and one of results for each JSON-RPC method.

`COMMANDS` is the whole contract: the decoder, the session machine, the routes and the generated
documents are all read from it.
"""

from safeum_home.protocol.command import COMMANDS, Command, Done, Params, Phase, Result
from safeum_home.protocol.commands.accounts import (
    AccountPassword,
    AccountRegister,
    DeviceList,
    DeviceRevoke,
    ListDevices,
    Opened,
    SessionAck,
    SessionLogin,
    SessionLogout,
    SessionResume,
)
from safeum_home.protocol.commands.chats import (
    ChatHistory,
    ChatList,
    ChatRead,
    ChatSend,
    ChatTyping,
    History,
    ListChats,
    Sent,
)
from safeum_home.protocol.commands.contacts import (
    ContactAccept,
    ContactBlock,
    ContactDecline,
    ContactFind,
    ContactFound,
    ContactList,
    ContactRemove,
    ContactRequest,
    ContactUnblock,
    ListContacts,
    ProfileGet,
    ProfileResult,
    ProfileSet,
)
from safeum_home.protocol.commands.policy import PolicyAccept, PolicyGet, PolicyText

__all__ = [
    "COMMANDS",
    "AccountPassword",
    "AccountRegister",
    "ChatHistory",
    "ChatList",
    "ChatRead",
    "ChatSend",
    "ChatTyping",
    "Command",
    "ContactAccept",
    "ContactBlock",
    "ContactDecline",
    "ContactFind",
    "ContactFound",
    "ContactList",
    "ContactRemove",
    "ContactRequest",
    "ContactUnblock",
    "DeviceList",
    "DeviceRevoke",
    "Done",
    "History",
    "ListChats",
    "ListContacts",
    "ListDevices",
    "Opened",
    "Params",
    "Phase",
    "PolicyAccept",
    "PolicyGet",
    "PolicyText",
    "ProfileGet",
    "ProfileResult",
    "ProfileSet",
    "Result",
    "Sent",
    "SessionAck",
    "SessionLogin",
    "SessionLogout",
    "SessionResume",
]
