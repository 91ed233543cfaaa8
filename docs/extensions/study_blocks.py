"""The reference of the study file, written from the settings themselves: keys, types, limits, defaults, docstrings."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, get_args, get_origin

from house_docstrings import entries, paragraphs
from markdown_directive import definitions, writes
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from sphinx.application import Sphinx

from alfonsine.study import explain
from alfonsine.study.settings import Settings

# What keys are of which the settings themselves say nothing but the type: block and key -> words.
WORDS = {
    ("Settings", "theory"): "the exact code",
    ("Settings", "likelihood"): "data sets by name, with their options",
    ("Settings", "params"): "parameters by name, see below",
    ("Settings", "prior"): "log densities of several parameters together, by any name: added to their own priors",
    ("Settings", "sampler"): "how the posterior of the emulator is sampled",
    ("Settings", "output"): "the run folder, from where you stand; `runs/` and the name of the study file if not given",
    ("Settings", "emulator"): "which emulator, and what it may use",
    ("Settings", "accuracy"): "what you ask for, and what you are ready to pay",
    ("Settings", "points"): "where exact calls are made",
    ("Settings", "design"): "a fixed set of exact calls, for an emulator of a whole box",
    ("Settings", "compute"): "where exact calls are made, and what each may take",
    ("Settings", "warm_start"): "earlier work to begin from: a run folder, a mapping, or a list of these",
    ("Settings", "published"): "somebody else's result to draw beside yours",
    ("Settings", "seed"): "one for all random numbers of the study",
    ("TheorySettings", "classy"): "CLASS",
    ("TheorySettings", "camb"): "CAMB",
    ("TheorySettings", "python"): "a function of yours",
    ("TheorySettings", "toy"): "a closed-form theory, for trying things out",
    ("CodeSettings", "matter_power"): "P(k, z)",
    ("CodeSettings", "background"): "functions of redshift of the homogeneous universe",
    ("CodeSettings", "thermodynamics"): "functions of redshift of the plasma",
    ("MatterPowerSettings", "outputs"): "among `pk_lin`, `pk_nl`, `pk_lin_cb`, `pk_nl_cb`",
    ("MatterPowerSettings", "k"): "wavenumbers [1/Mpc]",
    ("MatterPowerSettings", "z"): "redshifts",
    ("FunctionsSettings", "outputs"): "names, see [](../notation.md)",
    ("FunctionsSettings", "z"): "redshifts",
    ("GridSettings", "number"): "of values, both ends included",
    ("ParameterSettings", "prior"): "makes the parameter a sampled one; `[0, 1]` is short for `{min: 0, max: 1}`",
    ("ParameterSettings", "ref"): "where the first exact call is made; a number, or a normal",
    (
        "ParameterSettings",
        "proposal",
    ): "the first step, about one posterior standard deviation; it may be off by several",
    (
        "ParameterSettings",
        "value",
    ): "a number fixes the parameter, an expression computes it from others for the theory",
    (
        "ParameterSettings",
        "derived",
    ): "`true`: the theory reports it; an expression: computed from others for the chains",
    ("ParameterSettings", "latex"): "label in figures",
    ("ParameterSettings", "drop"): "not passed to the theory",
    ("NutsSettings", "chains"): "chains side by side",
    ("NutsSettings", "effective_samples"): "effective draws of the final posterior, of every parameter",
    ("EnsembleSettings", "walkers"): "of the ensemble",
    ("EnsembleSettings", "effective_samples"): "effective draws of the final posterior, of every parameter",
    (
        "EmulatorSettings",
        "network",
    ): "whether a network corrects the polynomial; auto: where that lowers the held-out error",
    ("EmulatorSettings", "max_order"): "degree of the polynomial; auto: a cubic, more where points are plenty for it",
    ("PointsSettings", "batch"): "exact calls between two fits",
    (
        "PointsSettings",
        "temperature",
    ): "T of the likelihood to the power 1/T, from which points to learn from are drawn",
    ("DaskSettings", "scheduler"): "address of one that runs already",
    ("DaskSettings", "scheduler_file"): "file that such a one has written",
    ("DaskSettings", "local"): "workers on this machine",
    ("DaskSettings", "slurm"): "jobs that are started for the study",
    ("PublishedSettings", "label"): "in the legend",
    ("PublishedSettings", "parameters"): "name to [mean, plus, minus]",
    ("OutputSettings", "unit"): "for the card",
    ("OutputSettings", "axes"): "name to values; the last is the fastest",
}
CODES = ("theory.classy", "theory.camb")  # the second has the keys of the first


def setup(app: Sphinx) -> dict[str, bool]:
    """Make the directive `study-blocks`."""
    app.add_directive("study-blocks", writes(reference))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def reference() -> str:
    """All blocks, each once, with its keys."""
    written: dict[type[BaseModel], str] = {}
    found = []
    for path, block in blocks("", Settings):
        if block not in written and not path.startswith(f"{CODES[1]}."):
            written[block] = path
            found.append(section(path, block, written))
    known = {(block.__name__, name) for block in [*written, *bases(written)] for name in block.model_fields}
    if stale := WORDS.keys() - known:
        raise ValueError(f"expected keys that the settings have, got {sorted(stale)}; mend WORDS in {__file__}")
    return "\n\n".join(found)


def bases(written: Iterable[type[BaseModel]]) -> list[type[BaseModel]]:
    """What blocks are made from."""
    return [kind for block in written for kind in block.__mro__ if issubclass(kind, BaseModel)]


def blocks(path: str, block: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """The block, and those within it, with the keys that lead there."""
    yield path, block
    for name, field in block.model_fields.items():
        for inner in within(field.annotation):
            yield from blocks(f"{path}.{name}" if path else name, inner)


def within(annotation: Any) -> Iterator[type[BaseModel]]:
    """Settings blocks in a type: itself, one of several, or the entries of a mapping or a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation)[: 1 if get_origin(annotation) is Annotated else None]:
        yield from within(part)


def section(path: str, block: type[BaseModel], written: Mapping[type[BaseModel], str]) -> str:
    """One block; keys that are those of a block before it are not told again."""
    prose, told = described(block)
    title = f"## {path}" if path else "## The blocks"
    fields = dict(block.model_fields)
    if path == CODES[1]:
        fields = {"extra_args": fields["extra_args"]}
        prose.append(f"All other keys are those of `{CODES[0]}`.")
    keys = [(f"`{name}`", lines(field, told.get(name, ""), path, written)) for name, field in fields.items()]
    return "\n\n".join([title, *prose, definitions(keys)])


def described(block: type[BaseModel]) -> tuple[list[str], dict[str, str]]:
    """Prose of a block's docstring, and what it and those it is made from say of single keys."""
    prose: list[str] = []
    told: dict[str, str] = {}
    for kind in reversed([kind for kind in block.__mro__ if issubclass(kind, BaseModel) and kind is not BaseModel]):
        if kind.__module__ == "alfonsine.study.settings_block" or not kind.__doc__:
            continue
        prose = []
        for part in paragraphs([line.removeprefix("    ") for line in kind.__doc__.splitlines()]):
            listed = entries(part)
            if listed is None:
                prose.append(" ".join(line.strip() for line in part))
                continue
            for names, what in listed:
                told |= dict.fromkeys(names.split(", "), what)
        told |= {name: words for (of, name), words in WORDS.items() if of == kind.__name__}
    return prose, told


def lines(field: FieldInfo, told: str, path: str, written: Mapping[type[BaseModel], str]) -> list[str]:
    """What a key is, what it may be, and what it is if not given."""
    allowed = explain._expected(field).replace("text of another form", "text")
    inner = next(within(field.annotation), None)
    if inner is not None:
        before = written.get(inner)
        allowed = "a mapping" + (f", as `{before}`" if before else ", below")
    default = shown(field)
    example = f"; for example `{field.examples[0]}`" if field.examples else ""
    return [*([told] if told else []), f"*{allowed}; {default}*{example}"]


def shown(field: FieldInfo) -> str:
    """What happens where a key is not given."""
    if field.is_required():
        return "required"
    match default := field.get_default(call_default_factory=True):
        case None | BaseModel() | () | {} | "":
            return "optional"
        case bool():
            return f"default {str(default).lower()}"
        case tuple():
            return f"default [{', '.join(map(str, default))}]"
    return f"default {default}"
