"""What the parts of a node ask of each other, as types: nobody imports a sibling."""

from safeum_home.ports.closing import (
    EpochTurns,
    Forfeits,
    Forget,
)
from safeum_home.ports.connection import (
    ClientConnection,
    ConnectionHandler,
)
from safeum_home.ports.delivery import (
    WAKING,
    Bus,
    Published,
    Subscriber,
    Waking,
)
from safeum_home.ports.domain import (
    Announcer,
    Caller,
    Committed,
    Consent,
    Directory,
    Introduce,
    Introductions,
    Known,
    Missed,
    Owner,
    Owners,
    Receipts,
    SafeNumbers,
    Source,
    Staged,
)
from safeum_home.ports.keys import (
    Interlocutors,
)
from safeum_home.ports.presence import (
    Acquaintance,
    Acquaintances,
    Attendance,
    RelationWatch,
    TypingPrivacy,
)
from safeum_home.ports.sealing import (
    Blinder,
    Cursors,
    ElementKey,
    ElementKeys,
    Key,
    Keyring,
    NodeSigner,
    WrappedKey,
)
from safeum_home.ports.sms import (
    Accepted,
    Outcome,
    Permanent,
    SmsProvider,
    Temporary,
    TextMessages,
)
from safeum_home.ports.storage import (
    Bulk,
    Database,
)

__all__ = [
    "WAKING",
    "Accepted",
    "Acquaintance",
    "Acquaintances",
    "Announcer",
    "Attendance",
    "Blinder",
    "Bulk",
    "Bus",
    "Caller",
    "ClientConnection",
    "Committed",
    "ConnectionHandler",
    "Consent",
    "Cursors",
    "Database",
    "Directory",
    "ElementKey",
    "ElementKeys",
    "EpochTurns",
    "Forfeits",
    "Forget",
    "Interlocutors",
    "Introduce",
    "Introductions",
    "Key",
    "Keyring",
    "Known",
    "Missed",
    "NodeSigner",
    "Outcome",
    "Owner",
    "Owners",
    "Permanent",
    "Published",
    "Receipts",
    "RelationWatch",
    "SafeNumbers",
    "SmsProvider",
    "Source",
    "Staged",
    "Subscriber",
    "Temporary",
    "TextMessages",
    "TypingPrivacy",
    "Waking",
    "WrappedKey",
]
