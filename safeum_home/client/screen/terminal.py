"""`safeum chat`: the desk on a screen, with prompt_toolkit. What is shown is made in `render`."""

import asyncio
import time
from collections.abc import Iterable

from prompt_toolkit.application import Application, get_app
from prompt_toolkit.clipboard import InMemoryClipboard
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import (
    ConditionalContainer,
    Float,
    FloatContainer,
    FormattedTextControl,
    HSplit,
    Layout,
    VSplit,
    Window,
)
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.layout.menus import CompletionsMenu
from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.widgets import TextArea
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.desk_events import Listening
from safeum_home.client.desk.phone import Phone
from safeum_home.client.entry.passphrase_entry import given
from safeum_home.client.screen import page, render
from safeum_home.client.screen.blocks import Line
from safeum_home.client.screen.terminal_style import STYLE
from safeum_home.client.session import Client
from safeum_home.client.slash.commands import completions, submit
from safeum_home.client.state.loading import load
from safeum_home.client.words.widths import shadow

EVERY_SECOND = 1.0


class _Completer(Completer):
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        before = document.text_before_cursor
        if not before.startswith("/"):
            start = -len("@" + before.rpartition("@")[2])
        else:
            start = -len(before) if " " not in before else -len(before.partition(" ")[2])
        for text, about in completions(self._desk, before):
            yield Completion(text, start, display_meta=about)


class _Certain(Processor):
    """Shows what is being typed without what terminals disagree on; it is sent as it was typed."""

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        shown: StyleAndTextTuples = [
            (style, shadow(text)) for style, text, *_ in transformation_input.fragments
        ]
        return Transformation(shown)


class Screen:
    """The layout: chats at the left, the open chat, the line for typing, the state of things."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._input = TextArea(
            height=Dimension(min=1, max=5),
            dont_extend_height=True,
            prompt=lambda: desk.prompt,
            password=Condition(lambda: desk.questions.hidden),
            wrap_lines=True,
            completer=_Completer(desk),
            complete_while_typing=True,
            input_processors=[_Certain()],
        )
        self._was = ""
        self._input.buffer.on_text_changed += self._typed
        self.app: Application[None] = Application(
            layout=Layout(self._layout(), self._input),
            key_bindings=self._keys(),
            style=STYLE,
            full_screen=True,
            refresh_interval=EVERY_SECOND,
            color_depth=ColorDepth.DEPTH_4_BIT,
        )
        self.app.timeoutlen = 0.3
        self.app.key_processor.before_key_press += lambda _: desk.attention.used()
        desk.refresh = desk.questions.changed = self.app.invalidate
        desk.leave = self._leave
        desk.opened = self._opened
        desk.wiped = self._forget
        desk.bell = self.app.output.bell

    # --- sizes -----------------------------------------------------------------------------------

    def _columns(self) -> int:
        return get_app().output.get_size().columns

    def _wide(self) -> bool:
        return self._columns() >= render.NARROW and not self._desk.reading

    def _size(self) -> tuple[int, int]:
        """Columns and rows of the open chat."""
        size = get_app().output.get_size()
        columns = size.columns - (render.SIDEBAR + 1 if self._wide() else 0)
        lines = min(5, max(1, self._input.document.line_count))
        return columns, max(1, size.rows - 3 - lines)

    # --- layout ----------------------------------------------------------------------------------

    def _layout(self) -> FloatContainer:
        desk = self._desk

        def chats() -> StyleAndTextTuples:
            return _flat(render.sidebar(desk, render.SIDEBAR, self._size()[1] + 2))

        def body() -> StyleAndTextTuples:
            return _flat(page.body(desk, *self._size()))

        def one(line: Line) -> StyleAndTextTuples:
            return _flat([line])

        wide = Condition(self._wide)
        side = VSplit(
            [
                Window(FormattedTextControl(chats), width=render.SIDEBAR),
                Window(width=1, char="│", style="class:time"),
            ]
        )
        talk = HSplit(
            [
                Window(FormattedTextControl(lambda: one(render.header(desk, self._size()[0]))), height=1),
                Window(FormattedTextControl(body)),
                Window(FormattedTextControl(lambda: one(render.info(desk, *self._size()))), height=1),
            ]
        )
        whole = HSplit(
            [
                VSplit([ConditionalContainer(side, wide), talk]),
                self._input,
                Window(FormattedTextControl(lambda: one(render.status(desk, self._columns()))), height=1),
            ]
        )
        menu = Float(CompletionsMenu(max_height=8, scroll_offset=1), xcursor=True, ycursor=True)
        return FloatContainer(whole, [menu])

    # --- keys ------------------------------------------------------------------------------------

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        desk, add = self._desk, keys.add

        @add("enter")
        def _(event: KeyPressEvent) -> None:
            text = self._input.text
            if text.strip() and not desk.questions.open:
                self._input.buffer.append_to_history()
            self._submit(text)

        @add("escape", "enter")
        def _(event: KeyPressEvent) -> None:
            self._input.buffer.insert_text("\n")

        @add("c-c")
        def _(event: KeyPressEvent) -> None:
            if desk.questions.open:
                self._submit("")
            elif self._input.text:
                self._input.buffer.reset()
                self._typed(None)  # a reset tells nobody
            else:
                desk.quit()

        @add("pageup")
        def _(event: KeyPressEvent) -> None:
            columns, rows = self._size()
            page.scroll(desk, max(1, rows - 2), columns, rows)

        @add("pagedown")
        def _(event: KeyPressEvent) -> None:
            columns, rows = self._size()
            page.scroll(desk, -max(1, rows - 2), columns, rows)

        @add("escape")
        def _(event: KeyPressEvent) -> None:
            desk.read([])

        @add("c-n")
        def _(event: KeyPressEvent) -> None:
            desk.neighbour(1)

        @add("c-p")
        def _(event: KeyPressEvent) -> None:
            desk.neighbour(-1)

        @add("f1")
        def _(event: KeyPressEvent) -> None:
            submit(desk, "/help")

        return keys

    def _submit(self, text: str) -> None:
        """The line was entered: its draft is over when it is sent."""
        self._was = ""
        self._input.buffer.reset()
        if self._desk.questions.hidden:
            self.app.clipboard = InMemoryClipboard()  # what was cut out of it is not to be inserted elsewhere
        submit(self._desk, text)
        self._desk.numbers.line("")

    def _typed(self, _: object) -> None:
        """The line has changed. What begins with a slash is no message, nor is what follows a question."""
        if self._was == self._input.text or self._desk.questions.hidden:
            return
        was, self._was = self._was, self._input.text
        self._desk.numbers.line(self._was)
        if not (self._was or was).startswith("/") and not self._desk.questions.open:
            self._desk.typed(self._was)

    def _opened(self, draft: str) -> None:
        """A chat was opened: what was begun there stands in the line, unless a command is being typed."""
        if not self._input.text.startswith("/") and not self._desk.questions.open:
            self._was = draft  # it is there already: nobody types it
            if self._desk.current is not None:
                self._desk.drafts.take(self._desk.current)
            self._input.buffer.set_document(Document(draft), bypass_readonly=True)

    def _forget(self) -> None:
        """What was entered before is not offered again."""
        self._input.buffer.history = InMemoryHistory()
        self._input.buffer.reset(self._input.buffer.document)

    def _leave(self) -> None:
        if self.app.is_running and not self.app.is_done:
            self.app.exit()


def _flat(lines: list[Line]) -> StyleAndTextTuples:
    flat: StyleAndTextTuples = []
    for index, line in enumerate(lines):
        if index:
            flat.append(("", "\n"))
        flat += [(f"class:{style}" if style else "", text) for style, text in line]
    return flat


async def run_terminal(
    client: Client, clock: IReactorTime, phone: Phone, passphrase: str | None = None
) -> Desk:
    """Show a session that is open until its person leaves; what was on the desk then is the result.

    With a `passphrase` secure chats are unlocked at once.
    """
    desk = Desk(client, clock, lambda: int(time.time() * 1000))
    loop = asyncio.get_running_loop()
    # The threads are those of the loop: a reactor that lives in one starts none of its own.
    desk.secure.in_thread = lambda work: Deferred.fromFuture(loop.run_in_executor(None, work))
    screen = Screen(desk)
    await Deferred.fromCoroutine(load(client.state, client)).asFuture(loop)
    client.listen(Listening(desk).heard)
    desk.calls.take(phone)
    desk.attention.used()
    if passphrase is not None:
        desk.run(given(desk, passphrase))
    try:
        await screen.app.run_async()
    finally:
        desk.attention.stop()
        desk.outbox.stop()
        desk.drafts.keep()
        desk.calls.end()
        await phone.close()
    return desk
