"""Errors that cross the wire: RFC 9457 problem details, each with a stable `code`.

Clients act on `code` alone; titles may be reworded at any time.
"""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Kind:
    """What a code means: its HTTP status, its JSON-RPC error number and a title for people."""

    code: str
    status: int
    rpc: int
    title: str


class Code(Enum):
    """Every error that a node answers with."""

    PARSE_ERROR = Kind("parse_error", 400, -32700, "The frame is not JSON.")
    INVALID_REQUEST = Kind("invalid_request", 400, -32600, "The frame is not a JSON-RPC 2.0 request.")
    METHOD_NOT_FOUND = Kind("method_not_found", 404, -32601, "There is no such method.")
    INVALID_PARAMS = Kind("invalid_params", 422, -32602, "The parameters are not what this method takes.")
    INTERNAL = Kind("internal_error", 500, -32603, "The node failed; the failure was logged.")
    WRONG_STATE = Kind("wrong_state", 409, -32000, "This method is not allowed in the session's state.")
    BUSY = Kind("busy", 503, -32001, "The node is busy; try again.")
    RATE_LIMITED = Kind("rate_limited", 429, -32002, "Too many requests; try again later.")
    STORAGE_UNAVAILABLE = Kind("storage_unavailable", 503, -32003, "Nothing was stored; try again.")
    SEALED = Kind("sealed", 503, -32004, "The node waits for its root secret.")
    SHUTTING_DOWN = Kind("shutting_down", 503, -32005, "The node is shutting down.")
    NOT_AUTHENTICATED = Kind("not_authenticated", 401, -32010, "Log in first.")
    BAD_CREDENTIALS = Kind("bad_credentials", 401, -32011, "The login or the password is wrong.")
    BAD_TOKEN = Kind("bad_token", 401, -32012, "The token is not valid; log in again.")
    REGISTRATION_CLOSED = Kind("registration_closed", 403, -32013, "This node takes no sign-ups.")
    USERNAME_TAKEN = Kind("username_taken", 409, -32014, "This username is taken.")
    INVALID_USERNAME = Kind(
        "invalid_username",
        422,
        -32015,
        "A username has 3 to 32 of a-z, 0-9, dot, dash and underscore, with a letter.",
    )
    WEAK_PASSWORD = Kind("weak_password", 422, -32016, "The password is too short or too common.")
    INVALID_NODE_NAME = Kind("invalid_node_name", 422, -32017, "This is not the name of a node.")
    DEVICE_NOT_FOUND = Kind("device_not_found", 404, -32018, "There is no such device.")
    NOT_FOUND = Kind("not_found", 404, -32020, "There is no such thing, or it is not for you.")
    NOT_A_CONTACT = Kind(
        "not_a_contact", 403, -32021, "You are not in each other's contacts, or not in this group."
    )
    WRONG_CONTACT_STATE = Kind("wrong_contact_state", 409, -32022, "The contact is not in a state for this.")
    NODE_UNREACHABLE = Kind("node_unreachable", 502, -32023, "The other node cannot be reached.")
    INVALID_CURSOR = Kind("invalid_cursor", 422, -32024, "This cursor was not given out by this node.")
    TOO_LARGE = Kind("too_large", 413, -32025, "This is larger than the node takes.")
    LIMIT_REACHED = Kind("limit_reached", 403, -32026, "No more of these are allowed.")
    METHOD_NOT_ALLOWED = Kind("method_not_allowed", 405, -32027, "This resource does not take this method.")
    BAD_REQUEST = Kind("bad_request", 400, -32028, "This is not a request that the node understands.")
    INVALID_POINTS = Kind(
        "invalid_points",
        422,
        -32057,
        "These are not distinct elements of ristretto255, without its identity.",
    )
    SYNC_UNAVAILABLE = Kind("sync_unavailable", 503, -32058, "Contacts cannot be found by number here.")
    PERIOD_OVER = Kind(
        "period_over", 409, -32059, "The key has changed: read the directory, and evaluate the numbers again."
    )
    SMS_UNAVAILABLE = Kind(
        "sms_unavailable", 503, -32050, "No text message can be sent to this number at present."
    )
    SUPPORT_CLOSED = Kind(
        "support_closed", 403, -32070, "The operator of this node takes no messages to support at present."
    )
    INVALID_IMAGE = Kind(
        "invalid_image",
        422,
        -32060,
        "This is not a picture of that kind, or it is damaged.",
    )
    ANIMATED_IMAGE = Kind("animated_image", 422, -32061, "A picture that moves is not taken.")
    INVALID_NUMBER = Kind(
        "invalid_number",
        422,
        -32051,
        "This is not a mobile number in international form (+, country, number).",
    )
    VERIFICATION_OVER = Kind(
        "verification_over", 410, -32052, "This verification is over, or there never was one: begin anew."
    )
    WRONG_CODE = Kind("wrong_code", 401, -32053, "The code is wrong.")
    NUMBER_CLAIMED = Kind(
        "number_claimed", 409, -32054, "The account that has this number was told that you hold it now."
    )
    NUMBER_KEPT = Kind(
        "number_kept", 409, -32055, "The account that has this number is in use, and keeps it for now."
    )
    CONSENT_NEEDED = Kind(
        "consent_needed", 403, -32066, "This needs consent to the node's policy of the version in `detail`."
    )
    INVITE_NEEDED = Kind("invite_needed", 403, -32067, "Who signs up here needs an invite that is good.")
    WRONG_PIN = Kind("wrong_pin", 401, -32063, "The login or the PIN is wrong.")
    WEAK_PIN = Kind("weak_pin", 422, -32064, "This PIN is too easy to guess, or is the password.")
    FILE_QUOTA = Kind("file_quota", 403, -32080, "This account's files would take more room than it has.")
    WRONG_OFFSET = Kind("wrong_offset", 409, -32081, "The upload is not at this offset: ask where it is.")
    WRONG_CHECKSUM = Kind("wrong_checksum", 460, -32082, "The octets do not have this checksum.")
    WRONG_CONTENT_TYPE = Kind(
        "wrong_content_type", 415, -32083, "The body of this request has to be of another type."
    )
    FILE_LOST = Kind("file_lost", 410, -32084, "The octets of this file are gone, or damaged.")
    BAD_TICKET = Kind(
        "bad_ticket", 401, -32085, "The ticket is over, or for something else: ask for another."
    )
    UPLOAD_INCOMPLETE = Kind("upload_incomplete", 409, -32086, "The file is not uploaded completely yet.")
    FILE_MISMATCH = Kind(
        "file_mismatch", 422, -32087, "The file has another size or type than the message says."
    )
    TOO_SLOW = Kind("too_slow", 408, -32088, "The body of the request came too slowly.")
    RANGE_NOT_SATISFIABLE = Kind("range_not_satisfiable", 416, -32089, "The file has nothing in this range.")
    MESSAGE_GONE = Kind(
        "message_gone", 410, -32110, "There is no such message in this chat, or nothing is left of it."
    )
    NOT_YOURS = Kind(
        "not_yours",
        403,
        -32111,
        "Somebody else wrote this message: only its author can change it; a group's admins can delete it.",
    )
    EDIT_OVER = Kind("edit_over", 409, -32112, "This message is too old to be changed.")
    NOT_EDITABLE = Kind("not_editable", 409, -32113, "What this message holds cannot be changed to that.")
    INVALID_EMOJI = Kind("invalid_emoji", 422, -32114, "This is not one emoji.")
    TOO_MANY_REACTIONS = Kind(
        "too_many_reactions", 409, -32115, "This message has as many different reactions as it can have."
    )
    TOO_MANY_PINS = Kind("too_many_pins", 409, -32116, "As many messages are pinned here as can be.")
    NOT_FORWARDABLE = Kind("not_forwardable", 409, -32117, "What this message holds cannot be forwarded.")
    NOT_A_MEMBER = Kind("not_a_member", 422, -32118, "Somebody who is mentioned is not in this chat.")
    NOT_PERMITTED = Kind("not_permitted", 403, -32100, "Your role in this group does not allow this.")
    WRONG_MEMBER_STATE = Kind(
        "wrong_member_state", 409, -32101, "That account's place in the group is not one for this."
    )
    GROUP_FULL = Kind("group_full", 403, -32102, "The group has as many members as it may have.")
    HISTORY_FIXED = Kind("history_fixed", 403, -32120, "This chat is the node's own: its history stays on.")
    NOTHING_ERASED = Kind("nothing_erased", 404, -32121, "The history of this chat was never erased.")
    SECURE_ONLY = Kind(
        "secure_only",
        409,
        -32177,
        "This chat is secure: nothing is written into it, or said of it, in clear.",
    )
    NOT_SECURE = Kind("not_secure", 409, -32178, "What is sealed for a secure chat is taken in no other.")
    PREMIUM_NEEDED = Kind("premium_needed", 402, -32179, "This takes premium.")
    VAULT_CONFLICT = Kind(
        "vault_conflict", 409, -32190, "The vault has another version, which is in `detail`: read it first."
    )
    VAULT_INCOMPLETE = Kind(
        "vault_incomplete", 409, -32191, "This does not follow on the part before: begin with the first one."
    )
    RECEIPT_REFUSED = Kind(
        "receipt_refused", 409, -32160, "This receipt is not for what this node has asked to be erased."
    )
    HISTORY_ERASED = Kind(
        "history_erased", 409, -32161, "The history was switched off meanwhile: this was erased with it."
    )
    # Between nodes; clients see some of them of what another node does.
    NOT_ACROSS_NODES = Kind(
        "not_across_nodes", 409, -32150, "This cannot be done where somebody of another node is in the chat."
    )
    FEDERATION_REFUSED = Kind(
        "federation_refused", 403, -32130, "One of the two nodes does not exchange anything with the other."
    )
    BAD_SIGNATURE = Kind("bad_signature", 401, -32131, "The node's signature is missing, or is not good.")
    UNKNOWN_KEY = Kind(
        "unknown_key", 401, -32132, "The node does not publish this key, or not as one that it uses."
    )
    REPLAYED = Kind(
        "replayed", 401, -32133, "This request was here before, or was signed at another time: sign anew."
    )
    WRONG_DESTINATION = Kind("wrong_destination", 421, -32134, "This request is for another node.")
    MALFORMED_EVENT = Kind(
        "malformed_event", 422, -32135, "This is not an event in canonical form, or is too long for one."
    )
    WRONG_SENDER_NODE = Kind(
        "wrong_sender_node", 403, -32136, "The event is not signed by the node of its sender."
    )
    STALE_STREAM = Kind(
        "stale_stream",
        409,
        -32140,
        "This stream was further already, or said something else: begin a new one.",
    )
    SEQUENCE_GAP = Kind("sequence_gap", 409, -32141, "Something before this is missing: begin a new stream.")
    PEER_BEHIND = Kind(
        "peer_behind", 503, -32142, "Too much waits for the other node: it has to come back first."
    )
    UNKNOWN_KIND = Kind("unknown_kind", 422, -32143, "This node does not know this kind of event.")
    NOT_TAKEN = Kind(
        "not_taken",
        503,
        -32170,
        "The node that orders this group was away for too long, or could not take this: it is not done.",
    )
    PUSH_UNAVAILABLE = Kind("push_unavailable", 422, -32175, "This node has no such push provider.")
    PUSH_ADDRESS_REFUSED = Kind(
        "push_address_refused", 422, -32176, "This can be no address of that push provider."
    )
    KEY_MISMATCH = Kind(
        "key_mismatch",
        409,
        -32180,
        "The account has other public keys than these: `detail` says with which hash, and since when.",
    )
    BAD_KEYS = Kind("bad_keys", 422, -32181, "These public keys are not signed as they have to be.")
    CALL_OVER = Kind("call_over", 409, -32182, "This call is over, or was answered on another device.")
    CALL_EXISTS = Kind("call_exists", 409, -32183, "There is another call with this id.")
    WRONG_CALL_STATE = Kind("wrong_call_state", 409, -32184, "The call is not in a state for this.")
    CONFERENCE_FULL = Kind("conference_full", 409, -32185, "There are 6 devices in this conference.")
    CARRIER_UNAVAILABLE = Kind(
        "carrier_unavailable", 503, -32155, "Nothing leads to the telephone network at present."
    )
    NO_SAFENUM = Kind("no_safenum", 409, -32156, "This account has no number to call from.")
    VOICEMAIL_UNAVAILABLE = Kind(
        "voicemail_unavailable", 503, -32166, "Nothing answers calls on this node at present."
    )
    BAD_GREETING = Kind(
        "bad_greeting", 422, -32167, "A greeting is an Ogg or WAV file with up to 30 seconds of speech."
    )
    NO_BALANCE = Kind("no_balance", 402, -32200, "The balance is not enough for this.")
    NO_RATE = Kind("no_rate", 422, -32201, "This number cannot be called from here.")
    DESTINATION_REFUSED = Kind(
        "destination_refused", 403, -32202, "Numbers of the kind in `detail` are not called from this node."
    )
    SPEND_LIMIT = Kind("spend_limit", 403, -32203, "What may be spent on calls in a day is spent.")
    COUNTRY_NEEDED = Kind(
        "country_needed", 409, -32204, "Say first in which country you live: its tax is part of the price."
    )
    PREMIUM_FREE = Kind("premium_free", 409, -32144, "Everybody has premium here: there is nothing to pay.")
    PRICE_CHANGED = Kind("price_changed", 409, -32145, "The price is another one now: ask for it again.")
    PAYMENTS_UNAVAILABLE = Kind(
        "payments_unavailable", 503, -32146, "Money cannot be paid in at present in this way."
    )
    BAD_AMOUNT = Kind("bad_amount", 422, -32147, "This amount cannot be paid in: `detail` says what can.")
    BAD_VOUCHER = Kind("bad_voucher", 422, -32205, "There is no such voucher, or it was redeemed.")
    MESSAGE_NOT_KEPT = Kind(
        "message_not_kept",
        409,
        -32123,
        "The history was off: the message is not kept, nor pinned.",
    )
    DRAFT_NOT_KEPT = Kind(
        "draft_not_kept", 409, -32122, "The history of this chat is off: the node keeps no drafts for it."
    )
    # To the operator alone, over the admin socket.
    INVALID_WORDS = Kind(
        "invalid_words",
        422,
        -32040,
        "These are not the words of a secret or share: check each.",
    )
    FOREIGN_SHARE = Kind("foreign_share", 409, -32041, "This share is of another set.")
    REPEATED_SHARE = Kind("repeated_share", 409, -32042, "This share was given already.")
    WRONG_ROOT_SECRET = Kind(
        "wrong_root_secret",
        403,
        -32043,
        "The root secret is not this node's, or its keyring is damaged.",
    )
    ALREADY_INITIALISED = Kind(
        "already_initialised", 409, -32044, "There is a keyring in the state directory."
    )
    NOT_INITIALISED = Kind("not_initialised", 409, -32045, "There is no keyring in the state directory.")
    UNSAFE_SOURCE = Kind("unsafe_source", 403, -32046, "A root secret is not taken from there.")

    @property
    def code(self) -> str:
        return self.value.code


class Problem(Exception):
    """A refusal that a client is told of.

    `detail` adds what is particular to this occurrence and must hold nothing secret;
    `retry_after` is in seconds.
    """

    def __init__(self, code: Code, detail: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(code.value.code if detail is None else f"{code.value.code}: {detail}")
        self.code = code
        self.detail = detail
        self.retry_after = retry_after


class Tampered(Exception):
    """Sealed octets, or the context they were sealed for, are not what they were. Names nothing."""


class Erased(Tampered):
    """The key that would open this was destroyed."""
