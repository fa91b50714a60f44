"""A question at the desk: the next line that is entered answers it, and is neither sent nor remembered."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from twisted.internet.defer import Deferred

T = TypeVar("T")

PROMPT = "> "
WAIT = "One moment"


class Questions:
    """One question at a time. `changed` is called where the prompt is another one from now on."""

    def __init__(self) -> None:
        self.changed: Callable[[], None] = lambda: None
        self.prompt = PROMPT
        self.hidden = False
        """Whether what is typed is not to be seen."""
        self._answer: Deferred[str] | None = None

    @property
    def open(self) -> bool:
        return self._answer is not None

    def ask(self, text: str, hidden: bool = False) -> "Deferred[str]":
        """Ask; a question that was not answered yet is answered with nothing."""
        self.answer("")
        self.prompt, self.hidden = f"{text}: ", hidden
        answer: Deferred[str] = Deferred()
        self._answer = answer
        self.changed()
        return answer

    def answer(self, line: str) -> None:
        """A line was entered; an empty one means no."""
        answer, self._answer = self._answer, None
        self.prompt, self.hidden = PROMPT, False
        self.changed()
        if answer is not None:
            answer.callback(line)

    async def meanwhile(self, work: Awaitable[T]) -> T:
        """What comes of `work`; what is entered until then goes nowhere: it may be a secret typed ahead.

        An empty line ends that, and not the wait.
        """
        held = True

        def typed(line: str) -> None:
            nonlocal held
            if held and line:
                self.ask(WAIT, hidden=True).addCallback(typed)
            else:
                held = False

        typed("-")
        try:
            return await work
        finally:
            if held:
                held = False
                self.answer("")
