"""Closing an account: what goes at once, and what is swept away behind it.

One transaction drops the account, its keys and those of its chats, and leaves tombstones. From then on
nothing of it is found; once the keyring's epoch was turned, nothing of it can be opened. Its messages may
be many: `sweep` deletes their rows in small transactions, and goes on where it was, also after a crash.
"""

from sqlalchemy import BindParameter, Connection, LargeBinary, bindparam, delete, insert, select, update

from safeum_home.storage import files
from safeum_home.storage.many import Many
from safeum_home.storage.schema import (
    accounts,
    aliases,
    avatars,
    changes,
    chats,
    claims,
    contacts,
    dedupe,
    devices,
    endings,
    erasing,
    events,
    group_links,
    keys,
    members,
    node,
    profiles,
    reactions,
    roster,
    settings,
    support,
    tombstones,
)

_MARK = "erased"
_IS_MARK = node.c.name == _MARK
_owner: BindParameter[bytes] = bindparam("owner", type_=LargeBinary)

_GROUP = 4
"""`ChatKind.GROUP`: a group goes on without who was closed."""
_CHATS = (
    select(members.c.chat)
    .join(chats, chats.c.chat == members.c.chat)
    .where(members.c.account == _owner, chats.c.kind != _GROUP)
)
_OWN_ROWS = (
    delete(claims).where(claims.c.account == _owner),
    delete(avatars).where(avatars.c.account == _owner),
    delete(aliases).where(aliases.c.account == _owner),
    delete(devices).where(devices.c.account == _owner),
    delete(profiles).where(profiles.c.account == _owner),
    delete(contacts).where(contacts.c.owner == _owner),
    delete(settings).where(settings.c.account == _owner),
    delete(endings).where(endings.c.account == _owner),
    delete(accounts).where(accounts.c.account == _owner),
)
_ENTOMB = tombstones.insert().from_select(
    ["alias"], select(aliases.c.alias).where(aliases.c.account == _owner)
)
# A chat may be erased already, with its other member, and not yet be swept away.
_ERASE = Many("INSERT INTO erasing (owner) {rows} ON CONFLICT DO NOTHING", ("bytea",))
_ERASING = select(erasing.c.owner)
_DROP = (
    delete(group_links).where(group_links.c.chat.in_(_ERASING)),
    delete(roster).where(roster.c.chat.in_(_ERASING)),
    delete(keys).where(keys.c.owner.in_(_ERASING)),
    delete(chats).where(chats.c.chat.in_(_ERASING)),
    delete(members).where(members.c.chat.in_(_ERASING)),
    delete(support).where(support.c.chat.in_(_ERASING)),
    delete(settings).where(settings.c.chat.in_(_ERASING)),
)
_POSITIONS = select(events.c.position).where(events.c.chat == _owner).order_by(events.c.position)
_OF_MESSAGES = (
    (events, events.c.position),
    (changes, changes.c.target),
    (reactions, reactions.c.target),
)
_SWEPT = (
    # What was on its way to the writer when the account was closed came behind it.
    *_OWN_ROWS,
    delete(members).where((members.c.chat == _owner) | (members.c.account == _owner)),
    delete(chats).where(chats.c.chat == _owner),
    delete(support).where(support.c.chat == _owner),
    delete(settings).where(settings.c.chat == _owner),
    delete(changes).where(changes.c.chat == _owner),
    delete(reactions).where(reactions.c.chat == _owner),
    delete(group_links).where(group_links.c.chat == _owner),
    delete(roster).where(roster.c.chat == _owner),
    delete(keys).where(keys.c.owner == _owner),
    delete(erasing).where(erasing.c.owner == _owner),
)


def chats_of(c: Connection, account: bytes) -> set[bytes]:
    """The chats that an account takes part in."""
    return {row.chat for row in c.execute(_CHATS, {"owner": account})}


def erase_account(c: Connection, account: bytes, epoch: int, keep_name: bool = True) -> None:
    """Drop an account and all chats that it takes part in; their messages are left to `sweep`.

    With `keep_name` its aliases are taken for ever; else they are free for others.
    `epoch` is the keyring's present one: the last under which any of these keys can have been wrapped.
    """
    _ERASE.change(c, [(owner,) for owner in (account, *sorted(chats_of(c, account)))])
    if keep_name:
        c.execute(_ENTOMB, {"owner": account})
    files.drop_account(c, account)
    for statement in _OWN_ROWS:
        c.execute(statement, {"owner": account})
    # In groups its place is taken away at once; what else that means is left to `chats.group_departures`.
    c.execute(delete(members).where(members.c.account == _owner), {"owner": account})
    _drop(c, epoch)


def erase_chat(c: Connection, chat: bytes, epoch: int) -> None:
    """Drop a chat, for all its members; its messages are left to `sweep`. `epoch` as above."""
    _ERASE.change(c, [(chat,)])
    _drop(c, epoch)


def is_erased(c: Connection, owner: bytes) -> bool:
    """Whether a chat, or an account, was erased and is not swept away yet."""
    return c.execute(_ERASING.where(erasing.c.owner == owner)).first() is not None


def _drop(c: Connection, epoch: int) -> None:
    for statement in _DROP:
        c.execute(statement)
    if (erased := erased_epoch(c)) is None:
        c.execute(insert(node), {"name": _MARK, "value": epoch})
    else:
        c.execute(update(node).where(_IS_MARK).values(value=max(epoch, erased)))


def erased_epoch(c: Connection) -> int | None:
    """The last epoch under which something was erased: the keyring has to be beyond it. None before that."""
    return c.execute(select(node.c.value).where(_IS_MARK)).scalar_one_or_none()


def sweep(c: Connection, limit: int) -> bool:
    """Delete up to `limit` messages of what is erased, or the rest of it; False where nothing is left."""
    owner = c.execute(_ERASING.order_by(erasing.c.owner).limit(1)).scalar_one_or_none()
    if owner is None:
        return False
    positions = list(c.execute(_POSITIONS.limit(limit), {"owner": owner}).scalars())
    if positions:
        c.execute(delete(dedupe).where(dedupe.c.position.in_(positions)))
        for table, place in _OF_MESSAGES:
            c.execute(delete(table).where(table.c.chat == owner, place <= positions[-1]))
        files.drop_upto(c, owner, positions[-1])
        return True
    files.drop_chat(c, owner)
    files.drop_account(c, owner)
    for statement in _SWEPT:
        c.execute(statement, {"owner": owner})
    return True
