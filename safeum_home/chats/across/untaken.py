"""Messages without history that another node has not taken yet: they live here until it has."""

from collections.abc import Sequence

from sqlalchemy import Connection

from safeum_home.chats.across.groups import notes as group_notes
from safeum_home.chats.across.telling import pointer
from safeum_home.chats.opening import ChatOpener
from safeum_home.errors import Tampered
from safeum_home.ports import Blinder
from safeum_home.ports.federation import Peers
from safeum_home.protocol.federation import group_posts
from safeum_home.protocol.federation.chats import DELETION, MESSAGE, REACTION
from safeum_home.storage import group_nodes, reactions, roster


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
        if opened is None:
            return self._in_group(c, chat, positions)
        nodes = self._opener.other_nodes(opened.members)
        if not nodes:
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

    def _in_group(self, c: Connection, chat: bytes, positions: Sequence[int]) -> set[int]:
        """The same in a group that this node orders; in a copy of another one's none is told by this node."""
        lives = group_nodes.lives(c, chat)
        if not lives:
            return set()
        contents = self._opener.group(c, chat)
        if contents is None:
            return set()
        members = self._opener.in_roster(contents, roster.member_entries(c, chat))
        by_node = [(node, lives.get(self._blinder.node(node))) for node in self._opener.other_nodes(members)]
        reacted = [one for one in reactions.reactors(c, chat, min(positions)) if one[0] in set(positions)]
        waiting = set()
        for node, life in by_node:
            if life is None:
                continue
            asked = {
                (kind, group_notes.pointer(chat, position, life)): position
                for position in positions
                for kind in (group_posts.MESSAGE, group_posts.CHANGE)
            }
            for position, account in reacted:
                place = group_notes.pointer(chat, position, life) + account
                asked[group_posts.REACTION, place] = position
            waiting |= {asked[row] for row in self._peers.to_be_told(c, node, list(asked))}
        return waiting
