# The workshop. A machine needs Python 3.11 or newer with pip, git and make; everything else is fetched
# from PyPI and npm into this folder: uv (.tools), the environment (.venv), the CDK CLI (node_modules).

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

UV_VERSION := 0.13.9
# Name an interpreter (`make test PYTHON=python3.13`), or the first of these that is new enough is taken.
PYTHON ?=
PYTHONS := $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python3.14)

UV := .tools/bin/uv
BIN := .venv/bin
READY := node_modules/.ready
# The interpreter that sets everything up is the machine's, not the one that it set up.
MACHINE_PATH := $(PATH)
# What the project runs must find the environment's own programs first: `python`, `node`, `cdk`.
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/node_modules/.bin:$(PATH)
# No interpreter is ever downloaded, and a shell's active environment is never written to.
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := $(CURDIR)/.venv
unexport VIRTUAL_ENV
# Container images like to switch the cache of compiled modules off, which doubles the time of every start.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH
unexport PYTHONHOME

.PHONY: help setup demo test lint types unit e2e prove versus bench synth fmt lock clean FORCE

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Install everything that the other commands need

demo: $(READY) ## Deploy to a local cloud, run real jobs through it and check every outcome
	@$(BIN)/python -m examples.demo

# One pytest run at the end, so that its summary is the last line and counts every test.
test: lint types ## Run everything that CI runs
	@$(BIN)/python -m pytest

lint: $(READY) ## Style, docstrings, formatting and the direction of imports
	@$(BIN)/ruff check --quiet .
	@found=$$($(BIN)/ruff format --check .) || { echo "$$found"; echo 'Fix: make fmt'; exit 1; }
	@found=$$($(BIN)/lint-imports) || { echo "$$found"; exit 1; }

types: $(READY) ## mypy --strict
	@$(BIN)/mypy

unit: $(READY) ## The tests that need no network
	@$(BIN)/python -m pytest tests/unit

e2e: $(READY) ## The tests that deploy to a local cloud
	@$(BIN)/python -m pytest tests/e2e

prove: $(READY) ## Simulate the shipped handlers under faults: SEEDS=n, SEED=basic:17 tells one story, ONLY=pairs, WORLD=outbox, PLANTED=1
	@$(BIN)/python -m tests.simulation.prove $(if $(SEEDS),--seeds $(SEEDS)) $(if $(FIRST),--first $(FIRST)) $(if $(SEED),--seed "$(SEED)") $(if $(PLANTED),--planted) $(if $(ONLY),--only $(ONLY)) $(if $(WORLD),--world $(WORLD))

versus: $(READY) ## The same jobs and faults through a plain handler, a textbook handler and ours
	@$(BIN)/python -m tests.simulation.rivals

bench: $(READY) ## Measure and write bench/results.json
	@$(BIN)/python -m bench

synth: $(READY) ## Synthesise the stacks into cdk.out, with every check
	@cdk synth --quiet

fmt: $(READY) ## Format, and fix what can be fixed
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

lock: $(READY) ## Resolve the dependencies anew and write both lock files
	@$(UV) lock --upgrade
	@npm install --package-lock-only

clean: ## Stop the local cloud and remove all that was installed or built
	@if test -x $(BIN)/tidemill; then $(BIN)/tidemill local down >/dev/null || true; fi
	@rm -rf .tidemill .venv .tools node_modules cdk.out build dist
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# Rewritten only when the choice changes, so that another PYTHON or another uv sets everything up again.
.tools/choice: FORCE
	@mkdir -p $(@D); echo '$(UV_VERSION) $(PYTHON)' | cmp -s - $@ || echo '$(UV_VERSION) $(PYTHON)' >$@

# An active environment (which may hold no pip) stands for the interpreter that it was made with.
# `pip install --target` works where Debian splits `venv` off Python, and where pip is told to leave the system alone.
.tools/ready: .tools/choice
	@export PATH='$(MACHINE_PATH)'; \
	for python in $(PYTHONS); do \
	  base=$$($$python -c 'import sys; print(sys.version_info >= (3, 11) and sys._base_executable or "")' 2>/dev/null || true); \
	  if test -n "$$base" && "$$base" -c 'import pip' 2>/dev/null; then found=$$base; break; fi; \
	done; \
	test -n "$${found:-}" || { echo 'no Python 3.11 or newer with pip among: $(PYTHONS). Name one: make PYTHON=/path/to/python' >&2; exit 1; }; \
	echo "$$found" >.tools/python; \
	"$$found" -m pip install -qq --disable-pip-version-check --upgrade --target .tools 'uv==$(UV_VERSION)'
	@touch $@

.venv/ready: .tools/ready pyproject.toml uv.lock
	@$(UV) sync --quiet --frozen --all-extras --group dev --python "$$(cat .tools/python)"
	@touch $@

$(READY): .venv/ready package.json package-lock.json
	@$(BIN)/npm ci --silent
	@touch $@
