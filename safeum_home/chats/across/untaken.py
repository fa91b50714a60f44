"""Messages without history that another node has not taken yet: they live here until it has."""

from collections.abc import Sequence

from sqlalchemy import Connection

from safeum_home.chats.across.telling import pointer
from safeum_home.chats.opening import ChatOpener
from safeum_home.errors import Tampered
from safeum_home.ports import Blinder
from safeum_home.ports.federation import Peers
from safeum_home.protocol.federation.chats import DELETION, MESSAGE, REACTION


class Untaken:
    """Looks for them in what waits to be told."""

    def __init__(self, opener: ChatOpener, blinder: Blinder, peers: Peers) -> None:
        self._opener = opener
        self._blinder = blinder
        self._peers = peers

    def among(self, c: Connection, chat: bytes, positions: Sequence[int]) -> set[int]:
        """Those messages of a chat of which some node is still to be told, whatever became of them."""
        try:
            opened = self._opener.direct(c, chat)
        except Tampered:
            return set()
        nodes = () if opened is None else self._opener.other_nodes(opened.members)
        if opened is None or not nodes:
            return set()
        accounts = [self._blinder.account(member) for member in opened.members]
        asked = {
            (kind, pointer(chat, position, *account)): position
            for position in positions
            for kind, account in (
                (MESSAGE, ()),
                (DELETION, ()),
                *((REACTION, (account,)) for account in accounts),
            )
        }
        return {asked[row] for node in nodes for row in self._peers.to_be_told(c, node, list(asked))}
