"""A small experiment in the folder format: TT in bins, EE by a matrix, a template and two calibrations."""

import numpy as np
import yaml

FIRST, LAST = [10, 20, 35], [19, 34, 60]


def contents():
    """What data.yaml says."""
    return {
        "units": "D_l",
        "band_powers": {"file": "bands.txt", "column": 2},
        "covariance": {"file": "cov.npz", "array": "cov"},
        "spectra": [
            {"spectrum": "tt", "bands": 3, "windows": {"first": FIRST, "last": LAST}, "calibration": {"A_map": 2}},
            {
                "spectrum": "ee",
                "bands": 2,
                "windows": {"matrix": "windows.txt", "first_l": 2},
                "ell": [25.0, 45.0],
                "calibration": {"A_map": 2, "P_map": 2},
            },
        ],
        "templates": {"A_dust": [0.0, 0.0, 0.0, 0.002, 0.001]},
        "offset": [1.0, 0.5, 0.0, 0.0, 0.0],
        "cite": "nobody",
    }


def arrays():
    """Band powers, their covariance, and the windows of EE from l = 2 to 80."""
    value = np.array([720.0, 900.0, 1300.0, 0.04, 0.3])
    error = np.array([60.0, 50.0, 45.0, 0.02, 0.03])
    correlation = np.eye(5) + 0.2 * (np.eye(5, k=1) + np.eye(5, k=-1))
    ell = np.arange(2, 81)
    windows = np.exp(-0.5 * ((ell - np.array([[25.0], [45.0]])) / 8) ** 2)
    return value, correlation * np.outer(error, error), windows / windows.sum(axis=1, keepdims=True)


def small_experiment(folder, **changed):
    """Write the folder; `changed` replaces keys of data.yaml."""
    value, covariance, windows = arrays()
    np.savetxt(folder / "bands.txt", np.column_stack([[15, 27, 47, 25, 45], value]))
    np.savez(folder / "cov.npz", cov=covariance)
    np.savetxt(folder / "windows.txt", windows)
    (folder / "data.yaml").write_text(yaml.safe_dump(contents() | changed))
    return folder
