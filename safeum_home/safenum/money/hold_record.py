"""What is stored of a call that goes on, so that it can be settled should nobody be left who knows of it."""

import msgspec
from msgspec import Struct

from safeum_home.ids import AccountId
from safeum_home.ports import Blinder
from safeum_home.ports.money import Direction
from safeum_home.safenum.money.rating import Rate
from safeum_home.safenum.money.wallets import OpenWallet
from safeum_home.storage.wallets import HoldRow

OPEN_CALLS = "calls that went on"
"""What rows are called where some are damaged."""
_PLACE = b"hold"
_encoder = msgspec.msgpack.Encoder()


class HoldRecord(Struct, frozen=True, omit_defaults=True):
    """A call: what it is, how long it is known to go on, and `held`, which pays for `seconds` of it.

    `run` is that of the node's process; `nonce` tells it from all other calls. Without `rate` it is one that
    has come in, and costs nothing. There were so many `holds`.
    """

    run: str
    nonce: str
    direction: Direction
    caller: str
    called: str
    trunk: str
    reference: str
    began: int
    seen: int
    answered: int = 0
    rate: Rate | None = None
    country: str = ""
    vat_rate: int = 0
    held: int = 0
    seconds: int = 0
    holds: int = 0


def index_of(blinder: Blinder, account: AccountId, call: str) -> bytes:
    """What finds the row of a call."""
    return blinder.money("open", f"{account}\0{call}")


def sealed(wallet: OpenWallet, index: bytes, hold: HoldRecord) -> HoldRow:
    return HoldRow(index, wallet.account, wallet.key.seal(_encoder.encode(hold), _PLACE + index))


def opened(wallet: OpenWallet, row: HoldRow) -> HoldRecord:
    """Raises `Tampered`."""
    return msgspec.msgpack.decode(wallet.key.open(row.sealed, _PLACE + row.hold), type=HoldRecord)
