"""Which names of likelihoods are Cobaya's; without importing any of them."""

import importlib.util


def known_to_cobaya(name: str) -> bool:
    """Whether it is one of Cobaya's own, or the import path of a class, where Cobaya is installed."""
    if importlib.util.find_spec("cobaya") is None:
        return False
    first = name.split(".")[0]
    try:
        own = importlib.util.find_spec(f"cobaya.likelihoods.{first}") is not None
        return own or ("." in name and importlib.util.find_spec(first) is not None)
    except (ImportError, ValueError):
        return False
