"""What a node keeps of its people, in its operator's words: reading it, and agreeing to it."""

from typing import Annotated

from msgspec import Meta

from safeum_home.protocol.command import Done, Params, Phase, Result, command

PolicyVersion = Annotated[
    str, Meta(min_length=1, max_length=64, description="Of the node's policy, as its operator names it.")
]


class PolicyText(Result, frozen=True):
    """The node's policy: plain text, to be shown whole. `version` is what is agreed to."""

    version: PolicyVersion
    text: str


@command("policy.get", PolicyText, Phase.ANY, cost=5)
class PolicyGet(Params, frozen=True):
    """The policy that is in force: what the node keeps, and what for. Taken before and after logging in."""


@command("policy.accept", Done)
class PolicyAccept(Params, frozen=True):
    """This account's owner was shown the policy of `version`, and agrees; it has to be the one in force."""

    version: PolicyVersion
