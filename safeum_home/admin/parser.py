"""A command line of many commands: whoever names none that there is sees all of them."""

import argparse
import sys
from typing import NoReturn

from safeum_home.admin.terminal import USAGE


class Parser(argparse.ArgumentParser):
    """Argparse says `COMMAND`, or lists names alone; what each one does is what people look for then."""

    def error(self, message: str) -> NoReturn:
        if self._subparsers is None:
            super().error(message)
        self.print_help(sys.stderr)
        self.exit(USAGE, f"\n{self.prog}: error: {message}\n")
