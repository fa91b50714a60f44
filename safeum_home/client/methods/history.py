"""Switching the history of chats as typed methods, for the Twisted client and the asyncio client alike."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable
from typing import TypeVar

from safeum_home.protocol import commands as c

R = TypeVar("R", bound=c.Result)


class HistoryMethods(ABC):
    """Whether a chat's messages are kept. How it is now is in `state.chat(...).history`."""

    @abstractmethod
    def _ask(self, params: c.Params, result: type[R]) -> Awaitable[R]:
        """Give a command of an open session."""

    def set_history(self, chat: str, enabled: bool) -> Awaitable[c.HistorySet]:
        """Keep the messages of a chat from now on, or disable that: then all there are are erased, for all.

        Disabling is answered when no copy of the node's disk opens them any more, which takes some seconds;
        the answer has the node's receipt. It can be asked again after an error: it is done once.

        Where somebody in the chat is of another node, that is asked to erase its copy as well. Until it has
        signed that it has, it is among `state.chat(...).pending`; its receipt is in `confirmed` of
        `history_receipt`. To disable it again meanwhile asks that node again.
        """
        return self._ask(c.ChatHistorySet(chat, enabled), c.HistorySet)

    def history_receipt(self, chat: str) -> Awaitable[c.HistoryReceipt]:
        """The node's receipt for what was erased last in a chat; `nothing_erased` where nothing was."""
        return self._ask(c.ChatHistoryReceipt(chat), c.HistoryReceipt)
