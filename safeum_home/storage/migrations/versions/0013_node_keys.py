"""What other nodes published of their keys, for a start while they are away."""

from safeum_home.storage.migrations.tables import blind, sealed, table

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    table("node_keys", blind("peer", primary_key=True), sealed())
