"""The command line: thin commands over `alfonsine.study`, `alfonsine.likelihood` and `alfonsine.report`.

Exit codes: 0 the certificate passed (or there was none to give), 1 it did not, 2 the input was at fault.
Everything heavy is imported inside the command that needs it, so that `--help` answers at once.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alfonsine.data_commands import data
from alfonsine.errors import InputError, telling_disk_trouble
from alfonsine.plugin_commands import plugin
from alfonsine.terminal import Display, show, told_files
from alfonsine.usage import Commands

if TYPE_CHECKING:
    from alfonsine.study.prepare import Study as Prepared
    from alfonsine.study.progress import Progress

app = Commands("A posterior from a few dozen exact calls, and a proof of how far it can be from the exact one.")
app.add_typer(data, name="data")
app.add_typer(plugin, name="plugin")

Study = Annotated[Path, typer.Argument(metavar="STUDY.yaml", help="The study file.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="Run folder, instead of the study's own.")
]
EmulatorFile = Annotated[Path, typer.Argument(metavar="EMULATOR.safetensors", help="An emulator file.")]
Networks = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Networks of CosmoPower: .pkl or .npz.")]
NewEmulator = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The emulator to write.")]
SideTable = Annotated[
    str | None, typer.Option("--table", metavar="TABLE", help="What the files do not say: a .yaml, or a known name.")
]
Parts = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Folder of your own files that its networks are made with.")
]
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="The run folder.")]
Effective = Annotated[int, typer.Option(metavar="NUMBER", help="Effective number of draws.", min=100)]
Calls = Annotated[int, typer.Option(metavar="NUMBER", help="Exact calls to make.", min=12)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress display: for logs.")]


def main() -> None:
    """Run the command line; what the user can mend is told in one line on stderr, with exit code 2."""
    try:
        with telling_disk_trouble():
            app(prog_name="alfonsine")
    except InputError as error:
        print(f"alfonsine: {error}", file=sys.stderr)
        sys.exit(2)


def _version(wanted: bool | None) -> None:
    if wanted:
        print(f"alfonsine {version('alfonsine')}")
        raise typer.Exit


@app.callback()
def _options(
    show_version: Annotated[
        bool | None, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = None,
) -> None: ...


@app.command()
def run(study: Study, output: Output = None, quiet: Quiet = False) -> None:
    """Infer, and certify: the whole loop. The same command again resumes, or shows, what it finds in the run folder."""
    _run(_read(study, output, judged=True), quiet)


@app.command()
def plan(study: Study, output: Output = None) -> None:
    """Say what `run` would compute, in how many calls and how long. Computes nothing."""
    prepared = _read(study, output)
    if prepared.settings.design is not None:
        from alfonsine.study.wide import plan_box

        print(plan_box(prepared))
        return
    from alfonsine.study.plan import plan as plan_study

    print(plan_study(prepared))


@app.command()
def train(study: Study, output: Output = None, quiet: Quiet = False) -> None:
    """Make the emulator only, and certify nothing. It learns until its own forecast is good, or from a design."""
    prepared = _read(study, output)
    from alfonsine.study.stages import train as train_study

    with _progress(quiet) as progress:
        emulator = train_study(prepared, progress)
    if prepared.settings.design is not None:
        from alfonsine.emulator.card import card_text

        print(card_text(emulator), end="\n\n")
    print(prepared.folder / "emulator.safetensors")


@app.command()
def card(file: EmulatorFile, parts: Parts = None) -> None:
    """Show what an emulator file says of itself. Inputs, outputs, exact code, training set, errors, speed."""
    from alfonsine.emulator.card import card_text
    from alfonsine.emulator.stored.file import load_emulator

    print(card_text(load_emulator(file, parts)))


@app.command("import")
def import_networks(
    files: Networks, output: NewEmulator = Path("emulator.safetensors"), table: SideTable = None
) -> None:
    """Make one emulator of networks of CosmoPower or CosmoPower-JAX. Their files are never executed."""
    from alfonsine.emulator.imported.command import import_files

    print("\n".join(import_files(files, output, table)))


@app.command()
def template(files: Networks) -> None:
    """Print the table that `import --table` takes, to be filled in. It asks what the files of networks do not say."""
    from alfonsine.emulator.imported.command import templates

    print(templates(files))


@app.command()
def translate(
    param: Annotated[Path, typer.Argument(metavar="FILE.param", help="A parameter file of CONNECT.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The study to write.")] = Path(
        "study.yaml"
    ),
) -> None:
    """Make a study of a parameter file of CONNECT. The file is read and never executed."""
    from alfonsine.study.connect_param import write_study

    write_study(param, output)
    print(output)


@app.command()
def sample(study: Study, effective: Effective = 10_000, output: Output = None, quiet: Quiet = False) -> None:
    """Sample the posterior of a finished emulator again. It writes new chains into the run folder."""
    prepared = _read(study, output, judged=True, design=True)
    from alfonsine.study.stages import sample as sample_study

    with _progress(quiet) as progress:
        posterior = sample_study(prepared, effective, progress)
    print(f"{len(posterior)} draws, effective size {posterior.ess:.0f}: {prepared.folder / 'chain'}.*.txt")


@app.command()
def certify(study: Study, calls: Calls = 100, output: Output = None, quiet: Quiet = False) -> None:
    """Judge a finished run again, by exact calls at fresh draws. These are of its posterior."""
    prepared = _read(study, output, judged=True, design=True)
    from alfonsine.study.certify import recertify

    with _progress(quiet) as progress:
        found = recertify(prepared, calls, progress)
    print(f"{found.outcome.value}: {found.outcome.sentence}")
    print(f"KL {found.kl.estimate:.2g} nats, 95 % sure below {found.kl.upper95:.2g}, from {found.n_judged} fresh calls")
    print(found.advice)
    if not found.passed:
        raise typer.Exit(1)


@app.command()
def evidence(study: Study, output: Output = None) -> None:
    """Evidence of the emulated posterior, and of the exact one. The latter rests on the judging calls."""
    prepared = _read(study, output, judged=True, design=True)
    from alfonsine.study.stages import evidence as find_evidence

    found = find_evidence(prepared)
    print(f"ln Z emulated  {found.emulated:.3f} +- {found.emulated_error:.3f}")
    if found.exact is not None:
        print(f"ln Z exact     {found.exact:.3f} +- {found.exact_error:.3f}")


@app.command()
def report(folder: Folder) -> None:
    """Write report.html of a run folder again, from its records."""
    from alfonsine.report.report import render

    print(render(folder))


@app.command()
def convert(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE", help="Run folder, folder of MontePython's, root of chains (chains/planck), .nc, .covmat."
        ),
    ],
    to: Annotated[
        str,
        typer.Option(
            metavar="FORMAT", help="getdist, cobaya, montepython, anesthetic, arviz, covmat or covmat-montepython."
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="PLACE",
            help="Root of the chains to write; a folder for montepython; else a file.",
        ),
    ],
    skip: Annotated[
        float, typer.Option(metavar="SHARE", min=0, max=0.99, help="Share of each chain left out as burn-in.")
    ] = 0.0,
) -> None:
    """Write the chains of a run, or others, for another program. Overwrites nothing.

    There is one file for each chain. A run samples many short chains side by side, so there may be more files than the
    other program would have written itself: 16, or 128 and more where a bent posterior is sampled by the ensemble.
    """
    from alfonsine.posterior.formats.convert import convert as convert_posterior

    print(told_files(convert_posterior(source, to, output, skip)))


@app.command()
def watch(
    folder: Folder,
    once: Annotated[bool, typer.Option("--once", help="Show it once, and leave.")] = False,
    page: Annotated[bool, typer.Option("--page", help="Keep a page in the folder: watch.html.")] = False,
    serve: Annotated[
        int | None, typer.Option(metavar="PORT", min=1, max=65535, help="Serve it on this machine.")
    ] = None,
) -> None:
    """Show a run while it goes on. From this machine or another that sees its folder; it reads only."""
    from alfonsine.report.follow import follow

    follow(folder, once=once, page=page, port=serve)


@app.command()
def demo(output: Output = None, quiet: Quiet = False) -> None:
    """Run the built-in study, a mock CMB experiment. It needs no data."""
    _run(_read(Path(__file__).parent / "study" / "demo.yaml", output), quiet)


def _read(study: Path, output: Path | None, judged: bool = False, design: bool = False) -> "Prepared":
    """Read a study and check all of it that can be checked without an exact call.

    judged   the command needs a likelihood; design: and may have a design beside it
    """
    from alfonsine.front import prepare, read

    return prepare(read(study), output, judged, design)


def _run(study: "Prepared", quiet: bool) -> None:
    from alfonsine.report.report import render
    from alfonsine.study.finished import is_finished
    from alfonsine.study.run import run as run_study

    folder = study.folder
    if is_finished(study):
        print(f"finished before; to fit and sample again from its exact calls, remove {folder / 'certificate.json'}")
    else:
        with _progress(quiet) as progress:
            run_study(study, progress)
            progress.start("report")
            render(folder)
    certificate = json.loads((folder / "certificate.json").read_text(encoding="utf-8"))
    show(certificate, folder)
    if certificate["outcome"] != "pass":
        raise typer.Exit(1)


@contextmanager
def _progress(quiet: bool) -> Iterator["Progress"]:
    from alfonsine.study.progress import Silent

    progress = Silent() if quiet else Display()
    try:
        yield progress
    finally:
        progress.stop()


if __name__ == "__main__":
    main()
