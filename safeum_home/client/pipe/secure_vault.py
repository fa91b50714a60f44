"""What `safeum pipe` does with a vault that is not as it was, once somebody has decided on it."""

from safeum_home.client.pipe.command import SecureCommand
from safeum_home.client.unlocked.secure_chats import SecureChats
from safeum_home.protocol.commands import Done, Params, Result


class AcceptVault(SecureCommand, frozen=True):
    """`client.secure.accept_vault`: go on with what the node has, with all that is known here besides."""

    async def run(self, secure: SecureChats) -> Result:
        await secure.accept_vault()
        return Done()


class ReplaceVault(SecureCommand, frozen=True):
    """`client.secure.replace_vault`: put what is known here in its place."""

    async def run(self, secure: SecureChats) -> Result:
        await secure.replace_vault()
        return Done()


VAULT: dict[str, type[Params]] = {
    "client.secure.accept_vault": AcceptVault,
    "client.secure.replace_vault": ReplaceVault,
}
