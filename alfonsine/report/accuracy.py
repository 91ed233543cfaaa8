"""The sections that say how good the answer is: outcome, parameters, effort, emulator, certificate."""

import json
from html import escape

from alfonsine.report import observables, words
from alfonsine.report.contents import Contents
from alfonsine.report.drawing import to_svg
from alfonsine.report.figures import emulator_error, kl_against_calls
from alfonsine.report.html import (
    count,
    datum,
    figure,
    folded,
    measured_number,
    paragraph,
    plain_number,
    section,
    table,
)
from alfonsine.report.labels import html_label
from alfonsine.report.moments import effective_size, mean_and_sigma
from alfonsine.report.parse import measured, number, text
from alfonsine.report.records import Sample
from alfonsine.report.rounding import duration, short, with_error
from alfonsine.report.triangle import FEWEST, LARGEST, corrected_is_drawn, shown, triangle


def outcome(contents: Contents) -> str:
    """The verdict, what it means, four numbers, what to do, and what the certificate cannot see."""
    verdict = words.verdict(contents)
    advice = text(contents.certificate.get("advice"))
    blind = " ".join(filter(None, (words.blind_spot(contents), words.splined(contents))))
    return (
        f'<section id="outcome" class="outcome {verdict.kind}">'
        f'<p class="word"><span class="mark" aria-hidden="true">{verdict.mark}</span>'
        f"{escape(verdict.word)}</p>"
        f"{paragraph(verdict.meaning, 'meaning')}"
        f'<dl class="facts">{_facts(contents)}</dl>'
        f"{paragraph(words.consequence(contents))}"
        f"{paragraph(advice, 'advice')}"
        f'<p class="blind"><strong>What this does not show.</strong> {escape(blind)}</p>'
        "</section>"
    )


def _facts(contents: Contents) -> str:
    def fact(name: str, value: str, beside: str) -> str:
        return f'<div><dt>{name}</dt><dd class="value">{value}</dd><dd class="beside">{beside}</dd></div>'

    facts = []
    kl = words.kl(contents)
    if kl is not None:
        beside = [] if kl.upper95 is None else [f"below {plain_number(kl.upper95)} (95 % confidence)"]
        beside += [] if contents.limit is None else [f"limit {datum(contents.limit, f'{contents.limit:g}')}"]
        facts.append(fact("KL divergence", f"{plain_number(kl.estimate)} nats", "; ".join(beside)))
    largest = words.largest_shift(contents)
    if largest is not None:
        name, shift = largest
        facts.append(fact("Largest shift of a mean", f"{measured_number(shift)} σ", f"in {label(contents, name)}"))
    calls, seconds = contents.certificate.get("solver_calls"), contents.certificate.get("seconds")
    calls, seconds = (found if isinstance(found, dict) else {} for found in (calls, seconds))
    if number(calls.get("total")) is not None:
        parts = [
            f"{count(number(calls[k]))} {k}"
            for k in ("training", "judging", "failed")
            if number(calls.get(k)) is not None
        ]
        facts.append(fact("Calls of the exact code", count(number(calls["total"])), ", ".join(parts)))
    total = number(seconds.get("total"))
    if total is not None:
        solver = number(seconds.get("solver"))
        beside = "" if solver is None else f"of which {datum(solver, duration(solver))} in the exact code"
        facts.append(fact("Time", datum(total, duration(total)), beside))
    return "".join(facts)


def label(contents: Contents, name: str) -> str:
    """The parameter's symbol where the posterior gives one, else its name."""
    sample = contents.sample
    if sample is not None and name in sample.names:
        return html_label(sample.latex[sample.names.index(name)], name)
    return escape(name)


def parameters(contents: Contents) -> str:
    """Means and errors: emulated, corrected, published; and the shift of each mean."""
    sample = contents.sample
    if sample is None:
        return section("parameters", "Parameters", paragraph(contents.notes.get("posterior.npz", ""), "missing"))
    shifts, widths = words.shifts(contents), _widths(contents)
    corrected, published = sample.corrected_weights is not None, contents.published
    head = ["Parameter", "Emulated"]
    head += ["Corrected"] if corrected else []
    head += [escape(published.label)] if published is not None else []
    head += ["Shift / σ"] if shifts else []
    head += ["Width ratio"] if widths else []
    rows = []
    for i, name in enumerate(sample.names):
        row = [f'<span title="{escape(name)}">{html_label(sample.latex[i], name)}</span>']
        row.append(_moments(sample, i, sample.weights))
        row += [_moments(sample, i, sample.corrected_weights)] if corrected else []
        row += [_published(contents, name)] if published is not None else []
        row += [measured_number(shifts[name]) if name in shifts else ""] if shifts else []
        row += [measured_number(widths[name]) if name in widths else ""] if widths else []
        rows.append(row)
    explained = [
        "Mean and standard deviation.",
        "Corrected: the same draws, reweighted by the trend of exact over emulated likelihood in the judging calls."
        if corrected
        else "No corrected posterior: the judging calls show no trend of exact over emulated likelihood.",
        "Shift: exact minus emulated mean, in standard deviations." if shifts else "",
        "Width ratio: exact over emulated standard deviation." if widths else "",
        f"Derived parameters follow the {sample.sampled} sampled ones." if len(sample.names) > sample.sampled else "",
    ]
    return section(
        "parameters",
        "Parameters",
        table(head, rows, "stack"),
        paragraph(" ".join(filter(None, explained)), "note"),
    )


def _widths(contents: Contents) -> dict[str, words.Measured]:
    stored = contents.certificate.get("width_ratio", contents.certificate.get("width"))
    found = {str(n): measured(v) for n, v in stored.items()} if isinstance(stored, dict) else {}
    return {name: ratio for name, ratio in found.items() if ratio is not None}


def _moments(sample: Sample, column: int, weights: object) -> str:
    mean, sigma = mean_and_sigma(sample.values[:, column], weights)
    return datum(mean, with_error(mean, sigma))


def _published(contents: Contents, name: str) -> str:
    values = contents.published.parameters.get(name)
    return "" if values is None else datum(values[0], with_error(*values))


def posterior(contents: Contents) -> str:
    """The triangle plot."""
    sample = contents.sample
    if sample is None:
        return ""
    columns, size = shown(sample), effective_size(sample.weights)
    if not columns or size < FEWEST:
        note = f"{short(size, 3)} effective draws are too few to draw contours."
        return section("posterior", "Posterior", paragraph(note if columns else "No parameter varies.", "missing"))
    names = ", ".join(sample.names[i] for i in columns)
    layers = ["emulated (filled)"]
    layers += ["corrected by exact calls (lines)"] if corrected_is_drawn(sample) else []
    layers += [f"{contents.published.label} (band on the diagonal)"] if contents.published is not None else []
    alt = f"Triangle plot of the posterior of {names}: {', '.join(layers)}. Contours hold 68 and 95 percent."
    caption = [f"Contours hold 68 and 95 % of the probability; {count(sample.values.shape[0])} draws."]
    if contents.published is not None:
        caption.append(f"Bands on the diagonal: {escape(contents.published.label)}, mean and 68 %.")
    if sample.corrected_weights is not None and not corrected_is_drawn(sample):
        size = plain_number(effective_size(sample.corrected_weights))
        caption.append(f"The corrected posterior keeps only {size} effective draws and is not drawn.")
    if len(columns) == LARGEST < sample.sampled:
        caption.append(f"The first {LARGEST} of {sample.sampled} sampled parameters are shown.")
    svg = to_svg(triangle(contents, sample), "triangle", alt)
    zoom = (
        '<input type="checkbox" id="zoom" class="zoom"><label for="zoom">'
        '<span class="larger">Enlarge the figure</span><span class="smaller">Fit to the screen</span></label>'
    )
    body = f'{zoom}<div class="frame" tabindex="0">{svg}</div>'
    return section("posterior", "Posterior", figure(body, " ".join(caption), "triangle"))


_NUMBERS = (
    ("kl", "reverse", "KL of emulated from exact posterior [nats]"),
    ("kl", "forward", "KL of exact from emulated posterior [nats]"),
    ("kl", "upper95", "95 % upper limit on the KL [nats]"),
    ("kl", "floor", "KL of the exact code's own noise [nats]"),
    ("total_variation", None, "Misplaced probability (total variation)"),
    ("delta_log_evidence", None, "Change of the log evidence, Δ ln Z"),
    ("ess", None, "Effective number of judging calls"),
    ("pareto_khat", None, "Pareto k of the weights"),
    ("pareto_threshold", None, "Pareto k that is a concern, where less than half of the calls count"),
)


def certificate(contents: Contents) -> str:
    """All numbers of the certificate, the few that matter by name."""
    if not contents.certificate:
        return ""
    rows = []
    for key, inner, name in _NUMBERS:
        value = contents.certificate.get(key)
        if inner is not None:
            value = value.get(inner) if isinstance(value, dict) else None
        found = measured(value)
        if found is not None:
            rows.append([name, measured_number(found)])
    numbers = table(["Quantity", "Value"], rows, "fit") if rows else ""
    written = f"<pre>{escape(json.dumps(contents.certificate, indent=1))}</pre>"
    tolerance = paragraph(words.tolerance(contents))
    return section("certificate", "Certificate", numbers, tolerance, folded("certificate.json", written, "screen"))


LABEL = '<span class="label">Round </span>'  # on a phone, where rows are cards without a head


def effort(contents: Contents) -> str:
    """KL against number of exact calls, and the rounds as a table."""
    if not contents.rounds:
        note = contents.notes.get("history.json", "No round has been judged yet.")
        return section("effort", "Accuracy against effort", paragraph(note, "missing"))
    rounds = contents.rounds
    last = rounds[-1]
    alt = (
        f"KL divergence in nats, logarithmic, against the number of exact calls: {len(rounds)} rounds up to "
        f"{last.calls} calls, last estimate {short(last.kl)}, upper limit {short(last.kl_upper95)}."
    )
    caption = (
        "Dots: estimate; bars reach up to its 95 % limit. "
        "The points of each round judged the emulator before it learned them. Leave-one-out error: chi-square between "
        "a training point and what the emulator would say of it without having learned it."
    )
    head = ["Round", "Calls", "Points judged", "KL", "95 % limit", "Leave-one-out error", "Outcome"]
    rows = [
        [f"{LABEL}{count(r.number)}", count(r.calls), count(r.judged), plain_number(r.kl), plain_number(r.kl_upper95),
         plain_number(r.loo_error), escape(r.outcome)]
        for r in rounds
    ]  # fmt: skip
    if any(r.kl is not None and r.kl <= 0 for r in rounds):
        caption += " An arrowhead stands for an estimate that is not above zero."
    if any(r.kl is not None or r.kl_upper95 is not None for r in rounds):
        drawn = figure(to_svg(kl_against_calls(contents), "effort-figure", alt), caption)
    else:
        drawn = paragraph("No round has been judged yet.", "missing")
    return section(
        "effort",
        "Accuracy against effort",
        f'<div class="halves">{drawn}<div class="wide">{table(head, rows, "dense stack")}</div></div>',
    )


def emulator(contents: Contents) -> str:
    """Emulator error against multipole or redshift, one panel for each output; single numbers in words."""
    if not contents.emulator_error:
        note = contents.notes.get(
            "emulator_error.npz", "No data set of this study says what the error of each of its points is."
        )
        return section("emulator", "Emulator error", paragraph(note, "missing"))
    panels, numbers = [], []
    for i, spectrum in enumerate(contents.emulator_error):
        largest = float(spectrum.largest.max())
        if spectrum.largest.size == 1:
            numbers.append(f"{spectrum.name} {short(float(spectrum.rms[0]))}, largest {short(largest)}")
            continue
        axis = observables.against(spectrum.name).split(" $")[0]
        alt = (
            f"Emulator error of {spectrum.name} against {axis} in units of the data's error; largest {short(largest)}."
        )
        svg = to_svg(emulator_error(spectrum), f"error-{i}", alt)
        panels.append(f"<div><h3>{escape(observables.short(spectrum.name))}</h3>{figure(svg)}</div>")
    note = "Held-out error of what is emulated, in units of the data's error."
    note += f" Single numbers: {'; '.join(numbers)}." if numbers else ""
    return section("emulator", "Emulator error", paragraph(note, "note"), f'<div class="grid">{"".join(panels)}</div>')
