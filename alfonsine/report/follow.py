"""Watch a run: look at its folder every second, show what is seen, until the user leaves."""

import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from rich.console import Console
from rich.live import Live

from alfonsine.report.report import write_page
from alfonsine.report.serve import ADDRESS, Served, serve
from alfonsine.report.watch import View, Watcher
from alfonsine.report.watched_page import NAME, REFRESH, watched_page
from alfonsine.report.watched_screen import screen

EVERY = 1.0  # seconds from one look to the next
LEAVE = {"q", "Q"}


def follow(folder: Path, *, once: bool = False, page: bool = False, port: int | None = None) -> None:
    """Show the run in `folder`; InputError where there is nothing to show.

    once   and then leave; also where there is no terminal, and no page either
    page   write watch.html into the folder: the only thing that watching ever writes
    port   serve that page on this machine
    """
    watcher = Watcher(folder)
    view, console = watcher.look(), Console()
    unicode = console.encoding.lower().startswith("utf")
    if not unicode and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    with ExitStack() as stack:
        served = None if port is None or once else stack.enter_context(serve(port))
        pages = Pages(folder / NAME if page else None, served)
        pages.show(view)
        if once or not (console.is_terminal or page or served):
            console.print(screen(view, console.width, unicode=unicode))
            return
        where = pages.where()
        try:
            if console.is_terminal:
                view = _live(console, watcher, pages, unicode, ". ".join(filter(None, ["q leaves", where])))
            else:
                print(where, flush=True)
                view = _silently(watcher, pages, forever=served is not None)
        except KeyboardInterrupt:
            return
    console.print(screen(view, console.width, unicode=unicode))


def _live(console: Console, watcher: Watcher, pages: "Pages", unicode: bool, hint: str) -> View:
    """On the whole terminal, until q."""
    with keys() as pressed, Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            view = watcher.look()
            live.update(screen(view, console.width, console.height, unicode, hint), refresh=True)
            pages.show(view)
            if pressed(EVERY) in LEAVE:
                return view


def _silently(watcher: Watcher, pages: "Pages", forever: bool) -> View:
    """Without a terminal, until the run has ended."""
    while True:
        view = watcher.look()
        pages.show(view)
        if view.ended and not forever:
            return view
        sleep(EVERY)


@dataclass
class Pages:
    """Where the page goes: a file, a server, both or neither. It is made anew when a browser asks again, not before."""

    file: Path | None
    served: Served | None
    made: float = -float("inf")
    shown: object = None

    def show(self, view: View) -> None:
        """Make the page, where somebody may see it and it is time to."""
        if self.file is None and self.served is None:
            return
        if view.life is self.shown and monotonic() - self.made < REFRESH:
            return
        self.made, self.shown = monotonic(), view.life
        written = watched_page(view)
        if self.file is not None:
            write_page(self.file, written)
        if self.served is not None:
            self.served.page = written

    def where(self) -> str:
        """Where the page is, for people."""
        places = [] if self.served is None else [f"http://{ADDRESS}:{self.served.port}/"]
        return ", ".join([*places, *([] if self.file is None else [str(self.file)])])


@contextmanager
def keys() -> Iterator[Callable[[float], str]]:
    """A function that waits so many seconds for a key, and returns it, or nothing."""

    def wait(seconds: float) -> str:
        sleep(seconds)
        return ""

    try:
        import termios
        import tty
    except ImportError:  # there are other systems
        yield wait
        return
    try:
        terminal = sys.stdin.fileno()
        before = termios.tcgetattr(terminal)
        if os.getpgrp() != os.tcgetpgrp(terminal):  # in the background a process that touches its terminal is stopped
            raise OSError
    except (OSError, ValueError, AttributeError, termios.error):
        yield wait
        return

    def pressed(seconds: float) -> str:
        if not select.select([terminal], [], [], seconds)[0]:
            return ""
        found = os.read(terminal, 64)
        return wait(seconds) if not found else found.decode(errors="replace")[0]

    tty.setcbreak(terminal)
    try:
        yield pressed
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
