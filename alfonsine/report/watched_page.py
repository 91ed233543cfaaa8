"""A page that shows a run while it goes on: one file, no script; the browser asks for it again by itself."""

from html import escape
from importlib import resources
from importlib.metadata import version

from alfonsine.report import watched_words as words
from alfonsine.report.effort import STAGES
from alfonsine.report.html import count, datum, figure, folded, paragraph, plain_number, section, table
from alfonsine.report.rounding import duration
from alfonsine.report.watch import View
from alfonsine.report.watched_figure import kl_svg
from alfonsine.report.words import Verdict

NAME = "watch.html"
REFRESH = 5  # seconds after which a browser asks again, while there is more to come
LOG_LINES = 12
STYLE = """.now { font-size: 1.08rem; font-weight: 600; }
.step { height: .5rem; max-width: 44rem; margin: .5rem 0; border-radius: .25rem; overflow: hidden;
  background: var(--rule); }
.step span { display: block; height: 100%; background: var(--emulated); }
li { overflow-wrap: anywhere; }
"""


def watched_page(view: View) -> str:
    """The page as HTML. Everything that comes from a file is escaped."""
    state = words.state(view)
    title = escape(view.title)
    css = resources.files("alfonsine.report").joinpath("style.css").read_text(encoding="utf-8")
    again = "" if view.ended else f'<meta http-equiv="refresh" content="{REFRESH}">'
    sections = (_accuracy(view), _failures(view), _cost(view), _log(view))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{again}'
        f"<title>{escape(state.word)}: {title}</title>\n<style>\n{css}{STYLE}</style></head>\n<body>\n"
        f'<header><p class="kind">A run, as it goes on</p><h1>{title}</h1></header>\n'
        f"<main>\n{_head(view, state)}\n{chr(10).join(filter(None, sections))}\n</main>\n"
        f"<footer>Seen at {view.at:%Y-%m-%d %H:%M:%S} UTC by alfonsine {escape(version('alfonsine'))}, "
        f"{'for the last time' if view.ended else 'and again while it is watched'}.</footer>\n</body></html>\n"
    )


def _head(view: View, state: Verdict) -> str:
    """How it is, what it is at, and the numbers that matter."""
    at = words.stage(view)
    now = f'<p class="now">{"Was at" if view.over else "Now"}: {escape(at)}</p>' if at else ""
    if now and view.step is not None and view.total_steps:
        share = 100.0 * min(1.0, max(0.0, view.step / view.total_steps))
        now += f'<div class="step"><span style="width:{share:.1f}%"></span></div>'
    facts = {"Exact calls": (words.calls(view), words.budget(view))}
    if view.remaining is not None:
        left = view.remaining
        least, most = duration(left.least_seconds), duration(left.most_seconds)
        range_ = f"{least} to {most}" if left.most > left.least else least
        calls = f"{left.least} to {left.most} calls" if left.most > left.least else f"{left.most} calls"
        facts["Left"] = (range_ if left.seconds_per_call is not None else calls, f"{calls}; {words.basis(left)}")
    if view.total is not None:
        facts["Time so far"] = (duration(view.total), words.worker(view))
    rows = "".join(
        f'<div><dt>{name}</dt><dd class="value">{escape(value)}</dd><dd class="beside">{escape(beside)}</dd></div>'
        for name, (value, beside) in facts.items()
    )
    told = [paragraph(state.meaning, "meaning"), *(paragraph(line, "advice") for line in words.outcome(view))]
    return (
        f'<section class="outcome {state.kind}"><p class="word"><span class="mark" aria-hidden="true">{state.mark}'
        f'</span>{escape(state.word)}</p>{"".join(told)}{now}<dl class="facts">{rows}</dl></section>'
    )


def _accuracy(view: View) -> str:
    svg = kl_svg(view)
    said = paragraph(f"{words.accuracy(view)}.".capitalize() if words.accuracy(view) else "")
    if not svg:
        nothing = paragraph("There is no forecast and no verdict yet.", "missing")
        return section("accuracy", "KL against exact calls", said, nothing)
    rows = [
        [
            count(each.calls), plain_number(each.kl), plain_number(each.kl_upper95), plain_number(each.loo_error),
            escape(each.outcome),
        ]
        for each in view.history
    ]  # fmt: skip
    head = ["Exact calls", "KL", "95 % below", "Leave-one-out error", "Outcome"]
    rounds = folded("The rounds as a table", table(head, rows, "stack")) if rows else ""
    return section("accuracy", "KL against exact calls", figure(svg), said, rounds)


def _failures(view: View) -> str:
    found = words.wrong(view)
    if not found:
        return ""
    listed = "".join(f"<li>{escape(line)}</li>" for line in found)
    return section("wrong", "What is wrong", f"<ul>{listed}</ul>")


def _cost(view: View) -> str:
    rows = words.seconds(view)
    if not rows:
        return ""
    longest = max(max(value for _, value in rows), 1e-9)
    body = "".join(
        f'<tr><th scope="row">{escape(STAGES.get(name, name.capitalize()))}</th>'
        f"<td>{datum(value, duration(value))}</td>"
        f'<td class="bar"><span style="width:{100 * value / longest:.1f}%"></span></td></tr>'
        for name, value in rows
    )
    return section("cost", "Time by stage", f'<table class="bars"><tbody>{body}</tbody></table>')


def _log(view: View) -> str:
    if not view.log:
        return ""
    lines = "\n".join(words.reason(line) for line in view.log[-LOG_LINES:])
    return section("log", "Last lines of the log", f"<pre>{escape(lines)}</pre>")
