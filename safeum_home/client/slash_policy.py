"""The commands of the terminal client that are about the node's policy."""

from safeum_home.client.desk import Desk
from safeum_home.client.notices import Notice
from safeum_home.client.policy_entry import shown
from safeum_home.client.slash import slash
from safeum_home.client.text import safe


@slash("policy", "", "what this node keeps, and what for")
async def _policy(desk: Desk, argument: str) -> None:
    policy = await desk.client.policy()
    lines = shown(policy, desk.state.address.partition("@")[2])
    if desk.state.policy == policy.version:
        lines.append("You have not agreed to this version yet: /agree does.")
    desk.shown_policy = policy.version
    desk.read([Notice(desk.now(), None, line, "help") for line in lines])


@slash("agree", "", "agree to the policy that /policy has shown")
async def _agree(desk: Desk, argument: str) -> None:
    if desk.state.policy is None:
        desk.note("You have agreed to the policy of this node already.")
    elif desk.shown_policy is None:
        desk.note("Read it first: /policy shows it.")
    else:
        await desk.client.accept_policy(desk.shown_policy)
        desk.state.policy = None
        desk.note(f"You have agreed to the policy of version {safe(desk.shown_policy)}.")
