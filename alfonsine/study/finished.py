"""Whether a run folder holds the finished run of a study, so that there is nothing to do again."""

import zlib
from zipfile import BadZipFile

import numpy as np

from alfonsine.errors import InputError
from alfonsine.study.made_by import made_by
from alfonsine.study.prepare import Study

RECORDS = ("study.yaml", "emulator.safetensors", "chain.paramnames", "posterior.npz", "report.html")


def is_finished(study: Study) -> bool:
    """True where a certificate of this very study is there with its emulator, its chains and its report.

    Where one of them is missing or damaged, or where the exact code or the data have changed behind the same names,
    the run goes on: it makes what is missing from the exact calls that it has.
    """
    folder = study.folder
    if made_by(folder) != study.settings.digest or not all((folder / name).exists() for name in RECORDS):
        return False
    from alfonsine.study.records import read_certificate
    from alfonsine.study.stages import stored_chains, stored_emulator

    try:
        read_certificate(folder)
        chains = stored_chains(study, stored_emulator(study))
        with np.load(folder / "posterior.npz") as stored:
            return len(stored["samples"]) == len(chains)  # none of their files is missing
    except (InputError, OSError, EOFError, ValueError, KeyError, BadZipFile, zlib.error):
        return False
