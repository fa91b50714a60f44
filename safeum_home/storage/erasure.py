"""Erasing accounts, chats and messages: what goes at once, and what is swept away behind it.

One transaction drops the keys, and with an account its rows and those of its chats. From then on
nothing of it is found; once the keyring's epoch was turned, nothing of it can be opened. For single
messages with keys of their own that is the keyring of such keys, else it is the other one. Messages may
be many: `sweep` deletes their rows in small transactions, and goes on where it was, also after a crash.

Tables that hold rows of messages are named in `OF_MESSAGES`, those of chats in `OF_CHATS`: a chat is erased
in all of them, and a message in the first.
"""

from collections.abc import Sequence

from sqlalchemy import BindParameter, Connection, LargeBinary, bindparam, delete, func, select, update

from safeum_home.storage import files
from safeum_home.storage import passed as names
from safeum_home.storage.backend import SWEPT
from safeum_home.storage.keys import FLEETING, LASTING, message_owner
from safeum_home.storage.many import Many
from safeum_home.storage.posts import forget as forget_posts
from safeum_home.storage.roster import MEMBER
from safeum_home.storage.schema import (
    accounts,
    agreements,
    aliases,
    avatars,
    calls,
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
    group_nodes,
    holds,
    key_log,
    keys,
    mailboxes,
    members,
    missed_calls,
    owed,
    passed,
    passed_on,
    payments,
    posts,
    profiles,
    pushes,
    reactions,
    roster,
    settings,
    spool,
    statements,
    support,
    tombstones,
    vaults,
    voicemails,
    wallets,
)

OF_MESSAGES = (
    events.c.position,
    spool.c.position,
    changes.c.target,
    reactions.c.target,
    passed_on.c.position,
    voicemails.c.position,
)
"""Where a table with a column `chat` has the position of the message that a row is of."""
OF_CHATS = (group_links, group_nodes, roster, chats, members, support, settings, posts, owed)
"""Tables with a column `chat`, whose rows stay when the past of a chat is erased, and go with the chat."""

ALL = 2**63 - 1
"""What is erased up to here is a chat or an account as a whole."""
_owner: BindParameter[bytes] = bindparam("owner", type_=LargeBinary)
_newer = key_log.alias("newer")
_NEWEST_KEYS = select(func.max(_newer.c.number)).where(_newer.c.account == _owner).scalar_subquery()

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
    delete(pushes).where(pushes.c.account == _owner),
    delete(calls).where(calls.c.account == _owner),
    delete(mailboxes).where(mailboxes.c.account == _owner),
    delete(wallets).where(wallets.c.account == _owner),
    delete(statements).where(statements.c.account == _owner),
    delete(holds).where(holds.c.account == _owner),
    delete(payments).where(payments.c.account == _owner),
    delete(vaults).where(vaults.c.account == _owner),
    delete(missed_calls).where(missed_calls.c.account == _owner),
    delete(profiles).where(profiles.c.account == _owner),
    delete(contacts).where(contacts.c.owner == _owner),
    delete(settings).where(settings.c.account == _owner),
    delete(key_log).where(
        key_log.c.account == _owner,
        # Its node alone says that an account of another one is closed: should it come back, it is known.
        select(accounts.c.account).where(accounts.c.account == _owner).exists()
        | (key_log.c.number < _NEWEST_KEYS),
    ),
    delete(endings).where(endings.c.account == _owner),
    delete(agreements).where(agreements.c.account == _owner),
    delete(accounts).where(accounts.c.account == _owner),
)
_ENTOMB = tombstones.insert().from_select(
    ["alias"], select(aliases.c.alias).where(aliases.c.account == _owner)
)
# A chat may be erased already, with its other member, and not yet be swept away.
_ERASE = Many(
    "INSERT INTO erasing (owner, upto) {rows} ON CONFLICT (owner) DO UPDATE SET upto ="
    " CASE WHEN excluded.upto > erasing.upto THEN excluded.upto ELSE erasing.upto END",
    ("bytea", "bigint"),
)
_WHOLE = select(erasing.c.owner).where(erasing.c.upto == ALL)
_DROP = (
    delete(keys).where(keys.c.owner.in_(_WHOLE)),
    delete(avatars).where(avatars.c.account.in_(_WHOLE)),
    *(delete(t).where(t.c.chat.in_(_WHOLE)) for t in OF_CHATS),
)
_SWEPT = (
    # What was on its way to the writer when the account was closed came behind it.
    *_OWN_ROWS,
    delete(members).where(members.c.account == _owner),
    *(delete(table).where(table.c.chat == _owner) for table in OF_CHATS),
    delete(keys).where(keys.c.owner == _owner),
)
# Who has not left all groups yet (`chats.groups.departures`) would be forgotten there for ever.
_TO_SWEEP = (
    select(erasing)
    .where(
        ~select(roster.c.account)
        .where(roster.c.account == erasing.c.owner, roster.c.state <= MEMBER)
        .exists()
    )
    .order_by(erasing.c.owner)
    .limit(1)
)
_MARK_GONE = update(dedupe).where(dedupe.c.position == bindparam("at")).values(mark=bindparam("as"))
_NO_LONGER = delete(erasing).where(erasing.c.owner == _owner)
_SEEN_FROM = update(members).where(members.c.chat == _owner)


def chats_of(c: Connection, account: bytes) -> set[bytes]:
    """The chats that an account takes part in."""
    return {row.chat for row in c.execute(_CHATS, {"owner": account})}


def erase_account(c: Connection, account: bytes, epoch: int, keep_name: bool = True) -> None:
    """Drop an account and all chats that it takes part in; their messages are left to `sweep`.

    With `keep_name` its aliases are taken for ever; else they are free for others.
    `epoch` is the keyring's present one: the last under which any of these keys can have been wrapped.
    """
    _ERASE.change(c, [(owner, ALL) for owner in (account, *sorted(chats_of(c, account)))])
    if keep_name:
        c.execute(_ENTOMB, {"owner": account})
    files.drop_account(c, account)
    forget_posts(c, posts.c.account == account)
    for statement in _OWN_ROWS:
        c.execute(statement, {"owner": account})
    # In groups its place is taken away at once; what else that means is left to `chats.groups.departures`.
    c.execute(delete(members).where(members.c.account == _owner), {"owner": account})
    _drop(c, epoch)


def erase_chat(c: Connection, chat: bytes, epoch: int) -> None:
    """Drop a chat, for all its members; its messages are left to `sweep`. `epoch` as above."""
    _ERASE.change(c, [(chat, ALL)])
    _drop(c, epoch)


def erase_copy(c: Connection, chat: bytes, upto: int, epoch: int) -> None:
    """Drop the copy of a group of another node, which may begin anew at once; `epoch` as above.

    What it holds, up to a position, is left to `sweep`, and recognised no more.
    """
    held = select(events.c.position).where(events.c.chat == _owner)
    c.execute(delete(dedupe).where(dedupe.c.position.in_(held)), {"owner": chat})
    _ERASE.change(c, [(chat, upto)])
    forget_copy(c, chat)
    LASTING.mark_erased(c, epoch)


def forget_copy(c: Connection, chat: bytes) -> None:
    """The same of one that holds nothing: its rows and its key go."""
    files.drop_uploads_of(c, chat)
    files.drop_posted(c, chat)
    forget_posts(c, posts.c.chat == chat)
    for table in OF_CHATS:
        c.execute(delete(table).where(table.c.chat == _owner), {"owner": chat})
    c.execute(delete(keys).where(keys.c.owner == _owner), {"owner": chat})


def is_erased(c: Connection, owner: bytes) -> bool:
    """Whether a chat, or an account, was erased and is not swept away yet."""
    return c.execute(_WHOLE.where(erasing.c.owner == owner)).first() is not None


def _drop(c: Connection, epoch: int) -> None:
    keys, *others = _DROP
    dropped = c.execute(keys).rowcount
    for statement in others:
        c.execute(statement)
    if dropped:
        # Of what never had a key here nothing can be opened: anybody's account elsewhere may be closed.
        LASTING.mark_erased(c, epoch)


def erase_past(c: Connection, chat: bytes, upto: int, epoch: int) -> None:
    """Take what a chat holds up to a position from its members, and leave its rows to `sweep`.

    The caller gives the chat another key. `epoch` is as in `erase_account`.
    """
    _ERASE.change(c, [(chat, upto)])
    c.execute(_SEEN_FROM.values(visible=upto, delivered=0, read=0), {"owner": chat})
    files.shut_upto(c, chat, upto)
    LASTING.mark_erased(c, epoch)


def drop_messages(
    c: Connection, chat: bytes, positions: Sequence[int], hour: int, epoch: int, marks: Sequence[bytes]
) -> None:
    """Erase messages that have keys of their own, some hundred at the most.

    `epoch` is the present one of the keyring that has wrapped these. `marks` are `ports.Blinder.gone` of
    each: by them it is known of which chat it was.
    """
    _delete_messages(c, chat, positions, hour)
    c.execute(_MARK_GONE, [{"at": at, "as": mark} for at, mark in zip(positions, marks, strict=True)])
    FLEETING.mark_erased(c, epoch)


def sweep(c: Connection, limit: int, hour: int) -> bool:
    """Delete up to `limit` files or messages of what is erased, or the rest; False where nothing is left.

    Accounts that have not left their groups yet are passed over.
    `hour` is the present one: messages of chats that go on are recognised for a while, if sent again.
    """
    found = c.execute(_TO_SWEEP).first()
    if found is None:
        return False
    owner, upto = found
    if files.drop_some(c, owner, upto, limit):
        return True
    oldest = select(events.c.position).where(events.c.chat == owner, events.c.position <= upto)
    positions = list(c.execute(oldest.order_by(events.c.position).limit(limit)).scalars())
    if positions:
        _delete_messages(c, owner, positions, None if upto == ALL else hour)
        return True
    for column in (*OF_MESSAGES, passed.c.position):
        c.execute(delete(column.table).where(column.table.c.chat == owner, column <= upto))
    if upto == ALL:
        files.drop_chat(c, owner)
        files.drop_account(c, owner)
        forget_posts(c, posts.c.account == owner)
        for statement in _SWEPT:
            c.execute(statement, {"owner": owner})
    c.execute(_NO_LONGER, {"owner": owner})
    c.info[SWEPT] = True
    return True


def forget_gone(c: Connection, hour: int, limit: int) -> bool:
    """Recognise no longer what was erased before `hour`; True where there may be more of it."""
    some = select(dedupe.c.sent).where(dedupe.c.gone < hour).limit(limit)
    forgotten = c.execute(delete(dedupe).where(dedupe.c.sent.in_(some))).rowcount
    if forgotten:
        names.forget(c)
    return forgotten == limit


def _delete_messages(c: Connection, chat: bytes, positions: Sequence[int], hour: int | None) -> None:
    """Delete all rows of these messages; `hour`: recognise them still, as gone since then."""
    mine = (spool.c.chat == chat) & spool.c.position.in_(positions)
    own = [
        message_owner(chat, position)
        for position in c.execute(select(spool.c.position).where(mine)).scalars()
    ]
    FLEETING.delete_keys(c, own)
    sent = dedupe.c.position.in_(positions)
    c.execute(delete(dedupe).where(sent) if hour is None else update(dedupe).where(sent).values(gone=hour))
    for column in OF_MESSAGES:
        c.execute(delete(column.table).where(column.table.c.chat == chat, column.in_(positions)))
