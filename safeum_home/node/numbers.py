"""SafeNUMs, made and wired."""

import os
from typing import NamedTuple

from safeum_home.gateway.dispatch import Routes
from safeum_home.node.means import DomainMeans
from safeum_home.protocol.commands.safenum import SafenumRequest
from safeum_home.safenum.numbers.assignment import Numbers
from safeum_home.safenum.numbers.giving import Giving, Retell
from safeum_home.safenum.numbers.inventory import Inventory


class NumberParts(NamedTuple):
    """What the rest of the node needs of them."""

    numbers: Numbers
    inventory: Inventory
    giving: Giving
    routes: Routes
    assign: str
    """As in the configuration."""


def make_numbers(means: DomainMeans, retell: Retell) -> NumberParts:
    """As the section `[safenum]` says."""
    section, vault = means.config.safenum, means.vault
    numbers = Numbers(
        vault.numbers, vault.blinder, means.directory, section.quarantine_days, means.milliseconds
    )
    inventory = Inventory(vault.numbers, os.urandom, lambda: numbers.hour)
    giving = Giving(means.jobs, means.database, vault.blinder, numbers, section.assign, retell)
    return NumberParts(numbers, inventory, giving, {SafenumRequest: giving.request}, section.assign)
