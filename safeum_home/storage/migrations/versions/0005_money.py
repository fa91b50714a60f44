"""Money: the ledger, wallets, rates, records of calls."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "ledger",
        _number("number", primary_key=True),
        sa.Column("key", sa.LargeBinary(16), nullable=False, unique=True),
        _number("month"),
        _sealed(),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_ledger_month", "ledger", ["month"])
    op.create_table("ledger_totals", _blind("name"), _sealed(), sqlite_with_rowid=False)
    op.create_table("wallets", _blind("account"), _sealed(), sqlite_with_rowid=False)
    op.create_table(
        "statements",
        _blind("account"),
        _number("number", primary_key=True),
        _number("month"),
        _sealed(),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_statements_month", "statements", ["month"])
    op.create_table(
        "holds",
        _blind("hold"),
        sa.Column("account", sa.LargeBinary(16), nullable=False),
        _sealed(),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_holds_account", "holds", ["account"])
    op.create_table("rate_tables", _number("version", primary_key=True), _sealed(), sqlite_with_rowid=False)
    op.create_table(
        "rates",
        _number("version", primary_key=True),
        _number("part", primary_key=True),
        _sealed(),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "cdrs",
        _number("month", primary_key=True),
        _number("number", primary_key=True),
        sa.Column("safenum", sa.LargeBinary(16), nullable=False),
        _sealed(),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_cdrs_safenum", "cdrs", ["safenum"])
    op.create_table("vouchers", _blind("voucher"), _sealed(), sqlite_with_rowid=False)


def _number(name: str, *, primary_key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=primary_key, nullable=False, autoincrement=False)


def _blind(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(16), primary_key=True, nullable=False)


def _sealed() -> sa.Column[bytes]:
    return sa.Column("sealed", sa.LargeBinary, nullable=False)
