"""What an operator may ask about sign-up, accounts and limits, over the socket."""

from msgspec import Struct
from twisted.logger import Logger

from safeum_home.accounts.invites import Invite
from safeum_home.accounts.registration import Mode
from safeum_home.admin import control_wire as wire
from safeum_home.admin.commands import Handler
from safeum_home.admin.wire import Done, Params
from safeum_home.errors import Code, Problem
from safeum_home.node.control import Control
from safeum_home.node.control_names import alias_of
from safeum_home.node.service import Node
from safeum_home.protocol.invites import link
from safeum_home.storage.accounts import count, count_closed

PAGE = 100
"""Invites in one answer: that many fit a line, however they are labelled."""
_log = Logger()


class Operation:
    """The commands, each with its parameters in `handlers`. All raise `sealed` while the node is not open."""

    def __init__(self, node: Node) -> None:
        self._node = node

    @property
    def _control(self) -> Control:
        if self._node.control is None:
            raise Problem(Code.SEALED, f"the node is not open yet: it is {self._node.status}")
        return self._node.control

    async def registration(self, params: wire.RegistrationParams) -> Struct:
        registration = self._control.registration
        if params.mode is not None:
            await registration.set(None if params.mode == "configured" else Mode(params.mode))
            _log.info("Registration is now {mode}.", mode=registration.mode.value)
        set_to = registration.set_to
        return wire.RegistrationState(
            registration.mode.value, registration.configured.value, None if set_to is None else set_to.value
        )

    async def create_invite(self, params: wire.CreateInviteParams) -> Struct:
        code, invite = await self._control.invites.create(params.uses, params.days, params.label)
        return wire.CreatedInvite(link(self._node.config.node.name, code), _row(invite))

    async def list_invites(self, params: wire.ListInvitesParams) -> Struct:
        invites = await self._control.invites.list()
        page = invites[params.skip : params.skip + PAGE]
        return wire.InviteRows([_row(invite) for invite in page], len(invites))

    async def revoke_invite(self, params: wire.RevokeInviteParams) -> Struct:
        await self._control.invites.revoke(params.id)
        return Done()

    async def policy(self, params: Params) -> Struct:
        control = self._control
        return wire.PolicyState(control.policy.now.version, control.policy_file, control.policy.now.text)

    async def reload_policy(self, params: Params) -> Struct:
        policy = await self._control.reload_policy()
        _log.info("The policy in force is version {version}.", version=policy.version)
        return await self.policy(params)

    async def accounts(self, params: Params) -> Struct:
        control, database = self._control, self._node.database
        if database is None:
            raise Problem(Code.SEALED, "the database is not open yet")
        there, closed = await database.read(lambda c: (count(c), count_closed(c)))
        return wire.AccountCounts(there, control.connected(), closed)

    async def account(self, params: wire.LoginParams) -> Struct:
        accounts = self._control.accounts
        found = await accounts.show(alias_of(params.login, self._node.config.node.name))
        return wire.AccountState(
            found.account,
            found.created_at,
            found.devices,
            found.connected,
            found.policy,
            found.policy_at,
        )

    async def limits(self, params: Params) -> Struct:
        rows = self._control.limits.rows()
        return wire.LimitRows(
            [wire.LimitRow(row.name, row.value, row.configured, row.held_back) for row in rows]
        )

    async def set_limit(self, params: wire.SetLimitParams) -> Struct:
        limits = self._control.limits
        limits.set(params.name, params.value)
        _log.info("{name} is now {value}.", name=params.name, value=getattr(limits.now, params.name))
        return await self.limits(Params())


def control_handlers(node: Node) -> dict[str, Handler]:
    """The commands of an operator of `node`."""
    operation = Operation(node)

    return {
        "registration": Handler(wire.RegistrationParams, operation.registration),
        "invite.create": Handler(wire.CreateInviteParams, operation.create_invite),
        "invite.list": Handler(wire.ListInvitesParams, operation.list_invites),
        "invite.revoke": Handler(wire.RevokeInviteParams, operation.revoke_invite),
        "policy": Handler(Params, operation.policy),
        "policy.reload": Handler(Params, operation.reload_policy),
        "accounts": Handler(Params, operation.accounts),
        "account": Handler(wire.LoginParams, operation.account),
        "limits": Handler(Params, operation.limits),
        "limit.set": Handler(wire.SetLimitParams, operation.set_limit),
    }


def _row(invite: Invite) -> wire.InviteRow:
    return wire.InviteRow(invite.id, invite.label, invite.left, invite.uses, invite.created_at, invite.ends)
