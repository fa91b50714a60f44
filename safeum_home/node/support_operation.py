"""Support, as the operator's staff asks for it over the socket."""

from collections.abc import Callable

from twisted.logger import Logger

from safeum_home.admin.commands import Handler
from safeum_home.admin.support_wire import (
    SupportClosed,
    SupportCloseParams,
    SupportConversation,
    SupportList,
    SupportListParams,
    SupportMessage,
    SupportPage,
    SupportReadParams,
    SupportReplied,
    SupportReplyParams,
)
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.node.control_names import alias_of
from safeum_home.node.domain import Domain
from safeum_home.protocol.types import Message, Text

_log = Logger()
SHORT = 512
"""Characters of a message in the list of conversations: a page of them has to fit a line."""


def _shown(message: Message, account: str, most: int | None = None) -> SupportMessage:
    text = message.body.text if isinstance(message.body, Text) else ""
    return SupportMessage(message.id, message.at, message.sender != account, text[:most])


async def _whose(domain: Domain, whom: str) -> AccountId:
    """The account of an id, a login or an address; raises `not_found`."""
    if whom.startswith("@"):
        return AccountId(whom)
    try:
        found = await domain.directory.by_username(alias_of(whom))
    except Problem:
        found = None
    if found is None:
        raise Problem(Code.NOT_FOUND, "there is no account of this login")
    return found.account


async def _login(domain: Domain, account: AccountId) -> str:
    known = await domain.directory.known(account)
    return "" if known is None else known.username


def support_handlers(open_domain: Callable[[], Domain | None]) -> dict[str, Handler]:
    """`support.*`; all raise `sealed` while there is no domain."""

    def domain() -> Domain:
        if (node := open_domain()) is None:
            raise Problem(Code.SEALED, "the node is not open yet")
        return node

    async def listed(params: SupportListParams) -> SupportList:
        node = domain()
        found, before = await node.support.conversations(params.before, params.limit)
        conversations = [
            SupportConversation(
                each.account,
                await _login(node, each.account),
                _shown(each.last, each.account, SHORT),
                each.waiting_since,
            )
            for each in found
        ]
        return SupportList(conversations, before)

    async def read(params: SupportReadParams) -> SupportPage:
        node = domain()
        account = await _whose(node, params.account)
        page = await node.support.read(account, params.before, params.limit)
        messages = [_shown(message, account) for message in page.messages]
        return SupportPage(account, await _login(node, account), messages, page.before)

    async def reply(params: SupportReplyParams) -> SupportReplied:
        node = domain()
        waits = await node.support.reply(await _whose(node, params.account), params.text)
        _log.info("A message to support was answered.")
        return SupportReplied(waits)

    async def close(params: SupportCloseParams) -> SupportClosed:
        node = domain()
        return SupportClosed(await node.support.close(await _whose(node, params.account)))

    return {
        "support.list": Handler(SupportListParams, listed),
        "support.read": Handler(SupportReadParams, read),
        "support.reply": Handler(SupportReplyParams, reply),
        "support.close": Handler(SupportCloseParams, close),
    }
