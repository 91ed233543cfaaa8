r"""Names of parameters for the page and for the figures, from the LaTeX of the study.

A page without scripts cannot typeset LaTeX, but the labels of parameters are short: Greek letters, sub- and
superscripts, roman words. These become HTML:
`\Omega_\mathrm{m} h^2` is `Ω<sub>m</sub><i>h</i><sup>2</sup>`.
What is not understood is shown as the plain name: the label is decoration, the name is the truth.
"""

import functools
import re
from html import escape

from matplotlib.mathtext import MathTextParser

_GREEK = dict(
    zip(
        "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho "
        "sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi "
        "Omega".split(),
        "αβγδεεζηθϑικλμνξπρστυφφχψωΓΔΘΛΞΠΣΦΨΩ",
        strict=True,
    )
)
_SIGN = {"times": "×", "cdot": "·", "ell": "ℓ", "sum": "Σ", "odot": "⊙", "infty": "∞", "ast": "∗", "pm": "±"}
_SPACE = {",": " ", ";": " ", ":": " ", " ": " ", "!": "", "quad": " ", "left": "", "right": "", "%": "%"}
_WORD = {"ln", "log", "exp", "min", "max"}
_ROMAN = {"mathrm", "rm", "text", "mathit", "textrm", "mathbf", "mathsf", "operatorname"}
_TOKEN = re.compile(r"\\([A-Za-z]+|.)|([{}^_])|([A-Za-z])|(\d+(?:\.\d+)?)|(.)", re.DOTALL)


LONGEST = 12  # characters of a plain name that fit beside a panel


class _Unknown(Exception):
    pass


def html_label(latex: str, name: str) -> str:
    """The label as HTML; the escaped name where the LaTeX is empty or not understood."""
    latex = latex.strip().strip("$")
    if not latex or latex == name:
        return escape(name)
    tokens = list(_TOKEN.finditer(latex))[::-1]
    try:
        return _run(tokens, roman=False, closed=False)
    except (_Unknown, IndexError):
        return escape(name)


def _run(tokens: list[re.Match[str]], roman: bool, closed: bool) -> str:
    """Consume tokens up to the closing brace, or to the end."""
    parts = []
    while tokens:
        if tokens[-1][2] == "}":
            if not closed:
                raise _Unknown
            tokens.pop()
            return "".join(parts)
        if tokens[-1][1] == "rm":
            tokens.pop()
            while tokens and tokens[-1][0] == " ":
                tokens.pop()
            roman = True
            continue
        parts.append(_atom(tokens, roman))
    if closed:
        raise _Unknown
    return "".join(parts)


def _atom(tokens: list[re.Match[str]], roman: bool) -> str:
    command, special, letter, digits, other = tokens.pop().groups()
    if special == "{":
        return _run(tokens, roman, closed=True)
    if special:
        element = "sup" if special == "^" else "sub"
        return f"<{element}>{_atom(tokens, roman)}</{element}>"
    if letter:
        return letter if roman else f"<i>{letter}</i>"
    if command in _ROMAN:
        return _atom(tokens, roman=True)
    if command in _WORD:
        return command if tokens and tokens[-1][0] in "(^_{" else f"{command}\N{THIN SPACE}"
    if command in _GREEK and command.islower() and not roman:
        return f"<i>{_GREEK[command]}</i>"
    for table in (_GREEK, _SIGN, _SPACE):
        if command in table:
            return table[command]
    if command is not None:
        raise _Unknown
    return digits or escape({"-": "−", "~": " "}.get(other, other)).strip(" ") or "\N{THIN SPACE}"


def figure_label(latex: str, name: str) -> str:
    """The label as matplotlib text; the plain name where matplotlib cannot set the LaTeX."""
    latex = latex.strip().strip("$")
    if latex and latex != name and "$" not in latex and _can_be_set(f"${latex}$"):
        return f"${latex}$"
    return plain(name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…")


def figure_text(words: str) -> str:
    """Words with LaTeX between dollars, as matplotlib text; shown as they are where it cannot set them."""
    return words if _can_be_set(words) else plain(words)


@functools.cache
def _can_be_set(words: str) -> bool:
    try:
        MathTextParser("path").parse(words)
    except (ValueError, RuntimeError):
        return False
    return True


def plain(words: str) -> str:
    """Words that matplotlib shows as they are."""
    return words.replace("$", r"\$")
