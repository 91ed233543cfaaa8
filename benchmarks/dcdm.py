"""Decaying dark matter in CONNECT's boxes: exact calls, certified KL, and further exact calls that confirm it.

    python benchmarks/dcdm.py [FOLDER] [--seeds 1 2] [--fresh 200] [--box]

runs examples/dcdm.yaml; all else is as in `massive_neutrinos.py`.
"""

from massive_neutrinos import certified_posteriors


def main() -> None:
    """Run, judge again, print."""
    certified_posteriors("dcdm")


if __name__ == "__main__":
    main()
