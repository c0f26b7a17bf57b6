# `make demo`: fresh machine to a working map. `make test`: the whole suite. Both stand on `make setup`.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-done
COMPILED := $(VENV)/.compiled
PYTEST_ARGS ?=
PYTEST_WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist worksteal

.PHONY: setup demo test test-full test-install lint bench docs clean

setup: $(STAMP) $(COMPILED)
	@$(BIN)/python -m maps.vendor

$(STAMP): requirements.txt requirements-dev.txt setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Lapwing needs Python 3.11 or newer; run make PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing pinned requirements ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

$(COMPILED): $(STAMP) geo/compiled.py geo/cluster_grid.py geo/nearby_kernel.py geo/nearby_outlines.py
	@$(BIN)/python -m app.warm
	@touch $(COMPILED)

demo: setup
	@$(BIN)/lapwing demo $(DEMO_ARGS)

test: setup
	@./tests/system-parts.sh
	@$(PYTEST) $(PYTEST_ARGS)

test-full: setup
	@./tests/system-parts.sh
	@$(PYTEST) -m "not install" $(PYTEST_ARGS)

test-install: setup
	@./tests/system-parts.sh
	@$(BIN)/python -m pytest -m install $(PYTEST_ARGS)

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: setup
	@for program in benchmarks/bench_*.py; do $(BIN)/python $$program || exit 1; done

docs: setup
	@$(BIN)/python -c 'from pathlib import Path; from geo.fields import dictionary_markdown; Path("docs/field-dictionary.md").write_text(dictionary_markdown(), encoding="utf-8")'

clean:
	@rm -rf $(VENV) node_modules app/static/vendor build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
