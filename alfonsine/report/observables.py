"""What outputs of a theory are called on a page, and what they are drawn against."""

from alfonsine.theory.class_spectra import NEEDS
from alfonsine.theory.grids import BACKGROUND


def short(name: str) -> str:
    """A CMB spectrum in capitals, anything else by its own name."""
    return name.upper() if name in NEEDS else name


def against(name: str) -> str:
    """Label of the axis."""
    if name in NEEDS:
        return r"multipole $\ell$"
    return "redshift $z$" if name in BACKGROUND else "element"
