"""What is forgotten of where a device is woken, once its provider says that a token is dead."""

from msgspec import structs
from sqlalchemy import Connection

from safeum_home.ports import Owners
from safeum_home.ports.push import PushAddress, Wake
from safeum_home.push.record import open_row, seal
from safeum_home.push.sleeper import Place
from safeum_home.storage import push


def is_for_calls(place: Place, wake: Wake) -> bool:
    """Whether a wake went to a token for calls alone."""
    return wake is Wake.CALL and place.call is not None


def forget_dead(c: Connection, owners: Owners, place: Place, wake: Wake) -> bool:
    """That a device is woken there, or called there; False where it is woken elsewhere by now.

    A token for calls that is dead says nothing of the other: from now on the device is called by that.
    Raises `Tampered`.
    """
    if not is_for_calls(place, wake):
        return push.delete_dead(c, place.device, place.blind)
    row = push.push_of(c, place.device)
    if row is None or row.call_address != place.call:
        return False
    owner, record = open_row(c, owners, row)
    address = PushAddress(record.address.token, None, record.address.key, record.address.secret)
    sealed = seal(owner.key, structs.replace(record, address=address), row.device)
    push.put_without_calls(c, row._replace(call_address=None, sealed=sealed))
    return True
