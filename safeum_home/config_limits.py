"""The section `[limits]` of the configuration."""

from typing import Annotated, Literal

from msgspec import Meta

from safeum_home.config_base import Positive, Rate, Seconds, Section
from safeum_home.protocol.call_types import MOST_SIGNAL


class LimitSection(Section, frozen=True):
    """Bounds against floods. Rates are per second, bursts are how many may come at once."""

    connections: Positive = 20_000
    connections_per_address: Positive = 64
    authentication_seconds: Seconds = 15.0
    ping_seconds: Seconds = 60.0
    idle_seconds: Annotated[float, Meta(ge=0, le=86400 * 365)] = 180.0
    """After which a device that nobody uses is put to sleep; 0: never."""
    idle_without_push: Literal["stay", "sleep"] = "stay"
    """What becomes of those among them that nothing can wake."""
    commands_per_second: Rate = 50.0
    commands_burst: Positive = 400
    in_flight: Annotated[int, Meta(ge=2, le=4096)] = 64
    outbound_frames: Positive = 2_000
    outbound_bytes: Positive = 1_048_576
    unacknowledged: Positive = 10_000
    logins_per_address: Rate = 0.5
    logins_per_address_burst: Positive = 20
    logins_per_account: Rate = 0.05
    logins_per_account_burst: Positive = 10
    pin_tries: Positive = 10
    """For one login and day, from all addresses together; and as many for sessions of the account."""
    pin_tries_per_address: Positive = 20
    pin_tries_anywhere: Positive = 1_000
    """Wrong ones from outside in a day, for all logins together."""
    signups_per_address: Rate = 0.01
    signups_per_address_burst: Positive = 10
    finds_per_account: Rate = 0.005
    finds_per_account_burst: Positive = 50
    contact_requests_per_account: Rate = 0.001
    contact_requests_per_account_burst: Positive = 20
    finds_per_node: Rate = 1.0
    finds_per_node_burst: Positive = 500
    """For each other node that asks."""
    contact_requests_per_node: Rate = 5.0
    contact_requests_per_node_burst: Positive = 2_000
    closings_per_node: Rate = 0.2
    closings_per_node_burst: Positive = 500
    pictures_per_node: Rate = 10.0
    pictures_per_node_burst: Positive = 1_000
    group_commands_per_node: Rate = 20.0
    group_commands_per_node_burst: Positive = 2_000
    events_per_foreign_account: Rate = 50.0
    """Messages, changes, reactions and receipts of direct chats, of one account of another node."""
    events_per_foreign_account_burst: Annotated[int, Meta(ge=500)] = 2_000
    """A transaction has up to 500, so that any comes to its end."""
    events_per_hub: Rate = 500.0
    """What one node tells of all of its groups; of long messages each KiB counts."""
    events_per_hub_burst: Annotated[int, Meta(ge=500)] = 20_000
    support_messages_per_account: Rate = 0.02
    support_messages_per_account_burst: Positive = 20
    profile_changes_per_account: Rate = 0.02
    profile_changes_per_account_burst: Positive = 30
    history_switches_per_account: Rate = 0.01
    history_switches_per_account_burst: Positive = 5
    key_publications_per_account: Rate = 0.2
    key_publications_per_account_burst: Positive = 100
    key_changes_per_account: Rate = 0.001
    """Also of each account of another node: who is in a chat with it is told each time."""
    key_changes_per_account_burst: Positive = 10
    key_queries_per_account: Rate = 10.0
    key_queries_per_account_burst: Annotated[int, Meta(ge=100)] = 2_000
    """In accounts that are asked for."""
    key_queries_per_node: Rate = 200.0
    key_queries_per_node_burst: Annotated[int, Meta(ge=100)] = 20_000
    relay_credentials_per_account: Rate = 0.03
    relay_credentials_per_account_burst: Positive = 10
    conferences_per_account: Rate = 0.2
    conferences_per_account_burst: Positive = 20
    """Begun or joined."""
    conference_looks_per_account: Rate = 2.0
    conference_looks_per_account_burst: Positive = 200
    """Asked whether there is one."""
    conference_rings: Rate = 0.02
    conference_rings_burst: Positive = 3
    """For one who begins, in each group."""
    conference_signals_per_account: Rate = 20.0
    conference_signals_per_account_burst: Positive = 400
    conference_octets_per_account: Rate = 65_536.0
    conference_octets_per_account_burst: Annotated[int, Meta(ge=MOST_SIGNAL)] = 1_048_576
    conference_octets_to_node: Rate = 262_144.0
    conference_octets_to_node_burst: Annotated[int, Meta(ge=MOST_SIGNAL)] = 4_194_304
    """Of signals, from all accounts of this node to one other."""
    conferences_per_node: Rate = 20.0
    conferences_per_node_burst: Positive = 1_000
    """What one other node asks and tells of them: as many for each kind of question and word."""
    conference_reports: Rate = 1.0
    conference_reports_burst: Positive = 60
    """Of each conference that goes on with another node, from it."""
    conference_signals_per_node: Rate = 200.0
    conference_signals_per_node_burst: Positive = 2_000
    file_requests_per_account: Rate = 20.0
    file_requests_per_account_burst: Positive = 400
    verifications_per_address: Rate = 0.005
    verifications_per_address_burst: Positive = 10
    codes_per_number: Rate = 0.0001
    codes_per_number_burst: Positive = 6
    contacts: Positive = 5_000
    groups: Positive = 500
    group_members: Annotated[int, Meta(ge=1, le=2_000)] = 2_000
    group_open_invitations: Positive = 500
    invitations: Annotated[int, Meta(ge=1, le=50)] = 50
    group_invitations_per_account: Rate = 0.02
    group_invitations_per_account_burst: Positive = 200
    group_changes_per_account: Rate = 0.2
    group_changes_per_account_burst: Positive = 100
    group_descriptions_per_account: Rate = 0.02
    group_descriptions_per_account_burst: Positive = 30
    calls: Positive = 20_000
    """Halves of calls at this node: a call between two of it is two."""
    calls_per_account: Positive = 2
    """That it has begun, or taken."""
    calls_ringing: Positive = 8
    """For one account."""
    call_invites_per_account: Rate = 0.2
    call_invites_per_account_burst: Positive = 30
    call_invites_per_node: Rate = 20.0
    call_invites_per_node_burst: Positive = 500
    """For each other node."""
    call_rings_per_caller: Rate = 0.05
    call_rings_per_caller_burst: Positive = 6
    """How often one account rings another one."""
    call_rings_per_account: Rate = 0.5
    call_rings_per_account_burst: Positive = 40
    """How often it rings for one."""
    call_signals: Rate = 10.0
    call_signals_burst: Positive = 200
    """For each call and direction."""
    call_signal_octets_per_account: Rate = 16_384.0
    call_signal_octets_per_account_burst: Annotated[int, Meta(ge=24_576)] = 262_144
    """Of what one says in all its calls; the burst is no less than the longest signal."""
    voicemail_greetings_per_account: Rate = 0.005
    voicemail_greetings_per_account_burst: Positive = 10
    vault_parts_per_account: Rate = 1.0
    vault_parts_per_account_burst: Annotated[int, Meta(ge=100)] = 200
    """That are read, or written: of the longest vault there are 24."""
    telephone_calls: Positive = 1_000
    """With the telephone network, at this node."""
    telephone_ringing: Positive = 4
    """Calls from there that ring for one account."""
    telephone_dials_per_account: Rate = 0.2
    telephone_dials_per_account_burst: Positive = 30
    telephone_rings_per_caller: Rate = 0.1
    telephone_rings_per_caller_burst: Positive = 20
    """From one number in the telephone network, to all SafeNUMs together."""
    telephone_rings_per_number: Rate = 0.2
    telephone_rings_per_number_burst: Positive = 30
    """To one SafeNUM."""
    deliveries_per_account: Rate = 10_000.0
    deliveries_per_account_burst: Positive = 200_000
    devices: Annotated[int, Meta(ge=1, le=50)] = 50
    """As many as fit a frame at their longest."""
