"""What is given for a run folder, and is none."""

from pathlib import Path

from alfonsine.errors import InputError


def names_in(folder: Path) -> set[str]:
    """Names of all that is in the folder; InputError where there is no such folder."""
    try:
        return {path.name for path in folder.iterdir()}
    except FileNotFoundError:
        raise InputError(
            f"expected a run folder, got '{folder}', which does not exist; `alfonsine run` makes it"
        ) from None
    except NotADirectoryError:
        raise InputError(
            f"expected a run folder, got the file '{folder}'; give the folder that its run writes, "
            "which `alfonsine plan STUDY.yaml` names"
        ) from None
    except OSError as error:
        raise InputError(f"expected a run folder that can be read, got '{folder}' ({error.strerror})") from None


def without_records(folder: Path) -> InputError:
    """The one line for a folder of something else."""
    return InputError(
        f"expected a run folder, got '{folder}', which holds no record of a run; give the output folder of "
        "`alfonsine run`"
    )
