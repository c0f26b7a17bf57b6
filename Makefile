# `make demo`: fresh machine to a working map. `make test`: the whole suite. Both stand on `make setup`.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-done
COMPILED := $(VENV)/.compiled
PYTEST_ARGS ?=
PYTEST_WORKERS ?= 2
MEASURED := $(patsubst %,benchmarks/bench_%.py,dbscan points h3 join export start pipeline postgis_load)
PYTEST := $(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist worksteal

.PHONY: setup demo test test-full test-install lint bench bench-full docs clean

setup: $(STAMP) $(COMPILED)
	@$(BIN)/python -m maps.vendor

$(STAMP): requirements.txt requirements-dev.txt setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Lapwing needs Python 3.11 or newer; run make PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing pinned requirements ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

$(COMPILED): $(STAMP) geo/compiled.py geo/cells_kernel.py geo/cluster_grid.py geo/link_kernel.py geo/nearby_kernel.py geo/nearby_outlines.py geo/scan_kernel.py \
		geo/spacetime_grid.py geo/uncertainty_kernel.py
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

# Peers are installed beside Lapwing for the benchmarks alone; one that cannot be is named in the table and left out.
$(VENV)/.peers: $(STAMP) requirements-bench.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt || echo "Not all peers could be installed."
	@touch $@

bench: setup $(VENV)/.peers
	@$(BIN)/python benchmarks/bench_dbscan.py --rows 50000 --most 300000 --postgis 30000
	@$(BIN)/python benchmarks/bench_points.py --rows 200000
	@$(BIN)/python benchmarks/bench_h3.py --points 200000 --cells 20000 --repeats 3
	@$(BIN)/python benchmarks/bench_join.py --rows 20000
	@$(BIN)/python benchmarks/bench_export.py --rows 20000
	@$(BIN)/python benchmarks/bench_start.py --repeats 3
	@$(BIN)/python benchmarks/bench_pipeline.py --rows 50000

bench-full: setup $(VENV)/.peers
	@./tests/system-parts.sh
	@$(BIN)/python benchmarks/bench_dbscan.py --write --most 10000000
	@for part in points h3 join export start pipeline postgis_load; do $(BIN)/python benchmarks/bench_$$part.py --write || exit 1; done
	@for program in $(filter-out $(MEASURED),$(wildcard benchmarks/bench_*.py)); do $(BIN)/python $$program || exit 1; done

docs: setup
	@$(BIN)/python -c 'from pathlib import Path; from geo.fields import dictionary_markdown; Path("docs/field-dictionary.md").write_text(dictionary_markdown(), encoding="utf-8")'

clean:
	@rm -rf $(VENV) node_modules app/static/vendor build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
