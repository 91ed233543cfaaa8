"""CLASS or CAMB in a Cobaya input, learned before its sampler begins: the whole loop by one added line.

theory:
  classy:
    class: alfonsine.plugins.cobaya.classy
    extra_args: {N_ncdm: 1, m_ncdm: 0.06}

The input's own likelihoods and parameters become a study, which is run until its certificate passes; what was learned
then serves the sampler that the input asks for. With MPI the first process runs the loop while the others wait.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cobaya import mpi
from cobaya.log import LoggedError

from alfonsine.emulator.stored.file import load_emulator
from alfonsine.errors import InputError
from alfonsine.hosts import cobaya_words as words
from alfonsine.hosts.cobaya_served import Served
from alfonsine.hosts.numbers import canonical
from alfonsine.hosts.quantities import Quantities
from alfonsine.plugins.cobaya.emulated import Emulated
from alfonsine.plugins.cobaya.input_as_study import OWN, meant, provided, study_of
from alfonsine.study.progress import Silent


class Telling(Silent):
    """Progress of the loop in Cobaya's log."""

    def __init__(self, log: Any) -> None:
        self.log = log

    def start(self, stage: str, total: int | None = None) -> None:
        """A stage begins."""
        if not stage.startswith("cheap"):
            self.log.info("%s%s", stage, f" ({total})" if total else "")

    def say(self, line: str) -> None:
        """A line of the loop's own log."""
        self.log.info("  %s", line.strip())


class Learned(Emulated):
    """A theory that is learned from the exact code when the model is complete.

    code         classy or camb
    extra_args   as Cobaya passes them to the code
    output       run folder of the loop; runs/<digest of the study> if not given. A finished run is not made again
    loop         blocks of a study: accuracy, points, compute, seed, emulator, warm_start
    uncertified  sample all the same where the certificate does not pass
    """

    code: str = ""
    output: str | None = None
    loop: dict[str, Any] | None = None
    uncertified: bool = False
    ignore_obsolete: bool = False
    stop_at_error: bool = False

    def initialize(self) -> None:
        """Nothing is known before the model is complete."""
        Served.initialize(self)
        unknown = [name for name in self.loop or {} if name not in OWN]
        if unknown:
            raise LoggedError(self.log, "expected blocks of loop among %s, got '%s'", ", ".join(OWN), unknown[0])
        self.emulator = None

    def get_allow_agnostic(self) -> bool:
        """As Cobaya's own code: every parameter that nobody else knows."""
        return True

    def get_can_support_params(self) -> Iterable[str]:
        """Nothing by name."""
        return []

    def get_can_provide_params(self) -> Iterable[str]:
        """Every number that the code can report."""
        return {*provided(), *words.NUMBERS}

    def initialize_with_params(self) -> None:
        """Which inputs there are is for the loop to find."""
        self.check_no_repeated_input_extra()

    def probe(self) -> Quantities | None:
        """What was learned, once it is."""
        return None if self.emulator is None else self._probe

    def initialize_with_provider(self, provider: Any) -> None:
        """The model is complete: learn it, or take what an earlier run of the same has learned."""
        super().initialize_with_provider(provider)
        told = None
        if mpi.is_main_process():
            try:
                told = str(self._learn(provider.model.info()))
            except InputError as error:
                told = error
        told = mpi.share_mpi(told)
        if isinstance(told, Exception):
            raise LoggedError(self.log, "%s", str(told))
        self.folder = Path(told)
        self.take(load_emulator(self.folder / "emulator.safetensors"), "emulator.safetensors")
        self.must_provide()

    def point(self, params: Mapping[str, float]) -> dict[str, float]:
        """The emulator's inputs: sampled parameters of the model, also those that Cobaya drops on the way here."""
        known = {**self.provider.params, **params}
        values = self._inputs(known)
        return {name: known[name] if name in known else values[canonical(name)] for name in self.emulator.names}

    def _far(self) -> str:
        """The loop has learned around the posterior already: what lies far from it, the sampler went through."""
        report = self.folder / "report.html"
        return f"compare with the posterior in {report}, and let the sampler begin in it, by ref and 'covmat: auto'"

    def _learn(self, info: dict[str, Any]) -> Path:
        """Run the loop, or find it finished; its folder."""
        from alfonsine.report.report import render
        from alfonsine.study.prepare import prepare
        from alfonsine.study.run import run

        blocks = json.loads(json.dumps(study_of(info, self.code, self.get_name(), self.loop or {}), default=_plain))
        self._ask_what_is_reported(blocks)
        settings, folder = meant(blocks, self.get_name(), self.output)
        if not _finished(folder, settings.digest):
            self.log.info("learning %s; the run folder is %s", self.code, folder)
            study = prepare(settings, folder)
            run(study, Telling(self.log))
            render(folder)
        certificate = json.loads((folder / "certificate.json").read_text(encoding="utf-8"))
        calls, kl = certificate["solver_calls"], certificate["kl"]
        self.log.info(
            "certificate: %s; KL %.2g nats, 95 %% sure below %.2g; %d exact calls (%d to learn, %d to judge); %s",
            certificate["outcome"],
            kl["estimate"],
            kl["upper95"],
            calls["total"],
            calls["training"],
            calls["judging"],
            folder / "report.html",
        )
        if certificate["outcome"] != "pass" and not self.uncertified:
            raise InputError(
                f"expected a certificate that passes, got {certificate['outcome']}: {certificate['advice']}; "
                "or sample all the same by 'uncertified: true'"
            )
        return folder

    def _ask_what_is_reported(self, blocks: dict[str, Any]) -> None:
        """What likelihoods or the output require of numbers must be reported by the code, too."""
        for name in self.output_params:
            ours = words.number(name)
            if ours != name and name in blocks["params"]:
                blocks["params"][ours] = blocks["params"].pop(name)
        for key, options in self._must_provide.items():
            if isinstance(key, str) and options is None and words.number(key) not in blocks["params"]:
                blocks["params"][words.number(key)] = None

    def get_auto_covmat(self, params_info: Any, likes_info: Any) -> dict[str, str] | None:
        """The covariance of the posterior that the loop has found, for `covmat: auto`."""
        path = self.folder / "chain.covmat"
        return {"folder": str(path.parent), "name": path.name} if path.exists() else None


class classy(Learned):
    """CLASS, learned."""

    code = "classy"


class camb(Learned):
    """CAMB, learned."""

    code = "camb"


def _plain(value: Any) -> Any:
    """Numbers of numpy as numbers."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise InputError(f"expected plain values in the input, got {type(value).__name__}")


def _finished(folder: Path, digest: str) -> bool:
    path = folder / "certificate.json"
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return stored.get("study") == digest and (folder / "emulator.safetensors").exists()
