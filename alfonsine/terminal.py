"""What is shown on a terminal: the outcome of a run, and progress while it goes on."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from alfonsine.errors import InputError


def show(certificate: dict[str, Any], folder: Path) -> None:
    """Print the outcome, what it rests on, and where to read more."""
    table = Table(box=None, show_header=False)
    kl, calls = certificate.get("kl", {}), certificate.get("solver_calls", {})
    rows = {
        "outcome": certificate["outcome"],
        "advice": certificate.get("advice", ""),
        "KL to the exact posterior": f"{told(kl.get('estimate'))} nats, 95 % sure below {told(kl.get('upper95'))}",
        "exact calls": ", ".join(f"{n} {what}" for what, n in calls.items()),
        "run folder": str(folder),
        "report": str(folder / "report.html"),
    }
    for name, value in rows.items():
        table.add_row(name, value)
    Console().print(table)


def told(value: float | None) -> str:
    """Two digits, or a word for what the certificate could not state."""
    return "unknown" if value is None else f"{value:.2g}"


class Display:
    """Progress on a terminal: one live line with the stage below lines that stay; plain lines in a log."""

    def __init__(self) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
        )

        self._console = Console()
        self._live = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=self._console,
            transient=True,
        )
        self._task: Any = None

    def start(self, stage: str, total: int | None = None) -> None:
        """Show the stage; in a log, as a line."""
        self.stop()
        if not self._console.is_terminal:
            self.say(f"{stage}{f' ({total})' if total else ''} ...")
            return
        self._task = self._live.add_task(stage, total=total, note="")
        self._live.start()

    def advance(self, note: str = "") -> None:
        """Move the bar."""
        if self._task is not None:
            self._live.update(self._task, advance=1, note=note)

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        self._live.console.print(line, highlight=False, markup=False, soft_wrap=True)  # whole lines in a log

    def stop(self) -> None:
        """Take the bar away."""
        if self._task is not None:
            self._live.stop()
            self._live.remove_task(self._task)
            self._task = None


class DownloadDisplay:
    """Bytes of a data set as they come: a bar on a terminal, a line for each data set in a log."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        self._console = Console(stderr=True)  # what is printed on stdout are the folders
        self._live = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=self._console,
            transient=True,
            redirect_stdout=False,
        )
        self._task: Any = None

    def __enter__(self) -> "DownloadDisplay":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def start(self, name: str, total: int) -> None:
        """The next data set, of which so many bytes are to come."""
        if self._task is not None:
            self._live.remove_task(self._task)
        self._task = self._live.add_task(name, total=total)
        if total and not self._console.is_terminal:
            self._console.print(
                f"{name}: {size_told(total)} to fetch ...", highlight=False, markup=False, soft_wrap=True
            )

    def advance(self, count: int) -> None:
        """Bytes that came."""
        if self._task is not None:
            self._live.update(self._task, advance=count)


def each_of(names: Iterable[str], do: Callable[[str], Path]) -> None:
    """Do it for every name and print what it gives; one that fails does not keep the others from being done.

    InputError at the end: the last of those that came, the others are told on stderr as they come.
    """
    failed: list[InputError] = []
    for name in names:
        try:
            print(do(name))
        except InputError as error:
            if failed:
                print(f"alfonsine: {failed[-1]}", file=sys.stderr)
            failed.append(error)
    if failed:
        raise failed[-1]


def size_told(count: int) -> str:
    """Bytes in words: 620 kB, 3.1 MB."""
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(count, 1000) / 1e3:.0f} kB"
