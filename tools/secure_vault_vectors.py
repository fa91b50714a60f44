"""Vaults of docs/secure-chats.md: four that follow on each other, and what comes of two."""

from typing import Any

import msgspec
from msgspec import structs

from safeum_home.client.secret import Secret
from safeum_home.client.secure import succession, vault
from safeum_home.client.secure.chat_memory import ChatMemory, EpochMemory, FormerRoster, StreamMemory
from safeum_home.client.secure.envelope import NONE
from safeum_home.client.secure.epoch import EpochKey
from safeum_home.client.secure.moving import Boxes, moved
from safeum_home.client.secure.octets import number
from safeum_home.client.secure.own_memory import OwnMemory
from safeum_home.client.secure.people import Trust
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.secure.vault_content import Content, Draft, Keys, Pinned, Setting, merge
from safeum_home.protocol.signing import encode_octets
from tools.secure_values import ALICE, AT, BOB, CAROL, CHAT, PAIR, box, octets, unique_key

MOVED = 60
"""With which the secret keys begin of the ephemeral halves of boxes in the vault that was moved."""


def text(first: int, size: int = 32) -> str:
    return encode_octets(octets(first, size))


def stream(first: int) -> str:
    return encode_octets(number(AT) + octets(first, 8))


def public(account: str, first: int) -> Keys:
    return Keys.of(unique_key(account, first).public)


def vaults(alice: UniqueKey, second: UniqueKey, masters: tuple[str, str]) -> list[dict[str, Any]]:
    """`masters`, in hexadecimal, are of the keys that `alice` has first, and of those that follow."""
    made = list[dict[str, Any]]()

    def add(about: str, own: UniqueKey, content: Content) -> None:
        version, nonce = len(made) + 1, octets(90 + len(made), 24)
        content = structs.replace(content, previous=made[-1]["hash"] if made else encode_octets(NONE))
        blob = vault.seal(content, version, own, nonce)
        made.append(
            {
                "about": about,
                "version": version,
                "master": masters[own is second],
                "nonce": encode_octets(nonce),
                "content": msgspec.to_builtins(content),
                "blob": blob,
                "hash": encode_octets(vault.open(blob, version, own)[1]),
            }
        )

    add("All members that can be left out are.", alice, Content(""))
    whole = _whole(alice)
    add("All members are there, but those of keys that follow on others.", alice, whole)
    line = succession.name(alice, second.public, AT + 2)
    after = _boxed(moved(whole, alice, Boxes(alice, second), line, AT + 2), second)
    add("It was moved to other keys, and nobody was told.", second, after)
    told = structs.replace(after.own, published=True, told=(CHAT, PAIR))
    add("The directory has these, and two chats were told.", second, structs.replace(after, own=told))
    return made


def _whole(alice: UniqueKey) -> Content:
    first, others, former = public(BOB, 1), public(BOB, 40), public(BOB, 41)
    people = {
        ALICE: Pinned(Keys.of(alice.public), Trust.PINNED, AT),
        BOB: Pinned(first, Trust.VERIFIED, AT, AT + 1, others, (former,)),
        CAROL: Pinned(public(CAROL, 42), Trust.CHANGED, AT, former=(public(CAROL, 43), public(CAROL, 44))),
    }
    drafts = {CHAT: Draft(AT, "Dear", text(19)), PAIR: Draft(AT + 1, "")}
    settings = {
        "gone": Setting(AT, None),
        "larger": Setting(AT, True),
        "name": Setting(AT, 'Grüße, "Ωmega" 👋\n'),
        "size": Setting(AT, -(2**53) + 1),
    }
    lost = OwnMemory(lost=(text(45), text(46)))
    return Content("", people, drafts, settings, {CHAT: _group(alice), PAIR: _pair(alice)}, lost)


def _group(alice: UniqueKey) -> ChatMemory:
    hashes = {ALICE: encode_octets(alice.hash), BOB: encode_octets(unique_key(BOB, 1).hash)}
    roster, before = text(50), text(51)
    return ChatMemory(
        {ALICE: StreamMemory(0, {stream(47): (1, text(48))}), BOB: StreamMemory(AT - 1, {})},
        roster,
        AT,
        hashes,
        [_epoch(alice, 52), _epoch(alice, 53)],
        AT + 1,
        [FormerRoster(roster, {}), FormerRoster(before, {BOB: None, CAROL: text(54)})],
        {BOB: ((encode_octets(unique_key(BOB, 41).hash), hashes[BOB]),)},
    )


def _pair(alice: UniqueKey) -> ChatMemory:
    heads = {stream(22): (3, text(23)), stream(24): (2**53 - 1, text(25))}
    return ChatMemory({BOB: StreamMemory(0, heads)}, epochs=[_epoch(alice, 55)], since=AT, peer=BOB)


def _epoch(own: UniqueKey, first: int, ephemeral: int = 56) -> EpochMemory:
    """Of which the key, in `octets`, begins so."""
    commitment = EpochKey(Secret.of(octets(first))).commitment()
    sealed = box(octets(first), own.public.box, octets(ephemeral))
    return EpochMemory(text(first + 1), encode_octets(commitment), encode_octets(sealed), AT)


def _boxed(content: Content, own: UniqueKey) -> Content:
    """With boxes that are not random."""
    epochs = {CHAT: [52, 53], PAIR: [55]}
    chats = {
        chat: structs.replace(memory, epochs=[_epoch(own, each, MOVED) for each in epochs[chat]])
        for chat, memory in content.chats.items()
    }
    return structs.replace(content, chats=chats)


def merged(alice: UniqueKey, second: UniqueKey, third: UniqueKey) -> list[dict[str, Any]]:
    """What both of two come to that follow on the same one, whichever is which."""
    made = list[dict[str, Any]]()

    def add(about: str, one: Content, other: Content) -> None:
        both = merge(one, other)
        assert merge(other, one) == both
        both = structs.replace(
            both, own=both.own if both.own != one.own else one.own
        )  # or it is written empty
        contents = {"one": one, "other": other, "merged": both}
        made.append({"about": about, **{name: msgspec.to_builtins(each) for name, each in contents.items()}})

    def of(**members: Any) -> Content:
        return Content(encode_octets(NONE), **members)

    first, others, more = (public(BOB, each) for each in (1, 40, 41))
    verified = of(people={BOB: Pinned(first, Trust.VERIFIED, AT, AT + 9)})
    add("Keys that follow on those that were verified.", verified, of(people={BOB: _followed(others, first)}))
    add("Keys that were seen first.", verified, of(people={BOB: Pinned(others, Trust.PINNED, AT - 1)}))
    later = of(people={BOB: Pinned(first, Trust.PINNED, AT, AT + 10)})
    add("The later word on the same keys.", verified, later)
    add("Keys that came later.", verified, of(people={BOB: _followed(others, more, AT + 10)}))
    add(
        "Drafts, and settings, of the same time.",
        of(drafts={CHAT: Draft(AT, "\uffff")}, settings={"x": Setting(AT, None)}),
        of(drafts={CHAT: Draft(AT, "👋")}, settings={"x": Setting(AT, False)}),
    )
    chats = [_group(alice), structs.replace(_pair(alice), roster=text(57), roster_at=AT + 1, peer=None)]
    add("Streams, rosters, epochs.", *(of(chats={CHAT: each}) for each in chats))
    line = succession.name(alice, second.public, AT + 2)
    longer = succession.name(second, third.public, AT + 3, line)
    lost = text(45), text(46), text(47)
    told = OwnMemory(line.text, True, (CHAT,), lost[:2]), OwnMemory(line.text, False, (PAIR,), lost[1:])
    add("What was told by two programs.", *(of(own=each) for each in told))
    add("The longer line.", of(own=told[0]), of(own=OwnMemory(longer.text)))
    return made


def _followed(keys: Keys, former: Keys, since: int = AT) -> Pinned:
    return Pinned(keys, Trust.CHANGED, since, former=(former,))
