"""The mark that something was erased: until the keyring has turned, old copies of it can still be opened."""

from sqlalchemy import Connection, insert, select, update

from safeum_home.storage.schema import node

_IS_MARK = node.c.name == "erased"


def mark_erased(c: Connection, epoch: int) -> None:
    """What was erased had been wrapped under `epoch`: the keyring has to get beyond it."""
    erased = c.execute(select(node.c.value).where(_IS_MARK)).scalar_one_or_none()
    if erased is None:
        c.execute(insert(node), {"name": "erased", "value": epoch})
    elif epoch > erased:
        c.execute(update(node).where(_IS_MARK).values(value=epoch))
