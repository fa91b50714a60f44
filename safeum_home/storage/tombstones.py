"""Rows that only say that something is over: kept for devices that were away, and no more than so many."""

from sqlalchemy import ColumnElement, Delete, Table, bindparam, delete, select


def all_but_newest(table: Table, over: ColumnElement[bool]) -> Delete:
    """Deletes the rows of `table` that `over` picks, but for the last `keep` (a parameter) of them."""
    oldest_but_kept = (
        select(table.c.position)
        .where(over)
        .order_by(table.c.position.desc())
        .limit(1)
        .offset(bindparam("keep"))
        .scalar_subquery()
    )
    return delete(table).where(over, table.c.position <= oldest_but_kept)
