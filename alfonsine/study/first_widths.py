"""First widths of parameters from a covariance matrix: `sampler: {nuts: {covmat: FILE}}`, where Cobaya has it.

A matrix comes before `proposal`, and that before the widths of `ref` and prior: Cobaya's order. It gives each parameter
that it lists, by this name or another of exactly the same meaning, its standard deviation as first step.
"""

import math
from pathlib import Path
from typing import TYPE_CHECKING

from alfonsine.errors import InputError
from alfonsine.posterior.formats.covmat import read_covmat
from alfonsine.posterior.formats.same_names import of_same_meaning

if TYPE_CHECKING:
    from alfonsine.study.settings import Settings


def with_first_widths(settings: "Settings") -> "Settings":
    """The settings with the standard deviations of their matrix as proposals; InputError for one that is of no use."""
    sampler = settings.sampler
    name, kind = ("nuts", sampler.nuts) if sampler.ensemble is None else ("ensemble", sampler.ensemble)
    if kind.covmat is None:
        return settings
    place = ("sampler", name, "covmat")
    try:
        widths = read_covmat(_beside(settings, kind.covmat)).widths
    except InputError as error:
        raise settings.source.error(place, str(error)) from None
    params = dict(settings.params)
    known = {n: of_same_meaning(n, widths) for n, p in params.items() if p.prior is not None}
    if not any(known.values()):
        raise settings.source.error(
            place, f"expected a sampled parameter among its names, got {', '.join(widths)}; take another file"
        )
    for parameter, other in known.items():
        if other is not None:
            entry = params[parameter]
            widest = math.inf
            if entry.prior.min is not None and entry.prior.max is not None:
                widest = (entry.prior.max - entry.prior.min) / math.sqrt(12.0)  # of a posterior that knows nothing more
            params[parameter] = entry.model_copy(update={"proposal": min(widths[other], widest)})
    found = settings.model_copy(update={"params": params})
    found._source = settings.source
    return found


def _beside(settings: "Settings", file: str) -> Path:
    """A file is looked for beside the study file, and then in the working directory."""
    path = (settings.source.folder or Path()) / file
    return path if path.is_file() else Path(file)
