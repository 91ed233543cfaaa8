"""What is shown on a terminal: the outcome of a run, and progress while it goes on."""

import re
import sys
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from rich.console import Console
from rich.table import Table

from alfonsine.errors import InputError

CHAIN = re.compile(r"\d\.txt$")
MANY = 2  # chains that are still named one by one
SHOWN = 8  # parameters


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
        **parameters_told(folder / "posterior.npz"),
    }
    for name, value in rows.items():
        table.add_row(name, value)
    Console().print(table)


def parameters_told(path: Path) -> dict[str, str]:
    """Mean and standard deviation of the sampled parameters, the first in their order; nothing without the record."""
    import numpy as np

    from alfonsine.report.moments import mean_and_sigma
    from alfonsine.report.rounding import MINUS, with_error

    try:
        with np.load(path) as stored:
            names, samples, weights = stored["names"].tolist(), stored["samples"], stored["weights"]
        found = [mean_and_sigma(column, weights) for column in samples.T]
    except (OSError, EOFError, ValueError, KeyError, ZeroDivisionError, BadZipFile, zlib.error):
        return {}
    rows = {
        name: with_error(mean, sigma).replace("±", "+-").replace(MINUS, "-")
        for name, (mean, sigma) in list(zip(names, found, strict=True))[:SHOWN]
    }
    return rows | ({"": f"and {len(names) - SHOWN} more in the report"} if len(names) > SHOWN else {})


def told(value: float | None) -> str:
    """Two digits, or a word for what the certificate could not state."""
    return "unknown" if value is None else f"{value:.2g}"


def told_files(paths: Sequence[Path]) -> str:
    """Written files in one line, of many chains the first and the last."""
    chains = [path for path in paths if CHAIN.search(path.name)]
    others = [path for path in paths if path not in chains]
    if len(chains) > MANY:
        words = f"{len(chains)} chains: {chains[0]} ... {chains[-1]}"
        return words + (f", with {', '.join(path.name for path in others)}" if others else "")
    return "\n".join(map(str, paths))


class Display:
    """Progress on a terminal: one live line with the stage below lines that stay; plain lines in a log.

    Where no stage is announced, a terminal shows what the run's clock is timing: fitting and sampling between rounds.
    """

    def __init__(self) -> None:
        from rich.progress import (
            BarColumn,
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
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=self._console,
            transient=True,
        )
        self._task: Any = None
        self._stage = ""  # that is announced, and shown in the place of what the clock times
        self._timed = ""

    def start(self, stage: str, total: int | None = None) -> None:
        """Show the stage; in a log, as a line."""
        self._hide()
        self._stage = stage
        if not self._console.is_terminal:
            self.say(f"{stage}{f' ({total})' if total else ''} ...")
            return
        self._show(stage, total)

    def advance(self, note: str = "") -> None:
        """Move the bar."""
        if self._task is not None:
            self._live.update(self._task, advance=1, note=note)
            task = self._live.tasks[0]
            self._live.update(self._task, count=counted(int(task.completed), task.total))

    def doing(self, what: str) -> None:
        """Show what goes on where nothing is announced; a log has no line for it."""
        self._timed = what
        if not self._stage:
            self._hide()
            self._show_timed()

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        self._live.console.print(line, highlight=False, markup=False, soft_wrap=True)  # whole lines in a log

    def stop(self) -> None:
        """Take the bar away."""
        self._stage = ""
        self._hide()
        self._show_timed()

    def _show_timed(self) -> None:
        if self._timed and self._console.is_terminal:
            self._show(self._timed, None)

    def _show(self, what: str, total: int | None) -> None:
        self._task = self._live.add_task(what, total=total, note="", count=counted(0, total))
        self._live.start()

    def _hide(self) -> None:
        if self._task is not None:
            self._live.stop()
            self._live.remove_task(self._task)
            self._task = None


def counted(done: int, total: float | None) -> str:
    """Finished steps of how many; nothing where that is not known."""
    return "" if total is None else f"{done}/{total:.0f}"


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


def each_of(names: Iterable[str], do: Callable[[str], object]) -> None:
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
