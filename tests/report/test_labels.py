"""Labels of parameters: LaTeX becomes HTML, what is not understood becomes the escaped name."""

import pytest

from alfonsine.report.labels import figure_label, html_label


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"\Omega_\mathrm{b} h^2", "Ω<sub>b</sub> <i>h</i><sup>2</sup>"),
        (r"\ln(10^{10} A_\mathrm{s})", "ln(10<sup>10</sup> <i>A</i><sub>s</sub>)"),
        (r"100\theta_\mathrm{s}", "100<i>θ</i><sub>s</sub>"),
        (r"$H_0$", "<i>H</i><sub>0</sub>"),
        (r"n_{\rm s}", "<i>n</i><sub>s</sub>"),
        ("a<b", "<i>a</i>&lt;<i>b</i>"),
    ],
)
def test_html(latex, expected):
    assert html_label(latex, "name").replace("\N{THIN SPACE}", " ") == expected


@pytest.mark.parametrize("latex", ["", r"\frac{a}{b}", "a}", "{a", "x^", r"\mathrm", r"\unknown", "x_"])
def test_the_name_stands_in(latex):
    assert html_label(latex, "<name>") == "&lt;name&gt;"


@pytest.mark.parametrize(("latex", "expected"), [(r"\tau", r"$\tau$"), (r"\notacommand", r"a\$"), ("a$b", r"a\$")])
def test_figures_never_meet_latex_they_cannot_set(latex, expected):
    assert figure_label(latex, "a$") == expected
