"""What a node has once it is open, for what operators ask."""

from safeum_home.errors import Code, Problem
from safeum_home.node.running import Domain
from safeum_home.node.service import Node
from safeum_home.ports import Database


def opened(node: Node) -> tuple[Domain, Database]:
    """Raises `sealed` while it is not."""
    if node.domain is None or node.database is None:
        raise Problem(Code.SEALED, f"the node is not open yet: it is {node.status}")
    return node.domain, node.database
