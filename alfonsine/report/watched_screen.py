"""What a terminal shows of a run that is watched."""

from collections.abc import Sequence
from io import StringIO

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from alfonsine.report import watched_words as words
from alfonsine.report.rounding import duration
from alfonsine.report.watch import View
from alfonsine.report.watched_plot import legend, plot

COLOURS = {"pass": "bold green", "fail": "bold red", "inconclusive": "bold yellow", "unfinished": "bold cyan"}
WIDEST = 120  # columns: longer lines are hard to read
HIGHEST, LOWEST = 9, 3  # lines of the plot
AROUND_PLOT = 5  # lines: a blank one, its axis, its numbers, two of the legend


def screen(view: View, width: int, height: int | None = None, unicode: bool = True, hint: str = "") -> Group:
    """Everything that a watcher is told, `width` columns wide at most; `hint` is the last line.

    The plot takes what of the `height`, in lines, the rest leaves.
    """
    width = min(width, WIDEST)
    state = words.state(view)
    mark = f"{state.mark} " if unicode else ""
    head = Text(f"{mark}{state.word}", COLOURS.get(state.kind, "bold")).append(f"  {view.title}", "bold")
    told = [text for text in (state.meaning, *words.outcome(view)) if text]
    parts: list[RenderableType] = [head, *(Text(text) for text in told), Text()]
    parts.append(_facts(view))
    if found := words.wrong(view):
        parts += [Text(), Text("What is wrong", "bold red"), *(Text(line) for line in found)]
    last = [Text(hint, "dim")] if hint else []
    room = HIGHEST if height is None else min(HIGHEST, height - _lines([*parts, *last], width) - AROUND_PLOT)
    drawn = plot(view, width - 1, room, unicode) if room >= LOWEST else None
    return Group(*parts, *([] if drawn is None else [Text(), drawn, legend(unicode)]), *last)


def _lines(parts: Sequence[RenderableType], width: int) -> int:
    """How many lines the parts take."""
    console = Console(width=width, file=StringIO())
    return len(console.render_lines(Group(*parts)))


def _facts(view: View) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    rows = {
        "at" if not view.over else "was at": words.stage(view),
        "exact calls": words.calls(view),
        "budget": words.budget(view),
        "KL": words.accuracy(view),
        "left": words.remaining(view),
        "time": ", ".join(f"{words.DOING.get(name, name)} {duration(value)}" for name, value in words.seconds(view)),
        "in all": "" if view.total is None else duration(view.total),
        "worker": words.worker(view),
        "folder": str(view.folder),
    }
    for name, value in rows.items():
        if value:
            table.add_row(name, Text(value))
    return table
