"""What an emulator says of itself, for people."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from alfonsine.emulator.emulator import Emulator
from alfonsine.errors import InputError
from alfonsine.theory.output import Axis


def card_text(emulator: Emulator) -> str:
    """Inputs and domain, outputs with units, exact code and settings, training set, errors, speed.

    InputError where the card, which is anybody's record, is not of this form; the emulator itself is whole.
    """
    try:
        return _card_text(emulator)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise InputError(
            f"expected a card as alfonsine writes it, got one of another form ({type(error).__name__}: {error}); "
            "the emulator can be used, but its card not be shown"
        ) from None


def _card_text(emulator: Emulator) -> str:
    card = emulator.card
    parts = [
        ("Inputs", inputs(emulator)),
        ("Outputs", outputs(emulator)),
        ("Exact code", exact_code(card.get("theory"), card.get("params"))),
        ("Training set", training_set(card)),
        ("Errors on held-out models", errors(card)),
        ("Speed", speed(card.get("speed"))),
    ]
    return "\n\n".join("\n".join([title, *(f"  {line}" for line in lines)]) for title, lines in parts if lines)


def inputs(emulator: Emulator) -> list[str]:
    """Names and ranges, in order; the ellipsoid where it is narrower than the box; what they are made into."""
    domain = emulator.domain
    lower, upper = np.asarray(domain.lower), np.asarray(domain.upper)
    slack = 1e-6 * (upper - lower)  # what is kept beyond an edge for rounding is not for people
    lower, upper = (np.where(np.abs(edge) < slack, 0.0, edge) for edge in (lower, upper))
    width = max(map(len, emulator.names))
    lines = [f"{n:<{width}}  {a:.6g} to {b:.6g}" for n, a, b in zip(emulator.names, lower, upper, strict=True)]
    reach = float(domain.radius) * np.asarray(domain.widths)
    centre = np.asarray(domain.centre)
    # an ellipsoid that lets no corner of the box out forbids nothing more
    if np.any(centre - reach > lower) or np.any(centre + reach < upper):
        lines.append(f"and within {float(domain.radius):.3g} standard deviations of the training set")
    made_of = emulator.card.get("features", list(emulator.names))
    if made_of != list(emulator.names):
        lines.append(f"learned as a function of {', '.join(made_of)}")
    return lines


def outputs(emulator: Emulator) -> list[str]:
    """Names, units and axes."""
    described, lines = emulator.outputs, []
    width = max(map(len, emulator.basis))
    for name, matrix in emulator.basis.items():
        output = described.get(name)
        if output is None:
            what = f"{matrix.shape[0]} numbers"
        elif output.axes:
            what = " x ".join(axis_text(axis) for axis in output.axes)
        else:
            what = ", ".join(output.labels)
        unit = f" [{output.unit}]" if output is not None and output.unit else ""
        lines.append(f"{name:<{width}}{unit}  {what}")
    return lines


def axis_text(axis: Axis) -> str:
    """Name, range, number of values."""
    unit = f" {axis.unit}" if axis.unit else ""
    return f"{axis.name} {axis.values[0]:g} to {axis.values[-1]:g}{unit} ({len(axis.values)})"


def exact_code(theory: Mapping[str, Any] | None, params: Mapping[str, Any] | None = None) -> list[str]:
    """Code, version, settings; then what the study fixed and computed."""
    if not theory:
        return ["not recorded"]
    lines = [" ".join(str(theory[key]) for key in ("code", "version") if key in theory)]
    lines += [f"{name} = {value}" for name, value in sorted(dict(theory.get("settings") or {}).items())]
    for kind in ("fixed", "computed"):
        lines += [f"{name} = {value}, {kind}" for name, value in sorted(((params or {}).get(kind) or {}).items())]
    return lines


def training_set(card: Mapping[str, Any]) -> list[str]:
    """How many models, how they were placed, and their digest."""
    if "training_points" not in card:
        return [str(card.get("provenance", "not recorded"))]
    lines = [f"{card['training_points']} models, {card.get('design', 'placed where the posterior lies')}"]
    if card.get("failed"):
        lines.append(f"{card['failed']} more have failed in the exact code and are not in it")
    if "training_digest" in card:
        lines.append(f"digest {card['training_digest'][:16]}")
    return lines


def errors(card: Mapping[str, Any]) -> list[str]:
    """Per output, what half, and 99 of 100, of the models have as their largest error; then per data set."""
    found = card.get("held_out")
    if not found:
        return ["not measured"]
    rows = [("", "models", "half within", "99 % within", "half within", "99 % within", "in units of")]
    for name, entry in found.items():
        percent, units = entry["percent"], entry["units"]
        relative = [f"{percent[q]:.2g} %" if percent else "-" for q in ("50 %", "99 %")]
        rows.append(
            (name, str(entry["models"]), *relative, *(f"{units[q]:.2g}" for q in ("50 %", "99 %")), entry["unit"])
        )
    for name, entry in (card.get("data_errors") or {}).items():
        rows.append((name, "", "-", "-", *(f"{entry[q]:.2g}" for q in ("50 %", "99 %")), "error of the data"))
    widths = [max(len(row[i]) for row in rows) for i in range(6)]
    return [
        "  ".join([f"{cell:<{w}}" for cell, w in zip(row, widths, strict=False)] + [row[6]]).rstrip() for row in rows
    ]


def speed(found: Mapping[str, Any] | None) -> list[str]:
    """Time of one point and of one of a batch."""
    if not found:
        return []
    return [f"{name.replace('_', ' ')}: {1e6 * found[name]:.3g} microseconds" for name in sorted(found, reverse=True)]
