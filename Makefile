# `make plan` answers the question on the shipped case; `make test` checks the package.
# Each builds the .venv it needs, from wheels whose hashes are in the lock files.
#   make PYTHON=python3.12 plan    another interpreter (3.11 or newer)
#   make UV= plan                  pip, although uv is there

PYTHON ?= python3
UV     := $(shell command -v uv 2>/dev/null)
VENV   := .venv
BIN    := $(VENV)/bin
WHEELS := --require-hashes --only-binary :all:
PYTEST := -q -p no:benchmark -n auto --maxprocesses 4 --dist worksteal

ifeq ($(strip $(UV)),)
create  = $(PYTHON) -m venv --clear $(VENV)
install = { $(BIN)/python -c 'import pip' 2>/dev/null || $(BIN)/python -m ensurepip >/dev/null; } && \
          $(BIN)/python -m pip install -qq --disable-pip-version-check
else
create  = $(UV) venv --quiet --clear --python "$$(command -v $(PYTHON))" $(VENV)
install = $(UV) pip install --quiet --python $(BIN)/python
endif

.PHONY: help plan test slow mutate lint lint-ruff lint-format lint-types lint-floors format docs bench lock clean

help:
	@echo 'make plan    where a rig is cheapest, and where to make it: the shipped case'
	@echo 'make test    the tests, without the slow proofs'
	@echo 'make slow    the slow proofs'
	@echo 'make mutate  take each dated value out of the rule book: do the golden rows notice?'
	@echo 'make lint    ruff, mypy, import-linter'
	@echo 'make format  let ruff repair what it can'
	@echo 'make docs    the documentation as pages, in site/'
	@echo 'make bench   timings'
	@echo 'make lock    write the lock files from pyproject.toml, pins kept (needs uv; UPGRADE=--upgrade for newer ones)'
	@echo 'make clean   remove everything that was built'

# What a user does

plan: $(VENV)/run.stamp
	@mkdir -p build
	@$(BIN)/ashore report rigs-2026 --out build/report.html

# What a maintainer does

test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest $(PYTEST) -m 'not slow' $(PYTEST_ARGS)

slow: $(VENV)/dev.stamp # pytest ends with 5 when no test is marked slow
	$(BIN)/python -m pytest $(PYTEST) -m slow --durations=5 $(PYTEST_ARGS) || test $$? -eq 5

mutate: $(VENV)/dev.stamp
	$(BIN)/python tools/mutate_rules.py

lint: lint-ruff lint-format lint-types lint-floors # make -k lint runs all of them, whatever the first one says

lint-ruff: $(VENV)/dev.stamp
	$(BIN)/ruff check --output-format concise .

lint-format: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .

lint-types: $(VENV)/dev.stamp
	$(BIN)/mypy --strict src

lint-floors: $(VENV)/dev.stamp
	$(BIN)/lint-imports

format: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/dev.stamp
	$(BIN)/python -m pytest benchmarks --benchmark-only --benchmark-columns=min,median,max,rounds

docs: $(VENV)/docs.stamp
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir site

LOCK := compile pyproject.toml --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-header --annotation-style line --quiet $(UPGRADE)

lock:
	@test -n "$(strip $(UV))" || { echo 'make lock needs uv: python3 -m pip install uv' >&2; exit 1; }
	$(UV) pip $(LOCK) --extra xlsx --group build --output-file requirements.lock
	$(UV) pip $(LOCK) --extra xlsx --group build --extra dev --constraint requirements.lock --output-file requirements-dev.lock
	$(UV) pip $(LOCK) --extra docs --constraint requirements-dev.lock --output-file requirements-docs.lock

clean:
	rm -rf $(VENV) build dist site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .benchmarks

# The environment. A stamp is as new as the lock it was built from; the second call is quick.

$(VENV)/python.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'ashore needs Python 3.11 or newer; $(PYTHON) is not. Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)' >&2; exit 1; }
	@echo 'building $(VENV) (once)'
	@$(create)
	@touch $@

$(VENV)/run.stamp: requirements.lock pyproject.toml | $(VENV)/python.stamp
	@echo 'installing requirements.lock and ashore'
	@$(install) $(WHEELS) -r requirements.lock
	@$(install) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp $(VENV)/docs.stamp: $(VENV)/%.stamp: requirements-%.lock $(VENV)/run.stamp
	@echo 'installing $<'
	@$(install) $(WHEELS) -r $<
	@touch $@
