"""KL against exact calls, in characters: for a terminal."""

import math
from typing import NamedTuple

from rich.text import Text

from alfonsine.report.watch import View

DECADES = 4  # below the limit, or below the largest value, that are shown: what is smaller stands at the bottom
LABEL = 8  # columns of the labels of the vertical axis


class Marks(NamedTuple):
    """Characters of the plot."""

    forecast: str
    learned: str
    judged: str
    upper: str
    between: str
    limit: str
    axis: str
    floor: str


MARKS = Marks("·", "○", "●", "┬", "│", "╌", "┤", "─")
PLAIN = Marks("+", "o", "@", "T", "|", "-", "|", "_")
STYLES = Marks("cyan", "cyan", "bold", "bold", "bold", "yellow", "dim", "dim")


class Mark(NamedTuple):
    """One thing to draw: a name among `Marks` at exact calls and KL."""

    calls: float
    kl: float
    kind: str


def points(view: View) -> list[Mark]:
    """Forecasts, learned batches, verdicts and their upper limits, as far as they have a logarithm."""
    found = [Mark(f.calls, f.kl, "forecast") for f in view.forecasts if f.kl]
    for each in view.history:
        kind = "learned" if each.kl_upper95 is None else "judged"
        found += [Mark(each.calls, each.kl, kind)] if each.kl else []
        found += [Mark(each.calls, each.kl_upper95, "upper")] if each.kl_upper95 else []
    return [mark for mark in found if mark.kl > 0 and math.isfinite(mark.kl)]


def plot(view: View, width: int, height: int = 9, unicode: bool = True) -> Text | None:
    """The plot, `width` characters wide and `height` + 2 lines high; None before there is anything to draw."""
    marks, drawn = (MARKS if unicode else PLAIN), points(view)
    if not drawn or width < 30:
        return None
    columns = width - LABEL - 1
    values = [mark.kl for mark in drawn] + ([view.limit] if view.limit else [])
    floor = math.floor(math.log10(max(min(values), (view.limit or max(values)) * 10.0**-DECADES)))
    top = max(math.ceil(math.log10(max(values))), floor + 1)
    furthest = max(mark.calls for mark in drawn)
    grid: list[list[str]] = [[""] * columns for _ in range(height)]  # names of marks

    def row(kl: float) -> int:
        share = (math.log10(kl) - floor) / (top - floor)
        return height - 1 - round(min(max(share, 0.0), 1.0) * (height - 1))

    if view.limit:
        grid[row(view.limit)] = ["limit" if i % 2 == 0 else "" for i in range(columns)]
    for mark in sorted(drawn, key=lambda mark: ("upper", "forecast", "learned", "judged").index(mark.kind)):
        column = round(mark.calls / furthest * (columns - 1))
        if mark.kind == "upper":
            below = [m.kl for m in drawn if m.kind == "judged" and m.calls == mark.calls]
            for between in range(row(mark.kl) + 1, row(below[0]) if below else 0):
                grid[between][column] = "between"
        grid[row(mark.kl)][column] = mark.kind
    exponents = {row(10.0**k): k for k in range(floor, top + 1)}
    text = Text(no_wrap=True)
    for i, line in enumerate(grid):
        label = f"1e{exponents[i]}" if i in exponents else ""
        text.append(f"{label:>{LABEL - 1}} ", "dim").append(marks.axis, STYLES.axis)
        for name in line:
            text.append(getattr(marks, name) if name else " ", getattr(STYLES, name) if name else "")
        text.append("\n")
    text.append(" " * LABEL + marks.floor * (columns + 1) + "\n", STYLES.floor)
    text.append(f"{'0':>{LABEL + 1}}{'KL [nats] against exact calls':^{columns - 8}}{furthest:>8g}", "dim")
    return text


def legend(unicode: bool = True) -> Text:
    """What the marks are."""
    marks, words = (MARKS if unicode else PLAIN), Text()
    for name, meaning in (
        ("forecast", "forecast"), ("learned", "batch before learning"), ("judged", "verdict"),
        ("upper", "95 % limit"), ("limit", "asked for"),
    ):  # fmt: skip
        words.append(getattr(marks, name), getattr(STYLES, name)).append(f" {meaning}   ", "dim")
    words.rstrip()
    return words
