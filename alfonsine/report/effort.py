"""The sections that say what was fitted and what it cost: best fit, time, calls, versions, study."""

from collections import Counter
from html import escape

from alfonsine.report.contents import Contents
from alfonsine.report.drawing import to_svg
from alfonsine.report.figures import best_fit
from alfonsine.report.html import count, datum, figure, folded, paragraph, plain_number, section, table
from alfonsine.report.labels import html_label
from alfonsine.report.parse import number, text
from alfonsine.report.records import BestFit, Failure
from alfonsine.report.rounding import duration, short

MOST_FAILURES = 100  # listed one by one; all are counted


def data(contents: Contents) -> str:
    """Best fit on the data, one panel for each spectrum or data set."""
    if not contents.best_fit:
        note = contents.notes.get(
            "bestfit.npz", "No data set of this study says what the error of each of its points is."
        )
        return section("data", "Best fit on the data", paragraph(note, "missing"))
    panels = []
    for i, panel in enumerate(contents.best_fit):
        alt = f"Best fit on the data, {panel.title}: {panel.x.size} data with errors, model, residuals below."
        svg = to_svg(best_fit(panel), f"fit-{i}", alt)
        panels.append(f"<div><h3>{escape(panel.title)}</h3>{figure(svg, _agreement(panel))}</div>")
    point = ""
    if contents.best_point:
        point = f'<p class="note">Best fit at {", ".join(_point(contents))}.</p>'
    return section("data", "Best fit on the data", f'<div class="grid">{"".join(panels)}</div>', point)


def _agreement(panel: BestFit) -> str:
    """Sum of squared residuals: not a chi-square where the data are correlated, so it is not called one."""
    total = float((((panel.data - panel.model) / panel.error) ** 2).sum())
    points = f"{count(panel.x.size)} {'point' if panel.x.size == 1 else 'points'}"
    return f"{points}; squared residuals sum to {plain_number(total, 3)} (correlations ignored)."


def _point(contents: Contents) -> list[str]:
    sample, found = contents.sample, []
    for name, value in contents.best_point.items():
        latex = sample.latex[sample.names.index(name)] if sample is not None and name in sample.names else ""
        found.append(f"{html_label(latex, name)} = {plain_number(value, 5)}")
    return found


STAGES = {"solver": "Exact code", "fit": "Fitting the emulator", "sample": "Sampling", "judge": "Judging",
          "compile": "Compilation", "report": "Report", "points": "Choosing points", "choose": "Choosing points",
          "inputs": "Searching inputs", "records": "Writing records"}  # fmt: skip


def cost(contents: Contents) -> str:
    """Seconds by stage, as a table with bars; the part of the total that no stage claims is shown as such."""
    seconds = contents.certificate.get("seconds")
    stages = {str(k): number(v) for k, v in seconds.items()} if isinstance(seconds, dict) else {}
    total = stages.pop("total", None)
    known = {name: value for name, value in stages.items() if value is not None and value >= 0}
    if not known:
        note = "The run has not recorded how long its stages took."
        return section("cost", "Time by stage", paragraph(note, "missing"))
    whole = total if total is not None and total > 0 else sum(known.values())
    rest = whole - sum(known.values())
    longest = max([*known.values(), rest, 1e-9])
    rows = [(escape(STAGES.get(name, name.replace("_", " "))), value) for name, value in known.items()]
    rows.sort(key=lambda row: -row[1])
    if rest > 0.01 * whole:
        rows.append(("Everything else", rest))
    body = "".join(
        f'<tr><th scope="row">{name}</th><td>{datum(value, duration(value))}</td>'
        f'<td class="bar"><span style="width:{100 * value / longest:.1f}%"></span></td></tr>'
        for name, value in rows
    )
    alt = "Seconds by stage: " + ", ".join(f"{name} {duration(value)}" for name, value in rows) + "."
    return section(
        "cost",
        "Time by stage",
        f'<figure role="group" aria-label="{alt}"><table class="bars"><thead><tr><th scope="col">Stage</th>'
        f'<th scope="col">Wall time</th><th class="bar"></th></tr></thead><tbody>{body}</tbody>'
        f'<tfoot><tr><th scope="row">Total</th><td>{datum(whole, duration(whole))}</td><td></td></tr></tfoot>'
        "</table></figure>",
    )


CALLS = (
    ("training", "in the training set of the emulator"),
    ("discarded", "taught earlier emulators only"),
    ("judging", "judged the final posterior before being learned"),
    ("failed", "gave no answer"),
    ("cheap", "of a part of the code that costs little; not among the calls in all"),
    ("reused", "of earlier work, learned from and not made again"),
    ("total", "in all"),
)


def calls(contents: Contents) -> str:
    """Exact calls by what became of them, and why some failed."""
    stored = contents.certificate.get("solver_calls")
    stored = stored if isinstance(stored, dict) else {}
    rows = [[name.capitalize(), count(number(stored[name])), does] for name, does in CALLS if name in stored]
    others = [k for k in stored if k not in dict(CALLS) and number(stored[k]) is not None]
    rows[-1:-1] = [[escape(str(k)).capitalize().replace("_", " "), count(number(stored[k])), ""] for k in others]
    counted = table(["Calls", "Number", "What they are"], rows, "fit words") if rows else ""
    return section("calls", "Exact calls", counted, failures(contents))


def failures(contents: Contents) -> str:
    """Failed calls: counted by reason, then one by one."""
    if "failures.json" in contents.notes:
        return paragraph(contents.notes["failures.json"], "missing")
    if not contents.failures:
        return paragraph("No call failed.")
    reasons = Counter(_first_line(failure) for failure in contents.failures)
    spent: Counter[str] = Counter()
    for failure in contents.failures:
        spent[_first_line(failure)] += failure.seconds or 0.0
    counted = [
        [escape(reason), count(times), datum(spent[reason], duration(spent[reason]))]
        for reason, times in reasons.most_common()
    ]
    one_by_one = [
        [
            escape(failure.reason),
            ", ".join(_input(k, v) for k, v in failure.inputs.items()),
            duration(failure.seconds),
        ]
        for failure in contents.failures[:MOST_FAILURES]
    ]
    total = len(contents.failures)
    title = "Every failed call" if total <= MOST_FAILURES else f"The first {MOST_FAILURES} of {total} failed calls"
    calls_failed = f"{total} call failed" if total == 1 else f"{total} calls failed"
    return (
        f"<h3>Failed calls</h3>{paragraph(f'{calls_failed}; such points are left out of the training set.')}"
        f"{table(['Reason', 'Calls', 'Time'], counted, 'reasons')}"
        f"{folded(title, table(['Reason', 'Inputs', 'Time'], one_by_one, 'words stack'))}"
    )


def _first_line(failure: Failure) -> str:
    """The reason without numbers' worth of detail: its first line, at most 160 characters."""
    line = failure.reason.splitlines()[0]
    return line if len(line) <= 160 else line[:159] + "…"


def _input(name: object, value: object) -> str:
    exact = number(value)
    return f"{escape(str(name))} = {escape(str(value)) if exact is None else datum(exact, short(exact, 5))}"


def provenance(contents: Contents) -> str:
    """Versions and seeds."""
    versions, seed = contents.certificate.get("versions"), contents.certificate.get("seed")
    seed = contents.certificate.get("seeds", seed)
    rows = [[escape(str(k)), escape(text(v))] for k, v in versions.items()] if isinstance(versions, dict) else []
    seeds = seed if isinstance(seed, dict) else {} if seed is None else {"seed": seed}
    rows += [[escape(str(k)), escape(text(v))] for k, v in seeds.items()]
    if not rows:
        note = "The run has not recorded versions or seeds."
        return section("provenance", "Versions and seeds", paragraph(note, "missing"))
    return section("provenance", "Versions and seeds", table(["What", "Version or value"], rows, "fit words"))


def study(contents: Contents) -> str:
    """The study file as written."""
    if not contents.study:
        return section("study", "Study", paragraph(contents.notes.get("study.yaml", "It is empty."), "missing"))
    return section("study", "Study", f"<pre>{escape(contents.study.rstrip())}</pre>")
