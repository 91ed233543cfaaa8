# Every target does its own set-up, and does it again only when the list of parts has changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
WORKERS ?= auto

.PHONY: help demo docs test test-all bench lint clean

help:
	@echo 'make demo      the built-in study: a certified posterior, no data needed'
	@echo 'make docs      the documentation site, its notebooks run: docs/_build/html/index.html'
	@echo 'make test      quick tests, style and the site'
	@echo 'make test-all  all tests'
	@echo 'make bench     the benchmarks (long)'
	@echo 'make lint      style only'

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("expected Python 3.11 or later, got " + sys.version.split()[0] + "; try make PYTHON=python3.12")'
	@echo 'setting up $(VENV) ...'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,anesthetic,arviz,camb,cluster,cobaya,docs]'
	@touch $@

demo: $(INSTALLED)
	$(BIN)/alfonsine demo

# from nothing each time: pages are written from the code, which Sphinx does not watch; a warning is an error
docs: $(INSTALLED)
	rm -rf docs/_build
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo 'docs/_build/html/index.html'

test: $(INSTALLED)
	$(BIN)/python -m pytest -n $(WORKERS) -m 'not slow'
	@$(MAKE) --no-print-directory lint docs

test-all: $(INSTALLED)
	$(BIN)/python -m pytest -n $(WORKERS)
	@$(MAKE) --no-print-directory lint docs

# benchmarks that begin from a finished run, or need a peer's environment or data, take it as an argument
OF_A_RUN := cobaya_bao confirmed connect_comparison contours hosts hosts_montepython patience peer_gpry

bench: $(INSTALLED)
	set -e; for script in $(filter-out benchmarks/fuzz_%.py $(OF_A_RUN:%=benchmarks/%.py),$(wildcard benchmarks/*.py)); do echo "== $$script"; $(BIN)/python "$$script"; done

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

clean:
	rm -rf $(VENV) docs/_build
