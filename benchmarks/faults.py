"""What is lost when things die: workers and program killed with `kill -9`, a full disk, a read-only folder.

    python benchmarks/faults.py [--trials 3] [--seconds 0.4] [--folder FOLDER]

The exact code is a function that takes its time and, as its last act, writes its input to a file of its own: a witness
that knows nothing of archive or engine. Each place (processes of this machine; a Dask scheduler with four workers,
started apart; Dask's LocalCluster) runs the study once undisturbed and `trials` times with two workers killed and the
program killed and started again; then a disk is filled under it, and its folder made read-only (both need the right to
mount). Prints a table and, as its last line, one JSON object:

lost                   calls that the witness saw finish and that the archive does not hold at the end
repeated               points whose call finished more than once
posterior_shift_sigma  largest difference of a mean from the undisturbed run on this machine, in standard deviations
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import yaml

from alfonsine.theory.archive import Archive

ROOT = Path(__file__).parents[1]
WORKERS = 4
CODE = """
import json, os, time

import numpy as np


def bent(p):
    time.sleep({seconds})
    x = np.exp(p["x"]) - 0.5
    result = {{"data": np.array([x, p["y"] + 0.5 * (x**2 - 1)])}}
    descriptor = os.open(os.environ["WITNESS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, (json.dumps(p) + "\\n").encode())
    os.close(descriptor)
    return result
"""
STUDY = {
    "theory": {"python": {"function": "slow:bent", "inputs": ["x", "y"]}},
    "likelihood": {"gaussian": {"observable": "data", "value": [0.6, 0.1], "covariance": [[0.04, 0.01], [0.01, 0.05]]}},
    "params": {
        name: {"prior": {"min": -5.0, "max": 5.0}, "ref": 0.4, "proposal": 0.2, "drop": False} for name in ("x", "y")
    },
    "accuracy": {"kl": 0.001, "judging": 40},
    "sampler": {"nuts": {"chains": 4, "effective_samples": 2000}},
}
Strike = Callable[[subprocess.Popen, "Place"], None]


@dataclass
class Found:
    """What one scenario left."""

    scenario: str
    calls: int = 0
    failed: int = 0
    struck: int = 0
    lost: int = 0
    repeated: int = 0
    same_rounds: bool = False
    certificate_difference: float = 0.0
    shift_sigma: float = 0.0
    exit_codes: list[int] = field(default_factory=list)
    message: str = ""


class Place:
    """A study on disk, its witness, and whatever makes its calls."""

    def __init__(self, folder: Path, compute: dict, seconds: float, run: Path | None = None) -> None:
        folder.mkdir(parents=True)
        self.folder, self.run, self.witness = folder, run or folder / "run", folder / "witness"
        (folder / "slow.py").write_text(CODE.format(seconds=seconds))
        (folder / "study.yaml").write_text(yaml.safe_dump(STUDY | {"compute": compute}, sort_keys=False))
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])  # this tree, wherever it is run from
        self.environment = os.environ | {"WITNESS": str(self.witness), "PYTHONPATH": path}
        self.apart: list[subprocess.Popen] = []

    def start(self) -> subprocess.Popen:
        """Begin the run, or go on with it."""
        command = [sys.executable, "-m", "alfonsine.cli", "run", "study.yaml", "--quiet", "--output", str(self.run)]
        with open(self.folder / "log", "ab") as log:
            return subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=log, stderr=log)

    def cluster(self) -> None:
        """A scheduler and its workers, in processes that do not belong to the run."""
        address = f"tcp://127.0.0.1:{free_port()}"
        study = yaml.safe_load((self.folder / "study.yaml").read_text()) | {"compute": {"dask": address}}
        (self.folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
        self._apart("dask_scheduler", "--host", "127.0.0.1", "--port", address.rsplit(":", 1)[1], "--no-dashboard")
        for _ in range(WORKERS):
            self._apart("dask_worker", address, "--nthreads", "1", "--no-dashboard", "--local-directory", self.folder)

    def _apart(self, program: str, *arguments: object) -> None:
        command = [sys.executable, "-m", f"distributed.cli.{program}", *map(str, arguments)]
        with open(self.folder / "cluster-log", "ab") as log:
            self.apart.append(subprocess.Popen(command, env=self.environment, stdout=log, stderr=log))

    def finished(self) -> Counter:
        """How often the call of each point finished, by the witness."""
        lines = self.witness.read_text().splitlines() if self.witness.exists() else []
        return Counter(frozenset(json.loads(line).items()) for line in lines)

    def wait(self, process: subprocess.Popen, count: int) -> None:
        """Until so many calls have finished."""
        while sum(self.finished().values()) < count:
            if process.poll() is not None:
                raise SystemExit(f"the run ended before {count} calls: {(self.folder / 'log').read_text()}")
            time.sleep(0.01)

    def close(self) -> None:
        """End what was started apart."""
        for process in self.apart:
            process.terminate()
        for process in self.apart:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()

    def left(self, scenario: str, truth: "Place", codes: list[int], struck: int = 0) -> Found:
        """Compare what is there with the witness, and with an undisturbed run."""
        with Archive(self.run / "archive.sqlite") as archive:
            calls = {frozenset(call.inputs.items()): call for call in archive}
        seen = self.finished()
        return Found(
            scenario,
            calls=len(calls),
            failed=sum(not call.done for call in calls.values()),
            struck=struck,
            lost=len(set(seen) - {point for point, call in calls.items() if call.done}),
            repeated=sum(number > 1 for number in seen.values()),
            same_rounds=rounds(self.run) == rounds(truth.run),
            certificate_difference=difference(certificate(self.run), certificate(truth.run)),
            shift_sigma=shift(self.run, truth.run),
            exit_codes=codes,
        )


def main() -> None:
    """Run all scenarios, print, and exit with 1 if anything was lost or repeated."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.4)
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="faults-"))
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder / "compiled")
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    rng = np.random.default_rng(9)
    kinds: dict[str, tuple[dict, list[Strike]]] = {
        "processes": ({"workers": WORKERS}, [kill_worker, kill_worker]),
        "scheduler": ({}, [kill_worker_apart, kill_host_apart]),
        "local cluster": ({"dask": {"local": WORKERS}}, [kill_worker, kill_worker]),
    }
    found: list[Found] = []

    def tell(one: Found) -> None:
        found.append(one)
        print(
            f"{one.scenario:<34} {one.calls:3d} calls, {one.failed} failed; struck {one.struck}; lost {one.lost}, "
            f"repeated {one.repeated}; rounds {'same' if one.same_rounds else 'OTHER'}, certificate differs by "
            f"{one.certificate_difference:.1e}, mean shifted by {one.shift_sigma:.1e} sigma; exit codes "
            f"{one.exit_codes} {one.message}",
            flush=True,
        )

    truth = None
    for kind, (compute, strikes) in kinds.items():
        place = Place(folder / kind.replace(" ", "-") / "undisturbed", compute, options.seconds)
        truth = truth or place
        tell(undisturbed(place, kind, truth))
        for trial in range(options.trials):
            place = Place(folder / kind.replace(" ", "-") / f"killed-{trial}", compute, options.seconds)
            tell(killed(place, kind, truth, strikes, rng))
    assert truth is not None
    for kind in ("processes", "local cluster"):
        for name, misfortune in (("full disk", full_disk), ("read-only folder", read_only)):
            with mounted(folder / kind.replace(" ", "-") / name.replace(" ", "-")) as disk:
                if disk is None:
                    print(f"{kind}, {name}: not tried, for want of the right to mount")
                    continue
                place = Place(disk.with_name(disk.name + "-study"), kinds[kind][0], options.seconds, disk / "run")
                tell(misfortune(place, disk, kind, truth))
    result = {
        "lost": sum(one.lost for one in found),
        "repeated": sum(one.repeated for one in found),
        "posterior_shift_sigma": max(one.shift_sigma for one in found),
        "certificate_difference": max(one.certificate_difference for one in found),
        "same_rounds": all(one.same_rounds for one in found),
        "failed": sum(one.failed for one in found),
        "finished": sum(one.calls for one in found),
        "kills": sum(one.struck for one in found),
        "scenarios": [asdict(one) for one in found],
    }
    print(json.dumps(result))
    sys.exit(1 if result["lost"] or result["repeated"] else 0)


def undisturbed(place: Place, kind: str, truth: Place) -> Found:
    """Run to the end."""
    if kind == "scheduler":
        place.cluster()
    code = place.start().wait()
    place.close()
    return place.left(f"{kind}, undisturbed", truth, [code])


def killed(place: Place, kind: str, truth: Place, strikes: list[Strike], rng: np.random.Generator) -> Found:
    """Two workers killed while calls are made, then the program; the same command again."""
    if kind == "scheduler":
        place.cluster()
    process = place.start()
    for count, strike in zip((3, 9), strikes, strict=True):
        place.wait(process, count)
        time.sleep(rng.uniform(0.0, 0.5))
        strike(process, place)
    place.wait(process, 16)
    time.sleep(rng.uniform(0.0, 0.5))
    process.kill()
    codes = [process.wait(), place.start().wait()]
    place.close()
    return place.left(f"{kind}, 2 workers and program killed", truth, codes, struck=len(strikes) + 1)


def full_disk(place: Place, disk: Path, kind: str, truth: Place) -> Found:
    """Not a byte left while calls are made; room again, and the same command again."""
    process = place.start()
    place.wait(process, 5)
    fill(disk / "ballast")
    codes, whole = [process.wait()], sound(place.run)
    message = last_line(place)
    codes.append(place.start().wait())  # begins while the disk is still full
    (disk / "ballast").unlink()
    codes.append(place.start().wait())
    found = place.left(f"{kind}, full disk", truth, codes)
    found.message = f"archive {whole}; {message}"
    return found


def read_only(place: Place, disk: Path, kind: str, truth: Place) -> Found:
    """Killed half-way, begun again on a disk that cannot be written, and once more when it can."""
    process = place.start()
    place.wait(process, 5)
    process.kill()
    codes = [process.wait()]
    time.sleep(1.0)
    before = {path: path.read_bytes() for path in sorted(place.run.rglob("*")) if path.is_file()}
    mount("-o", "remount,ro", disk)
    codes.append(place.start().wait())
    after = {path: path.read_bytes() for path in sorted(place.run.rglob("*")) if path.is_file()}
    message = last_line(place)
    mount("-o", "remount,rw", disk)
    codes.append(place.start().wait())
    found = place.left(f"{kind}, read-only folder", truth, codes)
    found.message = f"folder {'untouched' if before == after else 'CHANGED'}; {message}"
    return found


def kill_worker(process: subprocess.Popen, place: Place) -> None:
    """Kill one process that makes calls, or Dask's process above it, of the program itself."""
    kill(next(pid for pid in children(process.pid) if "spawn_main" in command(pid)))


def kill_worker_apart(process: subprocess.Popen, place: Place) -> None:
    """Kill a worker of the cluster; what watches it starts another."""
    kill(next(pid for pid in children(place.apart[1].pid) if "spawn_main" in command(pid)))


def kill_host_apart(process: subprocess.Popen, place: Place) -> None:
    """Kill a worker of the cluster and what watches it, as when a host is gone."""
    below = children(place.apart[2].pid)
    for pid in (place.apart[2].pid, *below):
        with contextlib.suppress(ProcessLookupError):
            kill(pid)


def kill(pid: int) -> None:
    """As nobody can resist."""
    os.kill(pid, signal.SIGKILL)


def children(parent: int) -> list[int]:
    """Processes that it has started, oldest first."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int((path / "stat").read_text().rsplit(")", 1)[1].split()[1]) == parent:
                found.append(int(path.name))
    return sorted(found)


def command(pid: int) -> str:
    """Its command line."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


@contextlib.contextmanager
def mounted(disk: Path) -> Iterator[Path | None]:
    """A small disk in memory, or None where that is not allowed."""
    disk.mkdir(parents=True)
    if not mount("-t", "tmpfs", "-o", "size=4m", "tmpfs", disk):
        yield None
        return
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", disk], check=False)


def mount(*arguments: object) -> bool:
    """Whether it could be done."""
    try:
        return subprocess.run(["mount", *map(str, arguments)], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def fill(ballast: Path) -> None:
    """Write until nothing fits."""
    with open(ballast, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(512))


def sound(run: Path) -> str:
    """Whether sqlite finds anything wrong, asked of a copy elsewhere, since the disk is full."""
    with tempfile.TemporaryDirectory() as copy:
        for path in run.glob("archive.sqlite*"):
            if path.is_file():
                (Path(copy) / path.name).write_bytes(path.read_bytes())
        with Archive(Path(copy) / "archive.sqlite") as archive:
            return f"intact with {len(list(archive))} calls"


def last_line(place: Place) -> str:
    """What the run said in the end."""
    lines = (place.folder / "log").read_text().strip().splitlines()
    return f"{len(lines)} line(s): {lines[-1]}" if lines else "nothing said"


def rounds(run: Path) -> list[list]:
    """Purpose and points of each round."""
    found = [json.loads(path.read_text()) for path in sorted((run / "rounds").rglob("*.json"))]
    return [[entry["purpose"], entry["theta"]] for entry in found]


def certificate(run: Path) -> dict:
    """The certificate without what depends on the clock."""
    path = run / "certificate.json"
    record = json.loads(path.read_text()) if path.exists() else {}
    return {name: value for name, value in record.items() if not name.startswith("seconds")}


def difference(ours: object, theirs: object) -> float:
    """Largest relative difference of numbers; infinity where anything else differs."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        return max((difference(ours[name], theirs[name]) for name in ours), default=0.0)
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return max((difference(*pair) for pair in zip(ours, theirs, strict=True)), default=0.0)
    if isinstance(ours, float) and isinstance(theirs, float) and ours != theirs:
        return abs(ours - theirs) / max(abs(ours), abs(theirs))
    return 0.0 if ours == theirs else float("inf")


def shift(run: Path, truth: Path) -> float:
    """Largest difference of means, in standard deviations of the other run."""
    try:
        with np.load(run / "posterior.npz") as ours, np.load(truth / "posterior.npz") as theirs:
            means = [np.average(one["samples"], axis=0, weights=one["weights"]) for one in (ours, theirs)]
            return float(np.max(np.abs(means[0] - means[1]) / theirs["samples"].std(axis=0)))
    except FileNotFoundError:
        return float("inf")


def free_port() -> int:
    """A port of this machine that nobody listens to."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


if __name__ == "__main__":
    main()
