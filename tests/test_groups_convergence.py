"""Devices that come and go at random know of their groups what the node does, whatever they missed."""

from typing import Any, ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.ids import ChatId
from tests.viewers import DATABASE_STEPS, ConvergenceCase, Viewer, database_step, finish
from tests.world import Client, World

NAMES = ("alice", "bob", "carol")


class Watcher(Viewer):
    """A device that keeps invitations, groups, and rosters, as a client should."""

    def __init__(self, test: SynchronousTestCase, world: World, username: str) -> None:
        super().__init__(test, world, username)
        self.invitations: dict[str, dict[str, Any]] = {}
        self.chats: dict[str, dict[str, Any]] = {}
        self.roles: dict[str, str] = {}
        self.people: dict[str, int] = {}
        self.rosters: dict[str, dict[str, tuple[str, str]]] = {}
        """What was told of members since the chat is known; what was so before is asked for."""
        self.messages: dict[str, list[str]] = {}

    def ask(self, asking: Client) -> None:
        """What a client asks for when it begins."""
        self.begin()
        self.invitations = {one["chat"]: one for one in asking.call("group.invitations")["invitations"]}
        for summary in asking.call("chat.list")["chats"]:
            if summary["kind"] == "group":
                chat = summary["chat"]
                self.chats[chat], self.roles[chat] = summary, summary["role"]
                self.people[chat] = summary["group"]["members"]
                found = asking.call("group.members", chat=chat)["members"]
                self.rosters[chat] = {one["account"]: (one["role"], one["state"]) for one in found}

    def told(self, method: str, params: dict[str, Any], cursor: str) -> None:
        match method:
            case "chat.updated":
                self.chats[params["chat"]["chat"]] = params["chat"]
                self.people[params["chat"]["chat"]] = params["chat"]["group"]["members"]
            case "group.invited":
                self.invitations[params["invitation"]["chat"]] = params["invitation"]
            case "group.member":
                self._member(params["chat"], params["member"], params["members"])
            case "chat.message":
                self.messages.setdefault(params["chat"], []).append(params["id"])

    def _member(self, chat: str, member: dict[str, Any], people: int) -> None:
        if member["account"] == self.account:
            self.invitations.pop(chat, None)
            if member["state"] != "member":
                for kept in (self.chats, self.roles, self.people, self.rosters, self.messages):
                    kept.pop(chat, None)
                return
            self.roles[chat] = member["role"]
        self.people[chat] = people
        self.rosters.setdefault(chat, {})[member["account"]] = (member["role"], member["state"])


PERSON, GROUP, VIEWER = st.integers(0, 2), st.integers(0, 1), st.integers(0, 3)
STEPS = st.one_of(
    st.tuples(st.just("create"), PERSON, GROUP, st.booleans()),
    st.tuples(st.sampled_from(["invite", "invite", "remove"]), PERSON, GROUP, PERSON),
    st.tuples(st.just("role"), PERSON, GROUP, PERSON, st.sampled_from(["member", "admin", "owner"])),
    st.tuples(
        st.sampled_from(["accept", "accept", "decline", "leave", "rename", "earlier", "picture", "send"]),
        PERSON,
        GROUP,
    ),
    st.tuples(st.sampled_from(["link", "join"]), PERSON, GROUP),
    st.tuples(st.sampled_from(["come again", "invite again"]), PERSON, GROUP, PERSON),
    st.tuples(st.just("arrive"), VIEWER, st.integers(1, 6)),
    st.tuples(st.sampled_from(["cut", "back", "slow", "fast"]), VIEWER),
    st.tuples(st.sampled_from([one for one in DATABASE_STEPS if one != "release"])),
    st.tuples(st.just("release")),
    st.tuples(st.just("release")),
)


class Play:
    """One run: three people who make and change two groups, and four devices of theirs that only watch."""

    BODY: ClassVar[dict[str, str]] = {"kind": "text", "text": "x"}

    def __init__(self, test: SynchronousTestCase) -> None:
        self.world = world = World(outbound_frames=12)
        self.people = [world.register(name) for name in NAMES]
        for place, one in enumerate(self.people):
            for other in self.people[place + 1 :]:
                world.befriend(one, other)
        alice, bob, carol = self.people
        invited = [bob.account, carol.account]
        made = alice.call("group.create", client_id="group 0", name="first", invite=invited)
        self.groups: list[str | None] = [made["chat"]["chat"], None]
        bob.call("group.accept", chat=self.groups[0])
        self.asked: list[tuple[int, Client, int]] = []
        self.links: list[str | None] = [None, None]
        self.count = 0
        self.viewers = [Watcher(test, world, name) for name in (*NAMES, "bob")]
        for viewer in self.viewers:
            viewer.ask(next(one for one in self.people if one.account == viewer.account))
        world.database.hold = True

    def step(self, step: Any) -> None:
        name = step[0]
        self.learn()
        match name:
            case _ if name in DATABASE_STEPS:
                database_step(self.world, name)
            case "cut" | "back" | "slow" | "fast" | "arrive":
                self.viewers[step[1]].step(name, *step[2:])
            case "create":
                params = {"client_id": f"group {step[2]}", "name": "first", "earlier": step[3]}
                self._ask(step[1], step[2], "group.create", **params)
            case _:
                self._change(*step)

    def _ask(self, person: int, group: int, method: str, **params: Any) -> None:
        client = self.people[person]
        self.asked.append((client.ask(method, **params), client, group))

    def learn(self) -> None:
        """Groups and links out of the answers that have come."""
        waiting = []
        for number, client, group in self.asked:
            client._sort()
            answer = client.answers.get(number)
            if answer is None:
                waiting.append((number, client, group))
                continue
            result = answer.get("result", {})
            if "refused" in result and "chat" in result and self.groups[group] is None:
                self.groups[group] = result["chat"]["chat"]
            self.links[group] = result.get("link", self.links[group])
        self.asked = waiting

    def _change(self, name: str, person: int, group: int, *details: Any) -> None:
        if (chat := self.groups[group]) is None:
            return
        self.count += 1
        account = self.people[details[0]].account if details else ""
        asked: dict[str, tuple[str, dict[str, Any]]] = {
            "invite": ("group.invite", {"accounts": [account]}),
            "remove": ("group.remove", {"account": account}),
            "role": ("group.role", {"account": account, "role": details[-1] if details else ""}),
            "accept": ("group.accept", {}),
            "decline": ("group.decline", {}),
            "leave": ("group.leave", {}),
            "rename": ("group.set", {"name": f"name {self.count}"}),
            "earlier": ("group.set", {"earlier": bool(self.count % 2)}),
            "picture": ("group.avatar.remove", {}),
            "link": ("group.link.reset", {}),
            "send": ("chat.send", {"client_id": str(self.count), "body": self.BODY}),
        }
        if name == "join":
            if (link := self.links[group]) is not None:
                self._ask(person, group, "group.join", link=link)
            return
        if name in ("come again", "invite again"):
            self._again(name, person, self.people[details[0]], chat, group)
            return
        method, params = asked[name]
        self._ask(person, group, method, chat=chat, **params)

    def _again(self, name: str, writer: int, who: Client, chat: str, group: int) -> None:
        """Somebody is removed, by whoever may do that, and invited again; all of it is missed, or told."""
        for viewer in self.viewers:
            if viewer.account == who.account and self.count % 2:
                viewer.connection.lose()
        for person in range(len(self.people)):
            self._ask(person, group, "group.remove", chat=chat, account=who.account)
        self._ask(writer, group, "chat.send", chat=chat, client_id=f"x{self.count}", body=self.BODY)
        for person in range(len(self.people)):
            self._ask(person, group, "group.invite", chat=chat, accounts=[who.account])
        if name == "come again":
            self._ask(self.people.index(who), group, "group.accept", chat=chat)


class ConvergenceTests(ConvergenceCase):
    @settings(max_examples=100, deadline=None)
    @given(st.lists(STEPS, max_size=100))
    def test_devices_converge(self, steps: list[Any]) -> None:
        """Commits are late or fail, reads are late, readers are slow, connections break: all the same."""
        play = Play(self)
        for step in steps:
            play.step(step)
        finish(play.world, play.viewers)
        for viewer in play.viewers:
            self.compare(play, viewer)
        for chat in filter(None, play.groups):
            self.compare_memory(play.world, ChatId(chat))
        self.assertEqual(play.world.late, [])
        self.assertEqual(self.flushLoggedErrors(), [])

    def compare_memory(self, world: World, chat: ChatId) -> None:
        """What is in memory was changed along with the database."""
        registry = world.domain.registry
        kept = registry.get(chat)
        if kept is not None:
            stored = world.database.now(lambda c: registry._opener.read(c, chat))
            assert stored is not None
            self.assertEqual(sorted(kept.members), sorted(stored.members))
            self.assertEqual((kept.writers, kept.record), (stored.writers, stored.record))

    def compare(self, play: Play, viewer: Watcher) -> None:
        """What a device was told is what one that asks now is told."""
        asking = next(one for one in play.people if one.account == viewer.account)
        listed = asking.call("chat.list", limit=50)["chats"]
        groups = {one["chat"]: one for one in listed if one["kind"] == "group"}
        self.assertEqual(set(viewer.chats), set(groups))
        invitations = asking.call("group.invitations")["invitations"]
        shown = {chat: (one["name"], one["about"]) for chat, one in viewer.invitations.items()}
        self.assertEqual(shown, {one["chat"]: (one["name"], one["about"]) for one in invitations})
        for chat, summary in groups.items():
            group = {**viewer.chats[chat]["group"], "members": viewer.people[chat]}
            self.assertEqual((group, viewer.roles[chat]), (summary["group"], summary["role"]))
            found = asking.call("group.members", chat=chat)["members"]
            roster = {one["account"]: (one["role"], one["state"]) for one in found}
            members = [state for _, state in roster.values()].count("member")
            self.assertEqual(summary["group"]["members"], members)
            for account, told in viewer.rosters.get(chat, {}).items():
                if told[1] in ("left", "removed"):
                    self.assertNotIn(account, roster)
                else:
                    self.assertEqual(roster[account], told)
            page = asking.call("chat.history", chat=chat, limit=200)["messages"]
            history = [message["id"] for message in page]
            seen = viewer.messages.get(chat, [])
            self.assertEqual(seen, [one for one in history if one in set(seen)])
            self.assertEqual(seen, history[len(history) - len(seen) :])
