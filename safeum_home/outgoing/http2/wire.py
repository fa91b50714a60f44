"""`h2` as a client needs it here: the frames of one connection, without input or output."""

from collections.abc import Iterable
from contextlib import suppress

from h2.config import H2Configuration
from h2.connection import ConnectionInputs, ConnectionState, H2Connection, H2ConnectionStateMachine
from h2.errors import ErrorCodes
from h2.events import Event
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from hpack import Encoder, HeaderTuple

from safeum_home.outgoing.http2.asking import Fields

LAST_STREAM = 2**31 - 1
"""The highest number of a stream; then another connection is needed."""
LONGEST_HEAD = 16 * 1024
"""Octets of a list of header fields as RFC 9113, section 10.5.1 counts them."""
_INDEXED, _ENTERS, _ONE_OCTET = 0x80, 0x40, 0x7F
"""RFC 7541, sections 6.1 and 6.2.1, and lengths below which are one octet (section 5.1)."""
_SWEPT = 1024
"""Streams that may have ended before `h2` is made to forget them: it goes through all of them for that."""


class Wire(H2Connection):
    """Takes no pushed streams. Of what is sent nothing is checked: header fields are this project's own."""

    MAX_CLOSED_STREAMS = 4096
    # It would keep 65,536 of them: what comes late for one comes within a moment.

    def __init__(self) -> None:
        super().__init__(
            H2Configuration(
                client_side=True,
                header_encoding=None,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self.state_machine = _GoesOn()
        self.encoder = _Plain()
        # In force from the first octet, not only when the peer has agreed.
        self.decoder.max_header_list_size = LONGEST_HEAD
        self.local_settings = Settings(
            client=True,
            initial_values={SettingCodes.ENABLE_PUSH: 0, SettingCodes.MAX_HEADER_LIST_SIZE: LONGEST_HEAD},
        )
        self.open = 0
        """Streams that were begun and not forgotten."""
        self._ended = 0

    @property
    def open_outbound_streams(self) -> int:
        """`h2` goes through all streams to count them, for each request."""
        return self.open

    def begin(self, head: Fields, ends: bool) -> int:
        """Open a stream with a request's header fields; its number. `ends` where no body follows."""
        stream = self.get_next_available_stream_id()
        self.send_headers(stream, head, ends)
        self.open += 1
        return stream

    def give_up(self, stream: int) -> None:
        """Tell the peer that nobody waits for the stream."""
        # It may have ended meanwhile, or the connection.
        with suppress(ProtocolError):
            self.reset_stream(stream, ErrorCodes.CANCEL)

    def forget(self) -> None:
        """A stream that was begun is at its end."""
        self.open -= 1
        self._ended += 1
        if self._ended >= _SWEPT:
            self._ended = 0
            # It forgets those that have ended when it counts.
            _ = super().open_outbound_streams

    def clear_outbound_data_buffer(self) -> None:
        """`h2` would throw away what is to be sent when a GOAWAY comes: acknowledgements, too."""


class _GoesOn(H2ConnectionStateMachine):
    """After a GOAWAY streams go on to their end (RFC 9113, section 6.8).

    `h2` takes the connection to be at its end: https://github.com/python-hyper/h2/issues/1181
    """

    def process_input(self, input_: ConnectionInputs) -> list[Event]:
        if input_ is ConnectionInputs.RECV_GOAWAY and self.state is not ConnectionState.CLOSED:
            return []
        return super().process_input(input_)


class _Plain(Encoder):
    """Without Huffman's code: what is not in the table is random, and would cost more than it saves.

    It keeps how fields are written, until something enters the table: then all have other numbers. The
    library looks through the whole table for each.
    """

    def __init__(self) -> None:
        super().__init__()
        self._fields: dict[tuple[bytes, bytes], bytes] = {}
        self._names: dict[bytes, bytes] = {}
        """How fields that enter no table begin, before their values."""

    def encode(self, headers: Iterable[HeaderTuple], huffman: bool = False) -> bytes:  # type: ignore[override]
        if self.header_table.resized:
            self._forget()
        return super().encode(headers, huffman=False)

    def add(self, to_add: tuple[bytes, bytes], sensitive: bool, huffman: bool = False) -> bytes:
        name, value = to_add
        short = len(value) < _ONE_OCTET
        if sensitive and short and (begun := self._names.get(name)) is not None:
            return begun + bytes((len(value),)) + value
        if not sensitive and (known := self._fields.get(to_add)) is not None:
            return known
        octets = super().add(to_add, sensitive, huffman)
        if octets[0] & _INDEXED:
            self._fields[to_add] = octets
        elif octets[0] & _ENTERS:
            self._forget()
        elif sensitive and short:
            self._names[name] = octets[: -len(value) - 1]
        return octets

    def _forget(self) -> None:
        self._fields.clear()
        self._names.clear()
