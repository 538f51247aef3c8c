PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help install demo test check bench wheel clean

help: ## list what can be made
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "laconic needs Python 3.11 or later; set PYTHON=python3.12 or the like"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@

install: $(VENV)/.installed ## make .venv with laconic in it

demo: install ## three requests through laconic: no key, no network, no Redis
	@$(BIN)/laconic demo

check: $(VENV)/.installed-test ## linters and types
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy

test: $(VENV)/.installed-test ## everything; installs redis-server where it is missing
	@sh tests/install-redis.sh
	$(BIN)/python -m pytest

bench: $(VENV)/.installed-test ## what the way through costs, beside nginx and LiteLLM where they are installed
	$(BIN)/python -m tests.benchmarks.proxy $(ARGS)

wheel: $(VENV)/.installed-test ## dist/laconic-*.whl
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean: ## remove .venv and what was built
	rm -rf $(VENV) dist build
