"""Who may do what in a group: every role, every action, every role that it is done to."""

from base64 import b64encode
from itertools import product
from typing import Any

from safeum_home.chats.groups.rights import Action, changing_role, may
from safeum_home.chats.groups.roster import Role
from tests.group_case import GroupCase
from tests.test_images import drawn, encoded
from tests.world import Client, Refused

PNG = encoded(drawn("RGB"), "PNG")
ROLES = ("member", "admin", "owner")
TO_THE_GROUP: dict[str, set[str]] = {
    "invite": {"admin", "owner"},
    "withdraw": {"admin", "owner"},
    "name": {"admin", "owner"},
    "about": {"admin", "owner"},
    "picture": {"admin", "owner"},
    "no picture": {"admin", "owner"},
    "link": {"admin", "owner"},
    "see the link": {"admin", "owner"},
    "no link": {"admin", "owner"},
    "earlier": {"owner"},
}
"""What is done to the group: by whom."""
TO_SOMEBODY: dict[str, set[tuple[str, str]]] = {
    "remove": {("admin", "member"), ("owner", "member"), ("owner", "admin")},
    "make admin": {("owner", "member")},
    "make member": {("owner", "admin")},
    "make owner": {("owner", "member"), ("owner", "admin")},
}
"""What is done to somebody: by whom, and to whom."""


class RightsTests(GroupCase):
    """Everybody is a contact of everybody. One group is made for each try."""

    def setUp(self) -> None:
        super().setUp()
        people = (self.bob, self.carol, self.dave, self.eve)
        self.world.befriend(self.alice, self.eve)
        for place, one in enumerate(people):
            for other in people[place + 1 :]:
                self.world.befriend(one, other)
        self.made = 0

    def people(self, *roles: str) -> tuple[str, list[Client]]:
        """A group, and members of these roles in it; Eve is invited."""
        self.made += 1
        others = [self.alice, self.bob, self.carol, self.dave]
        placed: list[Client] = []
        for role in roles:
            placed.append(self.alice if role == "owner" and self.alice in others else others[-1])
            others.remove(placed[-1])
        chat = self.group(self.alice, self.bob, self.carol, self.dave, name=f"group {self.made}")
        self.alice.call("group.invite", chat=chat, accounts=[self.eve.account])
        for role, one in zip(roles, placed, strict=True):
            if role == "admin":
                self.alice.call("group.role", chat=chat, account=one.account, role="admin")
        return chat, placed

    def do(self, what: str, one: Client, chat: str, other: Client | None = None) -> str:
        """Try it: `done`, or the code of the refusal."""
        account = self.eve.account if other is None else other.account
        calls: dict[str, tuple[str, dict[str, Any]]] = {
            "invite": ("group.invite", {"accounts": [account]}),
            "withdraw": ("group.remove", {"account": account}),
            "name": ("group.set", {"name": "Another"}),
            "about": ("group.set", {"about": "Something"}),
            "earlier": ("group.set", {"earlier": True}),
            "picture": ("group.avatar.set", {"type": "image/png", "data": _base64(PNG)}),
            "no picture": ("group.avatar.remove", {}),
            "link": ("group.link.reset", {}),
            "see the link": ("group.link", {}),
            "no link": ("group.link.revoke", {}),
            "remove": ("group.remove", {"account": account}),
            "make admin": ("group.role", {"account": account, "role": "admin"}),
            "make member": ("group.role", {"account": account, "role": "member"}),
            "make owner": ("group.role", {"account": account, "role": "owner"}),
        }
        method, params = calls[what]
        try:
            one.call(method, chat=chat, **params)
        except Refused as refused:
            return refused.code
        return "done"

    def test_to_the_group(self) -> None:
        """Each role does what it may, and is refused the rest."""
        for role, what in product(ROLES, TO_THE_GROUP):
            chat, [one] = self.people(role)
            expected = "done" if role in TO_THE_GROUP[what] else "not_permitted"
            self.assertEqual(self.do(what, one, chat), expected, (role, what))

    def test_to_somebody(self) -> None:
        """Each role to each other role. To make somebody what it is already changes nothing."""
        for role, what, target in product(ROLES, TO_SOMEBODY, ROLES):
            if role == target == "owner":
                continue  # there is one
            chat, [one, other] = self.people(role, target)
            before = self.roster(one, chat)
            same = what == f"make {target}"
            expected = "done" if same or (role, target) in TO_SOMEBODY[what] else "not_permitted"
            self.assertEqual(self.do(what, one, chat, other), expected, (role, what, target))
            changed = self.roster(one, chat) != before
            self.assertEqual(changed, expected == "done" and not same, (role, what, target))
            owners = [entry for entry in self.roster(one, chat).values() if entry[0] == "owner"]
            self.assertEqual(len(owners), 1)

    def test_strangers(self) -> None:
        """To who is no member, invited or not, there is no such group; nor to who was one."""
        chat, [member, admin] = self.people("member", "admin")
        admin.call("group.leave", chat=chat)
        for one in (self.eve, admin):
            for what in {**TO_THE_GROUP, **TO_SOMEBODY}:
                self.assertEqual(self.do(what, one, chat, member), "not_found", what)

    def test_to_oneself(self) -> None:
        """Nobody removes itself, or gives itself a role."""
        chat, people = self.people("member", "admin", "owner")
        for one in people:
            for what in TO_SOMEBODY:
                self.assertEqual(self.do(what, one, chat, one), "wrong_member_state")

    def test_who_passes_on(self) -> None:
        """Who makes somebody the owner is an admin from then on."""
        chat, [alice, other] = self.people("owner", "member")
        other.take()
        self.assertEqual(self.do("make owner", alice, chat, other), "done")
        events = [event["params"] for event in other.take("group.member")]
        told = {event["member"]["account"]: event["member"]["role"] for event in events}
        self.assertEqual(told, {alice.account: "admin", other.account: "owner"})

    def test_the_table(self) -> None:
        """The table says the same, and nothing of what there is not."""
        names = {Role.MEMBER: "member", Role.ADMIN: "admin", Role.OWNER: "owner"}
        for role, target in product(Role, Role):
            allowed = (names[role], names[target])
            self.assertEqual(may(role, Action.REMOVE, target), allowed in TO_SOMEBODY["remove"])
            for after in Role:
                action = changing_role(target, after)
                self.assertEqual(action is None, target is after)
                if action is not None:
                    expected = allowed in TO_SOMEBODY[f"make {names[after]}"]
                    self.assertEqual(may(role, action, target), expected, (role, target, after))
            for action in (Action.INVITE, Action.WITHDRAW, Action.LINK, Action.SHOW_EARLIER):
                self.assertFalse(may(role, action, target))


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
