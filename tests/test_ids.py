"""Identifiers have one written form, and nothing that merely looks like one is taken."""

import re
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from safeum_home import ids
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId

NODES = st.from_regex(r"\A[a-z0-9](?:[a-z0-9-]{0,20}[a-z0-9])?(?:\.[a-z]{2,8}){0,3}(?::[1-9][0-9]{0,3})?\Z")
ACCOUNTS = st.builds(ids.new_account_id, NODES, st.just(lambda size: b"\x17" * size)) | st.builds(
    lambda octets, node: ids.new_account_id(node, lambda _size: octets),
    st.binary(min_size=16, max_size=16),
    NODES,
)


class IdTests(SynchronousTestCase):
    """Accounts, devices and chats."""

    @given(st.binary(min_size=16, max_size=16), NODES)
    def test_account_ids(self, octets: bytes, node: str) -> None:
        """A new account id is one, and names its node."""
        account = ids.new_account_id(node, lambda size: octets[:size])
        self.assertRegex(account, ids.ACCOUNT_PATTERN)
        self.assertEqual(account.partition(":")[2], node)
        self.assertNotRegex(account + "\n", ids.ACCOUNT_PATTERN)
        self.assertNotRegex("x" + account, ids.ACCOUNT_PATTERN)

    def test_new_ids_differ(self) -> None:
        """Two ids are never the same."""
        self.assertEqual(len({ids.new_account_id("home.example") for _ in range(100)}), 100)
        self.assertEqual(len({ids.new_device_id() for _ in range(100)}), 100)

    @given(ACCOUNTS, ACCOUNTS, ACCOUNTS)
    def test_direct_chats(self, first: AccountId, second: AccountId, third: AccountId) -> None:
        """Both sides of a chat come to the same id, and other accounts to another."""
        chat = ids.direct_chat_id(first, second)
        self.assertEqual(chat, ids.direct_chat_id(second, first))
        self.assertRegex(chat, ids.CHAT_PATTERN)
        self.assertEqual(chat == ids.direct_chat_id(first, third), second == third)

    def test_direct_chat_vector(self) -> None:
        """The hash never changes: nodes of all versions must come to the same id."""
        first, second = AccountId("@" + "a" * 26 + ":a.example"), AccountId("@" + "b" * 26 + ":b.example")
        self.assertEqual(ids.direct_chat_id(first, second), "!njzd2brhvxv6h5wqfnp6jjypla")

    def test_patterns_end_where_the_text_ends(self) -> None:
        """No pattern lets a line end through, which `$` alone would."""
        examples = {
            ids.ACCOUNT_PATTERN: "@" + "a" * 26 + ":home.example",
            ids.DEVICE_PATTERN: "D" + "a" * 16,
            ids.CHAT_PATTERN: "!" + "a" * 26,
            ids.CURSOR_PATTERN: "A" * 22,
            ids.USERNAME_PATTERN: "alice",
        }
        for pattern, example in examples.items():
            self.assertIsNotNone(re.search(pattern, example), pattern)
            for wrong in (example + "\n", "\n" + example, example + " ", " " + example, ""):
                self.assertIsNone(re.search(pattern, wrong), repr(wrong))


class NameTests(SynchronousTestCase):
    """Usernames, node names and addresses."""

    def _refused(self, code: Code, parse: Callable[[str], object], *texts: str) -> None:
        for text in texts:
            problem = self.assertRaises(Problem, parse, text)
            self.assertIs(problem.code, code, repr(text))

    def test_usernames(self) -> None:
        """One written form, in ASCII."""
        self.assertEqual(ids.username("Alice"), "alice")
        self.assertEqual(ids.username("a.b_c-9"), "a.b_c-9")
        self.assertEqual(ids.username("a" * 32), "a" * 32)
        self._refused(
            Code.INVALID_USERNAME,
            ids.username,
            *(
                "",
                "ab",
                "a" * 33,
                ".abc",
                "abc.",
                "al ice",
                "alice\n",
                "a@b",
                "\u0430lice",
                "\u212aelvin",
                "ali\0ce",
            ),
        )

    @given(st.text(max_size=40))
    def test_username_never_surprises(self, text: str) -> None:
        """Whatever the text: a username in its one form, or the problem."""
        try:
            name = ids.username(text)
        except Problem:
            return
        self.assertEqual(ids.username(name), name)
        self.assertRegex(name, r"\A[a-z0-9._-]{3,32}\Z")

    def test_node_names(self) -> None:
        """DNS names with an optional port, in one written form."""
        for text in ("home.example", "localhost:8443", "xn--bcher-kva.example", "127.0.0.1", "a" * 63 + ".x"):
            self.assertEqual(ids.node_name(text), text)
        self.assertEqual(ids.node_name("Home.Example:1"), "home.example:1")
        self._refused(
            Code.INVALID_NODE_NAME,
            ids.node_name,
            *(
                "",
                ".",
                "a..b",
                "home.example.",
                "-a.example",
                "a-.example",
                "a_b",
                "a" * 64,
                "home.example\n",
            ),
            *(
                "a:",
                "a:0",
                "a:65536",
                "a:080",
                "a:+1",
                "a:\u0661",
                "a:1:2",
                "[::1]",
                "a/b",
                "a@b",
                "\u212a.example",
            ),
            *(".".join(["a" * 63] * 4), ".".join(["a" * 49] * 5) + ":65535:"),
        )

    def test_longest_node_name_fits_an_account_id(self) -> None:
        """What is a node's name can stand in an account id."""
        longest = ".".join(["a" * 61] * 4) + ":65535"
        self.assertEqual(len(longest), 253)
        self.assertRegex(ids.new_account_id(ids.node_name(longest)), ids.ACCOUNT_PATTERN)
        self._refused(Code.INVALID_NODE_NAME, ids.node_name, ".".join(["a" * 62] * 4) + ":65535")

    @given(st.text(max_size=300))
    def test_node_name_never_surprises(self, text: str) -> None:
        """Whatever the text: a name in its one form that fits an account id, or the problem."""
        try:
            name = ids.node_name(text)
        except Problem:
            return
        self.assertEqual(ids.node_name(name), name)
        self.assertRegex(ids.new_account_id(name), ids.ACCOUNT_PATTERN)

    def test_addresses(self) -> None:
        """`login@node`, with this node as the default."""
        expected = ("alice", "home.example")
        for text in ("alice@home.example", "@Alice@HOME.example", " alice ", "@alice"):
            self.assertEqual(ids.address(text, "home.example"), expected)

        def parse(text: str) -> object:
            return ids.address(text, "home.example")

        self._refused(
            Code.INVALID_USERNAME, parse, "", "@", "@@home.example", "a b@home.example", "al@x.example"
        )
        self._refused(Code.INVALID_NODE_NAME, parse, "alice@", "alice@a@b", "alice@ home", "alice@-")
        self._refused(Code.INVALID_USERNAME, parse, "@" + "a" * 25 + ":home.example")

    def test_addresses_of_numbers_and_ids(self) -> None:
        """A number has a node like a login; an account's own id is an address as it stands."""
        number, account = "+491711234567", "@" + "a" * 26 + ":far.example"
        self.assertEqual(ids.address(f" {number}@far.example ", "home.example"), (number, "far.example"))
        self.assertEqual(ids.address(number, "home.example"), (number, "home.example"))
        self.assertEqual(ids.address(account.upper(), "home.example"), (account, "far.example"))
        for alias in (number, account, "alice"):
            address = ids.written(alias, "far.example")
            self.assertEqual(ids.address(address, "home.example"), (alias, "far.example"))
            self.assertEqual(ids.alias(alias), alias)

    def test_no_login_looks_like_a_number(self) -> None:
        """Nobody signs up as a number, with or without its plus; and what is nearly one is none."""
        self._refused(
            Code.INVALID_USERNAME,
            ids.username,
            *("491711234567", "0171-1234567", "49.171.1234567", "+491711234567", "123", "0_0"),
        )
        self._refused(
            Code.INVALID_USERNAME,
            ids.alias,
            *(
                "+49",
                "+0491711234567",
                "+49 1711234567",
                "+49171123456789012",
                "+491711234567\n",
                "++491711234567",
            ),
            *("+\u0664\u0669171123456", "@" + "a" * 26, "@" + "\u212a" + "a" * 25 + ":home.example"),
        )

    @given(st.text(max_size=40) | st.from_regex(ids.NUMBER_PATTERN) | ACCOUNTS)
    def test_alias_never_surprises(self, text: str) -> None:
        """Whatever the text: a login, a number or an id, exactly one of them, or the problem."""
        try:
            alias = ids.alias(text)
        except Problem:
            return
        self.assertEqual(ids.alias(alias), alias)
        kinds = [bool(re.search(ids.USERNAME_PATTERN, alias)), ids.is_number(alias), ids.is_account(alias)]
        self.assertEqual(kinds.count(True), 1)
