"""What tables are made of, as long as migrations need it to be so."""

from typing import Any

import sqlalchemy as sa
from alembic import op


def table(name: str, *items: Any) -> None:
    op.create_table(name, *items, sqlite_with_rowid=False)


def blind(name: str, primary_key: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(16), primary_key=primary_key, nullable=False)


def number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def sealed(name: str = "sealed") -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False)
