"""Tests of nodes that lie about keys notice when what they test is gone."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.keys import answering, answers, asking, hearing, publishing
from safeum_home.keys.launches import LaunchKeys
from safeum_home.keys.log import Entry
from safeum_home.keys.telling import Audience
from safeum_home.limits import RateLimit
from safeum_home.protocol import key_types
from safeum_home.protocol.key_types import AccountKeys, key_hash
from safeum_home.storage import key_log
from tests.without import Defence, Whatever, check, nothing, yes

HOSTILE = "tests.test_keys_hostile."
LOCAL = "tests.test_keys."
FOREVER = 10**15

_heard = hearing.heard


async def _believing(_self: Any, news: Any) -> set[Any]:
    """`ForeignKeys.learn` that takes an answer as it is."""
    return set(news)


def _as_it_says(account: Any, newest: Any, news: Any, position: int) -> Entry | None:
    """`heard` that believes what an event says was before."""
    entry = _heard(account, newest, news, position)
    return entry if entry is None or news.before is None else entry._replace(before=news.before)


def _of_any_time(account: Any, newest: Any, news: Any, position: int) -> Entry | None:
    """`heard` that does not look at the time."""
    return _heard(account, newest, news._replace(at=FOREVER), position)


def _all_of_it(_asked: Any, answer: Any, now: int) -> Any:
    """`believed` that believes it."""
    return {said.account: answers._checked(said.account, said, now) for said in answer}


def _whoever(_c: Any, _account: bytes, among: Any) -> set[bytes]:
    """`in_chat_with` that finds everybody."""
    return set(among)


DEFENCES: dict[str, tuple[str, tuple[Defence, ...]]] = {
    "swaps that are not told": (
        HOSTILE + "AnswerTests.test_swapped",
        (Defence(hearing.ForeignKeys, "learn", _believing),),
    ),
    "keys with another hash than they are said to have": (
        HOSTILE + "AnswerTests.test_swapped_under_the_same_hash",
        (Defence(answers, "hash_of", lambda _account, _identity: Whatever("")),),
    ),
    "keys that are said to be older": (
        HOSTILE + "AnswerTests.test_swapped_as_of_before",
        (Defence(asking, "_is_known", yes),),
    ),
    "keys that are denied": (
        HOSTILE + "AnswerTests.test_denied",
        (Defence(asking, "_as_known", lambda account, *_: AccountKeys(account)),),
    ),
    "keys of somebody else": (
        HOSTILE + "AnswerTests.test_signatures",
        (Defence(answers, "hash_of", lambda _account, identity: key_hash(identity.sign, identity.box)),),
    ),
    "answers of accounts that were not asked for": (
        HOSTILE + "AnswerTests.test_of_others",
        (Defence(asking, "believed", _all_of_it),),
    ),
    "two answers of one account": (
        HOSTILE + "AnswerTests.test_twice",
        (Defence(asking, "believed", _all_of_it),),
    ),
    "answers from the future": (HOSTILE + "AnswerTests.test_future", (Defence(hearing, "AHEAD", FOREVER),)),
    "answers that are others each time": (
        HOSTILE + "AnswerTests.test_changing_all_the_time",
        (Defence(RateLimit, "take", nothing),),
    ),
    "launch keys that are bound to nothing": (
        HOSTILE + "AnswerTests.test_launch_keys_of_others",
        (Defence(answers, "is_bound", yes),),
    ),
    "launch keys of another day": (
        HOSTILE + "AnswerTests.test_launch_keys_of_another_day",
        (Defence(key_types, "binds", yes),),
    ),
    "launch keys of before": (
        "tests.test_keys_launches.LaunchTests.test_not_back",
        (Defence(LaunchKeys, "_must_be_of_now", nothing),),
    ),
    "changes told by another node": (
        HOSTILE + "EventTests.test_other_senders",
        (Defence(hearing, "node_of", Whatever),),
    ),
    "forged befores": (
        HOSTILE + "EventTests.test_forged_before",
        (Defence(hearing, "heard", _as_it_says),),
    ),
    "changes of strangers": (
        HOSTILE + "EventTests.test_strangers",
        (
            Defence(key_log, "is_in_any_chat", yes),
            Defence(Audience, "now", lambda self, _c: {self._account}),
        ),
    ),
    "floods of changes": (HOSTILE + "EventTests.test_flood", (Defence(RateLimit, "take", nothing),)),
    "changes that are told again": (
        HOSTILE + "EventTests.test_again",
        (Defence(hearing, "heard", _of_any_time),),
    ),
    "changes from the future": (HOSTILE + "EventTests.test_nonsense", (Defence(hearing, "AHEAD", FOREVER),)),
    "viewers of other nodes": (
        HOSTILE + "QuestionTests.test_viewers",
        (Defence(answering, "node_of", Whatever),),
    ),
    "viewers who are in no chat": (
        HOSTILE + "QuestionTests.test_viewers",
        (Defence(key_log, "in_chat_with", _whoever),),
    ),
    "floods of questions": (
        HOSTILE + "QuestionTests.test_bounds",
        (Defence(RateLimit, "take", nothing),),
    ),
    "keys that nobody has signed": (
        LOCAL + "PublishingTests.test_signatures",
        (Defence(publishing, "hash_of", lambda _account, identity: key_hash(identity.sign, identity.box)),),
    ),
    "strangers here": (LOCAL + "QueryTests.test_strangers", (Defence(key_log, "in_chat_with", _whoever),)),
}


def _of(name: str) -> Any:
    test, defences = DEFENCES[name]

    def notices(self: "KeyDefenceTests") -> None:
        check(self, test, *defences)

    notices.__doc__ = f"Without it the test of {name} fails."
    return notices


class KeyDefenceTests(SynchronousTestCase):
    """A method for each of `DEFENCES`."""


for _number, _name in enumerate(DEFENCES):
    setattr(KeyDefenceTests, f"test_{_number:02}", _of(_name))
