"""Where a device is woken, as its row keeps it: sealed under its account's key, for this device alone."""

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from safeum_home.errors import Tampered
from safeum_home.ids import DeviceId
from safeum_home.ports import Key, Owner, Owners
from safeum_home.ports.push import PushAddress
from safeum_home.storage.rows import PushRow

WHAT = "registrations of devices with push providers"
_CONTEXT = b"push"


class PushRecord(Struct, frozen=True, repr_omit_defaults=True):
    """`provider` is its name in the configuration. What is secret is in `address`, whose `repr` is empty."""

    device: DeviceId
    provider: str
    address: PushAddress


_encoder = msgspec.msgpack.Encoder()
# The names of texts are no types to msgspec: it checks that they are texts.
_decoder = msgspec.msgpack.Decoder(PushRecord)


def seal(key: Key, record: PushRecord, device: bytes) -> bytes:
    """For the row of `device`, a blind index."""
    return key.seal(_encoder.encode(record), _CONTEXT + device)


def open_row(c: Connection, owners: Owners, row: PushRow) -> tuple[Owner, PushRecord]:
    """Whose a row is, and what it holds, on any connection; raises `Tampered`."""
    if (owner := owners.behind(c, row.account)) is None:
        raise Tampered
    return owner, unseal(owner.key, row)


def unseal(key: Key, row: PushRow) -> PushRecord:
    """Raises `Tampered`."""
    try:
        return _decoder.decode(key.open(row.sealed, _CONTEXT + row.device))
    except ValueError:
        raise Tampered from None
