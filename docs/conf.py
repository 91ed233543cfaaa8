"""The documentation site: `make docs` builds it into docs/_build/html; a warning is an error."""

import os
import sys
import tempfile
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))
# What the tests or an earlier build have compiled, the notebooks need not compile again.
COMPILED = Path(tempfile.gettempdir()) / f"alfonsine-compiled-{os.getuid()}"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(COMPILED))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")

project = author = "alfonsine"
copyright = "the authors of alfonsine, MIT licence"
release = version_of("alfonsine")

extensions = [
    "myst_nb",  # pages in Markdown, and notebooks that are run when the site is built
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "drawn_maths",
    "house_docstrings",
    "study_blocks",
    "command_help",
    "names_and_units",
    "self_contained",
]
exclude_patterns = ["_build", "extensions"]

html_theme = "furo"
html_title = f"alfonsine {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
templates_path: list[str] = []
pygments_style, pygments_dark_style = "friendly", "monokai"

myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_heading_anchors = 3
copybutton_exclude = ".linenos, .gp, .go"

nb_execution_mode = "force"  # what a page shows is what this version of the code does
nb_execution_timeout = 900  # of one cell, on a busy machine
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_merge_streams = True
nb_output_stderr = "remove"  # what other packages say to a notebook that has no widgets
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # no content from other hosts

autodoc_default_options = {"member-order": "bysource"}
autodoc_typehints = "none"  # shapes and units stand in the docstrings, in words
autodoc_preserve_defaults = True
