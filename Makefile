# Everything a newcomer needs; `make help` lists it. Needs Python 3.11 or newer and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

.DEFAULT_GOAL := help
.PHONY: help run demo test on-valkey on-rabbitmq check bench pressure chaos format clean

help: ## Show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

run: $(VENV)/installed ## Start the whole product here; Ctrl-C ends it
	@$(BIN)/python -m config.run

demo: $(VENV)/installed ## Run a story on a stack of its own, check that nothing was lost, end
	@$(BIN)/python -m config.demo

test: check ## All checks and all tests, those of real processes on both brokers
	$(BIN)/python -m pytest -n 2 --dist loadfile --ignore tests/stack --ignore tests/chaos
	@$(MAKE) --no-print-directory -j 2 --output-sync=target on-valkey on-rabbitmq

# They wait more than they work: side by side, each with servers of its own.
on-valkey on-rabbitmq: on-%:
	PMS_TEST_BROKER=$* $(BIN)/python -m pytest tests/stack tests/chaos

check: $(VENV)/installed-dev ## Format, lint, types, import rules, migrations
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	DJANGO_DEBUG=1 $(BIN)/mypy pms_events apps config
	$(BIN)/lint-imports --no-cache
	DJANGO_DEBUG=1 $(BIN)/python -W ignore manage.py makemigrations --check --dry-run

bench: $(VENV)/installed-dev ## Measure against what one would write instead
	@$(BIN)/python -m benchmarks

PRESSURE ?= --write
pressure: $(VENV)/installed-dev ## The rate kept under old snapshots, a burst, a long run; PRESSURE="snapshot"
	@$(BIN)/python -m benchmarks.pressure $(PRESSURE)

CHAOS ?= --faults 200 --write
chaos: $(VENV)/installed-dev ## Break a running stack 200 times on purpose; CHAOS="--seed 3 --broker rabbitmq"
	@$(BIN)/python -m tests.chaos $(CHAOS)

format: $(VENV)/installed-dev ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## Remove what was made here, the data in var/ too
	rm -rf $(VENV) var .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/it" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: requirements.txt | $(BIN)/python
	$(PIP) install -r requirements.txt
	@touch $@

$(VENV)/installed-dev: requirements.txt requirements-dev.txt | $(BIN)/python
	$(PIP) install -r requirements-dev.txt
	@touch $@ $(VENV)/installed
