"""Showing somebody at a terminal the node's policy, and asking for consent to it."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from safeum_home.client.errors import local
from safeum_home.client.futures import future
from safeum_home.client.session import Client
from safeum_home.client.words.text import safe
from safeum_home.errors import Code
from safeum_home.protocol.commands import PolicyText

YES, NO = ("y", "yes"), ("n", "no")


class Reader(Protocol):
    """Somebody who reads and answers (`entry.Person`)."""

    @property
    def ask(self) -> Callable[[str], Awaitable[str]]: ...
    @property
    def say(self) -> Callable[[str], None]: ...


def shown(policy: PolicyText, node: str) -> list[str]:
    """The whole policy as lines that are safe to show."""
    heading = f"The policy of {safe(node)}, version {safe(policy.version)}:"
    return [heading, "", *safe(policy.text, newlines=True).split("\n"), ""]


async def agree(client: Client, node: str, reader: Reader) -> str:
    """Show the policy and ask; the version that was agreed to. Raises `consent_needed` after a no."""
    policy = await future(client.policy())
    if not await _asked(policy, node, reader):
        raise local(Code.CONSENT_NEEDED)
    return policy.version


async def renew(client: Client, node: str, reader: Reader) -> None:
    """After a login: ask for consent to a policy that has changed. Who says no goes on for now."""
    if client.opened is None or client.opened.policy is None:
        return
    reader.say("The policy of this node has changed.")
    policy = await future(client.policy())
    if await _asked(policy, node, reader):
        await future(client.accept_policy(policy.version))
        client.state.policy = None
    else:
        reader.say("You will be asked again. /policy shows it at any time, /agree agrees.")


async def _asked(policy: PolicyText, node: str, reader: Reader) -> bool:
    for line in shown(policy, node):
        reader.say(line)
    while True:
        answer = (await reader.ask("Do you agree? (yes or no): ")).strip().lower()
        if answer in YES or answer in NO:
            return answer in YES
        reader.say("Please answer yes or no.")
