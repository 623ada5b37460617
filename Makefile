# Two commands on a fresh machine: `make run` and `make test`. Needs python3 (3.11 to 3.13), its venv module and make.

PYTHON ?= python3
WORKSPACE ?= data/sample
VENV := .venv
BIN := $(VENV)/bin
SAMPLE := data/sample
export DAGSTER_HOME ?= $(CURDIR)/.dagster
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup run test test-slow check fmt bench bench-ingest bench-counting bench-protect bench-year ui lock clean

help: ## say what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  make run WORKSPACE=DIR runs your own workspace; make one with: $(BIN)/usage-stats init DIR --log LOG"

setup: $(VENV)/.installed-dev $(DAGSTER_HOME)/dagster.yaml ## install everything, pinned and hashed, into .venv

run: $(VENV)/.installed $(DAGSTER_HOME)/dagster.yaml ## set up, then run the main job (WORKSPACE=data/sample)
	@if [ "$(abspath $(WORKSPACE))" = "$(abspath $(SAMPLE))" ] && [ ! -f $(SAMPLE)/truth/lines.json ]; then \
		$(BIN)/usage-stats generate $(SAMPLE); fi
	@$(BIN)/python -m pipelines "$(WORKSPACE)"

test: setup ## set up, then run the tests (minutes)
	@$(BIN)/python -m pytest -q -m "not slow" -n logical --dist loadfile --no-loadscope-reorder

test-slow: setup ## the tests that take long
	@$(BIN)/python -m pytest -q -m slow

check: setup ## formatting, lint and types; changes nothing
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy

fmt: setup ## format, and mend what lint can mend
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: setup ## measure: ratios against a baseline run in the same minute
	@$(BIN)/python -m benchmarks
	@$(BIN)/python -m benchmarks.counting --small --rounds 1
	@$(BIN)/python -m benchmarks.year --small

bench-ingest: setup ## the whole job beside GoAccess, Webalizer and ClickHouse (an hour; see benchmarks/ingest.py)
	@$(BIN)/python -m benchmarks.ingest

bench-protect: setup ## protect made-up tables of 100 to 100,000 cells (half an hour; see benchmarks/protect.py)
	@$(BIN)/python -m benchmarks.protect

bench-year: setup ## protect days, weeks and months of four tables over a year (see benchmarks/year.py)
	@$(BIN)/python -m benchmarks.year

bench-counting: setup ## one more day after a year, a month of many rows (half an hour; see benchmarks/counting.py)
	@$(BIN)/python -m benchmarks.counting

ui: $(VENV)/.installed $(DAGSTER_HOME)/dagster.yaml ## Dagster's pages for WORKSPACE, on this machine only
	@USAGE_STATS_WORKSPACE="$(abspath $(WORKSPACE))" $(BIN)/dagster dev -m pipelines.definitions -h 127.0.0.1

lock: $(VENV)/.uv ## resolve the requirements anew
	@cd requirements && for tier in "bootstrap bootstrap.in" "run ../pyproject.toml --extra orchestration --extra install" \
		"dev ../pyproject.toml --extra orchestration --extra install --extra dev -c run.txt"; do set -- $$tier; out=$$1; shift; \
		../$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header \
			--no-annotate -o $$out.txt "$$@"; done

clean: ## remove what setup, runs and the sample made (not your workspaces)
	rm -rf $(VENV) .dagster .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -rf $(SAMPLE)/logs $(SAMPLE)/truth $(SAMPLE)/restricted $(SAMPLE)/releases $(SAMPLE)/warehouse

# uv installs five times faster than pip; where it cannot be used, pip does the same from the same hashes.
$(VENV)/.uv: requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else \
		"Python 3.11, 3.12 or 3.13 is needed; name one with make PYTHON=/path/to/python3")'
	@echo "making $(VENV)"; $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -q --require-hashes -r requirements/bootstrap.txt || echo "uv is not to be had; pip will do"
	@touch $@

define install
	@echo "installing $(1)"
	@$(BIN)/uv pip install -q --compile-bytecode --require-hashes -r $(1) || $(BIN)/pip install -q --require-hashes -r $(1)
	@$(BIN)/uv pip install -q --no-deps --no-build-isolation -e . || $(BIN)/pip install -q --no-deps --no-build-isolation -e .
endef

$(VENV)/.installed: $(VENV)/.uv requirements/run.txt pyproject.toml
	$(call install,requirements/run.txt)
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements/dev.txt
	$(call install,requirements/dev.txt)
	@touch $@

$(DAGSTER_HOME)/dagster.yaml: pipelines/dagster.yaml
	@mkdir -p $(DAGSTER_HOME) && cp pipelines/dagster.yaml $@
