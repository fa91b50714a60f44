"""The commands of the terminal client that are about the node's policy."""

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.notices import Notice
from safeum_home.client.entry.policy_entry import shown
from safeum_home.client.errors import RemoteProblem
from safeum_home.client.slash.slash import Mistake, slash
from safeum_home.client.words.text import safe
from safeum_home.errors import Code
from safeum_home.protocol.commands import PolicyText


@slash("policy", "", "what this node keeps, and what for")
async def _policy(desk: Desk, argument: str) -> None:
    _show(desk, await desk.client.policy())


def _show(desk: Desk, policy: PolicyText) -> None:
    lines = shown(policy, desk.state.address.partition("@")[2])
    if not _agreed(desk, policy.version):
        lines.append("You have not agreed to this version yet: /agree does.")
    desk.shown_policy = policy.version
    desk.read([Notice(desk.now(), None, line, "help") for line in lines])


def _agreed(desk: Desk, version: str) -> bool:
    """Whether this session knows of it; what the operator has put into place since is not agreed to."""
    return version == desk.agreed_policy and version != desk.state.policy


@slash("agree", "", "agree to the policy that /policy has shown")
async def _agree(desk: Desk, argument: str) -> None:
    version = desk.shown_policy
    if version is None:
        policy = await desk.client.policy()
        if not _agreed(desk, policy.version):
            _show(desk, policy)
            return
        version = policy.version
    # The node is told always: it alone knows what the account has agreed to, on whatever device.
    try:
        await desk.client.accept_policy(version)
    except RemoteProblem as error:
        if not error.of(Code.CONSENT_NEEDED):
            raise
        desk.shown_policy = None
        raise Mistake("The policy has changed since it was shown here: /policy shows it.") from None
    desk.agreed_policy, desk.state.policy = version, None
    desk.note(f"You have agreed to the policy of version {safe(version)}.")
