# Everything a checkout needs, from an empty machine with python3, python3-pip and make.
# Each command first makes .venv, once; it is made again when pyproject.toml changes.

PYTHON ?= python3
SAMPLE ?= visits
HOST   ?= 127.0.0.1
PORT   ?= 8000

VENV := .venv
BIN  := $(VENV)/bin
PIP  := $(BIN)/python -m pip --disable-pip-version-check --no-input
# What pip says, as one line of the names of the packages, while it collects them.
NAMES = | awk '/^Collecting/ { sub(/[^A-Za-z0-9._-].*/, "", $$2); printf "  %s", $$2; fflush(); any = 1 } \
    /^Installing/ { printf "\n  installing ..."; fflush(); any = 1 } END { if (any) print "" }'

# pipefail: a failure of pip is a failure, also before the pipe to awk.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

.DEFAULT_GOAL := help
.PHONY: help run test check bench clean

help: ## Show this list
	@printf 'Satsuma: make <command>\n\n'
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while read -r name what; do \
	    printf '  %-7s %s\n' "$$name" "$$what"; done

run: $(VENV)/.run ## Serve a sample on http://127.0.0.1:8000 (PORT=9000 SAMPLE=visits HOST=127.0.0.1)
	@test -f samples/$(SAMPLE)/app.py || { \
	    echo "There is no samples/$(SAMPLE)/app.py. Choose one with SAMPLE=name:" \
	        $(patsubst samples/%/app.py,%,$(wildcard samples/*/app.py)); exit 2; }
	@$(BIN)/framework run samples.$(SAMPLE).app:app --host $(HOST) --port $(PORT)

test: $(VENV)/.test ## Run the tests (TEST_EVERYTHING=1 adds slow ones and more examples; ARGS="-k logout" passes options to pytest)
	@$(BIN)/python -m pytest -rs --numprocesses 2 --dist loadfile $(ARGS)

check: $(VENV)/.check ## Check style, types and import rules
	@echo "Style:   ruff check, ruff format" && $(BIN)/python -m ruff check --quiet . \
	    && $(BIN)/python -m ruff format --quiet --check .
	@echo "Types:   mypy --strict" && $(BIN)/python -m mypy --no-error-summary
	@echo "Types:   basedpyright" && $(BIN)/basedpyright --level error
	@echo "Imports: the rules of the house" && $(BIN)/python -m pytest -q tests/test_house.py

bench: $(VENV)/.bench ## Measure a request against peers and an earlier version (ARGS=--markdown writes docs/benchmarks.md)
	@$(BIN)/python -m tests.benchmarks $(ARGS)

clean: ## Remove .venv and what the tools left behind (sessions in .framework stay)
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -prune -exec rm -rf {} +


# Set-up. A stamp file in .venv says what is installed; .pip also says for which folder, because
# what pip installs names it: a checkout that was moved or copied, or whose Python is gone, starts over.

ifneq ($(shell test -x $(BIN)/python && cat $(VENV)/.pip 2>/dev/null),$(CURDIR))
$(shell rm -f $(VENV)/.pip)
endif

# Debian without python3-venv has no ensurepip: there, the system's pip installs the environment's.
$(VENV)/.pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "Satsuma needs Python 3.11 or later, and $(PYTHON) is not. Name another: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "Setting up $(VENV) (once)"
	@$(PIP) --version >/dev/null 2>&1 \
	    || $(PYTHON) -m venv --clear $(VENV) >/dev/null 2>&1 \
	    || { $(PYTHON) -m venv --clear --without-pip $(VENV) \
	        && $(PYTHON) -m pip --quiet --disable-pip-version-check --python $(BIN)/python install pip; } \
	    || { echo "No pip for $(PYTHON). On Debian and Ubuntu: apt install python3-pip"; exit 1; }
	@$(PIP) --quiet install --upgrade 'pip>=25.1'
	@printf '%s' '$(CURDIR)' > $@

$(VENV)/.run: pyproject.toml $(VENV)/.pip
	@echo "Installing Satsuma and what it needs"
	@$(PIP) install --progress-bar off --editable '.[templates]' $(NAMES)
	@touch $@

# The groups of pyproject.toml: test, check, bench.
$(VENV)/.%: pyproject.toml $(VENV)/.run
	@echo "Installing the tools of the group: $*"
	@$(PIP) install --progress-bar off --group $* $(NAMES)
	@touch $@
