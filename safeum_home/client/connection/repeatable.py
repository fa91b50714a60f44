"""What is written again where a connection was lost before it was answered."""

from safeum_home.protocol import commands
from safeum_home.protocol.commands import Params
from safeum_home.protocol.commands.calls import (
    CallAlive,
    CallAnswer,
    CallDecline,
    CallHangup,
    CallInvite,
    CallRinging,
    TurnCredentials,
)
from safeum_home.protocol.commands.push import PushGet, PushProviders, PushRemove, PushSet
from safeum_home.protocol.commands.telephone import (
    TelephoneAnswer,
    TelephoneDecline,
    TelephoneDial,
    TelephoneForget,
    TelephoneHangup,
    TelephoneList,
    TelephoneMissedList,
)

REPEATABLE: frozenset[type[Params]] = frozenset(
    {
        commands.ChatSend,
        commands.ChatRead,
        commands.ChatHistory,
        commands.ListChats,
        commands.SyncStart,
        commands.ListContacts,
        commands.ListDevices,
        commands.PolicyAccept,
        commands.PolicyGet,
        commands.ProfileGet,
        commands.ProfileSet,
        commands.AvatarSet,
        commands.AvatarRemove,
        commands.AvatarGet,
        commands.AccountPrivacy,
        commands.PresenceGet,
        commands.SessionAck,
        commands.FileUpload,
        commands.FileDownload,
        commands.FileQuota,
        commands.MessageEdit,
        commands.MessageDelete,
        commands.MessageReact,
        commands.MessageReactions,
        commands.ChatPin,
        commands.ChatUnpin,
        commands.ListPinned,
        commands.ChatSettingsSet,
        commands.KeysQuery,
        CallInvite,
        CallRinging,
        CallAnswer,
        CallDecline,
        CallHangup,
        CallAlive,
        TurnCredentials,
        TelephoneDial,
        TelephoneAnswer,
        TelephoneDecline,
        TelephoneHangup,
        TelephoneList,
        TelephoneMissedList,
        TelephoneForget,
        PushProviders,
        PushSet,
        PushRemove,
        PushGet,
    }
)
"""Commands for which twice is the same as once."""
