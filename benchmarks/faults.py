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
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
from faults_place import WORKERS, Found, Place, last_line, sound

Strike = Callable[[subprocess.Popen, "Place"], None]


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
    if not mount("-t", "tmpfs", "-o", "size=16m", "tmpfs", disk):
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


if __name__ == "__main__":
    main()
