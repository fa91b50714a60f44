"""Random lives: how people stand with each other, and their groups."""

from collections.abc import Awaitable, Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from safeum_home.client.session import Client
from tests.chats_groups_truth import RANKS
from tests.chats_lives import ANY, NAMES, OTHER, Lives
from tests.chats_net import Device
from tests.chats_rooms import Key

MOST_GROUPS = 3
WAYS = ["request", "accept", "decline", "remove", "block", "unblock"]


class SocialLives(Lives):
    """Lives in which people meet, part, and have groups."""

    # --- choosing

    def _connected(self, people: list[str]) -> list[int]:
        """A device of each of these, where one is connected."""
        devices = self.play.devices
        found = {one.owner: number for number, one in enumerate(devices) if one.connected}
        return [found[one] for one in people if one in found]

    def _towards(self, number: int, person: str) -> int:
        """Who somebody is, as `_other` of a device counts."""
        return (NAMES.index(person) - NAMES.index(self._device(number).owner)) % len(NAMES)

    # --- people

    @rule(who=ANY, to=OTHER)
    def befriend(self, who: int, to: int) -> None:
        """Both want it: the most usual way."""
        device = self._device(who)
        self._meet("request", device, self._other(device, to))
        theirs = [one for one in self.play.devices if one.owner == self._other(device, to)]
        if theirs:
            self._meet("accept", theirs[0], device.owner)

    @rule(who=ANY, to=OTHER, what=st.sampled_from(WAYS))
    def meet(self, who: int, to: int, what: str) -> None:
        device = self._device(who)
        self._meet(what, device, self._other(device, to))

    def _meet(self, what: str, device: Device, other: str) -> None:
        if not device.connected:
            return
        client, account = device.client, self.play.names.accounts[other]
        arguments = (account, f"{other}@home.example") if what == "request" else (account,)
        self.play.give(
            device,
            lambda: getattr(client, what)(*arguments),
            lambda: getattr(self.play.truth, what)(device.owner, other),
        )

    @rule(who=ANY)
    def rename(self, who: int) -> None:
        device, name = self._device(who), self._word()
        client = device.client
        self.play.give(
            device,
            lambda: client.set_profile(name),
            lambda: self.play.truth.rename(device.owner, name),
            again=True,
        )

    @precondition(lambda self: not any(person.closed for person in self.play.truth.people.values()))
    @rule(who=ANY, sure=st.integers(0, 3))
    def close(self, who: int, sure: int) -> None:
        owner = self._device(who).owner
        # In which order groups are left is the node's affair.
        if sure == 3 and len(self.play.truth.groups_of(owner)) < 2:
            self.play.close(owner)

    # --- groups

    def _group(self, number: int) -> Key | None:
        """A group, which may be gone."""
        names = list(self.play.names.groups)
        return ("group", names[number % len(names)]) if names else None

    def _in_group(
        self, who: int, group: int, does: Callable[[Client, str], Awaitable[object]], means: str, *about: Any
    ) -> None:
        """Have a device do something in a group; to the model it is `means`."""
        device, key = self._device(who), self._group(group)
        if key is not None and device.connected:
            chat, play, client = self.play.names.chat_id(key), self.play, device.client
            play.give(
                device,
                lambda: does(client, chat),
                lambda: getattr(play.truth, means)(device.owner, key, *about),
            )

    @rule(who=ANY, earlier=st.booleans(), invite=st.sets(OTHER))
    def create(self, who: int, earlier: bool, invite: set[int]) -> None:
        device = self._device(who)
        if device.live and len(self.play.names.groups) < MOST_GROUPS:
            invited = [self._other(device, one) for one in sorted(invite)]
            self.play.create(device, self._word(), earlier, invited)
            for other in invited:
                mine = [number for number, one in enumerate(self.play.devices) if one.owner == other]
                if mine and self.words % 3:
                    self.join(mine[0], len(self.play.names.groups) - 1, accept=True)

    @rule(who=ANY, group=ANY, to=OTHER)
    def invite(self, who: int, group: int, to: int) -> None:
        other = self._other(self._device(who), to)
        account = self.play.names.accounts[other]
        self._in_group(
            who, group, lambda client, chat: client.invite_to_group(chat, [account]), "invite", other
        )

    @rule(who=ANY, group=ANY, accept=st.booleans())
    def join(self, who: int, group: int, accept: bool) -> None:
        if accept:
            self._in_group(who, group, lambda client, chat: client.accept_invitation(chat), "join")
        else:
            self._in_group(who, group, lambda client, chat: client.decline_invitation(chat), "refuse")

    @rule(who=ANY, group=ANY)
    def leave(self, who: int, group: int) -> None:
        self._in_group(who, group, lambda client, chat: client.leave_group(chat), "leave")

    @rule(who=ANY, group=ANY, to=OTHER)
    def expel(self, who: int, group: int, to: int) -> None:
        other = self._other(self._device(who), to)
        account = self.play.names.accounts[other]
        self._in_group(
            who, group, lambda client, chat: client.remove_from_group(chat, account), "expel", other
        )

    @rule(who=ANY, group=ANY, to=OTHER, role=st.sampled_from(RANKS))
    def promote(self, who: int, group: int, to: int, role: Any) -> None:
        other = self._other(self._device(who), to)
        account = self.play.names.accounts[other]
        self._in_group(
            who, group, lambda client, chat: client.set_role(chat, account, role), "promote", other, role
        )

    @rule(who=ANY, group=ANY, earlier=st.one_of(st.none(), st.booleans()))
    def describe(self, who: int, group: int, earlier: bool | None) -> None:
        name = self._word()
        if earlier is None:
            self._in_group(who, group, lambda client, chat: client.set_group(chat, name), "call", name)
        else:
            self._in_group(
                who,
                group,
                lambda client, chat: client.set_group(chat, earlier=earlier),
                "show_earlier",
                earlier,
            )

    @rule(who=ANY, group=ANY, count=st.integers(1, 4))
    def write_in_group(self, who: int, group: int, count: int) -> None:
        if (key := self._group(group)) is not None:
            for _ in range(count):
                self._write(self._device(who), key)

    # --- links

    @rule(who=ANY, group=ANY)
    def make_link(self, who: int, group: int) -> None:
        device, key = self._device(who), self._group(group)
        if key is not None and device.live:
            self.play.make_link(device, key)

    @rule(who=ANY, group=ANY)
    def drop_link(self, who: int, group: int) -> None:
        self._in_group(who, group, lambda client, chat: client.revoke_group_link(chat), "drop_link")

    @rule(who=ANY, group=ANY, invited=st.booleans())
    def shut_out(self, who: int, group: int, invited: bool) -> None:
        """Somebody is removed, perhaps invited again, and follows a link that was there before."""
        if (key := self._group(group)) is None or (room := self.play.truth.group(key)) is None:
            return
        owner, *others = sorted(room.people, key=lambda one: room.roles[one] != "owner")
        if not others:
            return
        person = others[who % len(others)]
        for number in self._connected([owner]):
            self.make_link(number, group)
            self.expel(number, group, self._towards(number, person))
            if invited:
                self.invite(number, group, self._towards(number, person))
        for number in self._connected([person]):
            self.follow_link(number, -1)

    @rule(who=ANY, which=st.integers(0, 2))
    def follow_link(self, who: int, which: int) -> None:
        """Join by one of the newest links, which may not be good any more."""
        device, links = self._device(who), self.play.links[-3:]
        if links and device.connected:
            (link, key, number), client = links[which % len(links)], device.client
            self.play.give(
                device,
                lambda: client.join_group(link),
                lambda: self.play.truth.join_by_link(device.owner, key, number),
            )
