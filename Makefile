# Everything a newcomer needs, with nothing but Python 3.11+ and pip on the machine. `make` alone prints help.

VENV ?= .venv
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3 python; do \
	command -v $$name >/dev/null 2>&1 && $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$name && break; done)
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
RUN_STAMP := $(VENV)/.perdure-run
TEST_STAMP := $(VENV)/.perdure-test
BENCH_STAMP := .bench/.perdure-bench
ONCE ?=
TESTS ?= tests
MINUTES ?= 5
BROKER ?=
QUICK ?=
ONLY ?=
SEED ?=
EXAMPLES ?= 50
REQUEST ?= What is 17% of 2340, and what time is it in Tokyo?
# taken literally: neither make nor the shell reads anything into a request
export PERDURE_ASKED := $(value REQUEST)
export PYTHONPATH := $(CURDIR)

.DEFAULT_GOAL := help
.PHONY: help setup setup-test run up test check faults rehearsal fuzz soak bench lock clean

help:  ## Show this help
	@echo "Perdure: durable agents for web apps."
	@echo
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'
	@echo
	@echo 'Variables: ONCE=1 (run: stop after the answer), REQUEST="…" (run: what to ask), PORT, PERDURE_HOME,'
	@echo "TESTS=tests/unit (test: which), VENV (default .venv). All settings: README.md."

setup: $(RUN_STAMP)  ## Make the virtual environment and install what is locked

setup-test: $(TEST_STAMP)

run: $(RUN_STAMP)  ## Start everything, run one request, keep serving (ONCE=1: stop after the answer)
	@exec $(BIN)/perdure up $(if $(ONCE),--once) --request "$$PERDURE_ASKED"

up: $(RUN_STAMP)  ## Start everything and keep serving
	@exec $(BIN)/perdure up

test: $(TEST_STAMP)  ## Run all tests (real servers, real workers; Chromium if there is one)
	@exec $(BIN)/python -m pytest --numprocesses 3 --dist loadscope --no-loadscope-reorder $(TESTS)

check: $(TEST_STAMP)  ## Lint, types, import rules, fast tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/unit

faults: $(TEST_STAMP)  ## Every kill and every broken connection, one at a time (ten minutes; BROKER=redis|rabbitmq: the whole suite on it)
	@PERDURE_TEST_BROKER=$(BROKER) exec $(BIN)/python -m pytest tests/durability $(if $(BROKER),,tests/integration/operations) $(if $(BROKER),-m "slow or not slow",-m slow)

rehearsal: $(TEST_STAMP)  ## A day on dynos in two minutes: all processes replaced under load; prints a report
	@exec $(BIN)/python -m pytest tests/durability/test_dyno_rehearsal.py -m slow -s

fuzz: $(TEST_STAMP)  ## Fuzz every route of the API from its document (EXAMPLES=50 cases a route and phase, SEED=1)
	@exec $(BIN)/python -m tests.fuzz.running --examples $(EXAMPLES) --seed $(or $(SEED),1)

soak: $(TEST_STAMP)  ## Random faults against a steady load for MINUTES=5, then the history checker (SEED=n repeats)
	@exec $(BIN)/python -m tests.durability.soak --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

bench: $(BENCH_STAMP)  ## Measure Perdure and its peers into docs/performance.md (QUICK=1: small sizes; ONLY=name,name)
	@exec $(BIN)/python -m benchmarks.compare $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY))

lock: $(RUN_STAMP)  ## Resolve the dependencies of setup.cfg anew into the two lock files
	$(PIP) install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-annotate --python-version 3.11 \
		--custom-compile-command "make lock" setup.cfg -o requirements.lock
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-annotate --python-version 3.11 --extra test \
		-c requirements.lock --custom-compile-command "make lock" setup.cfg -o requirements-test.lock

clean:  ## Remove the virtual environment and the embedded data
	rm -rf $(VENV) .perdure .bench

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Perdure needs Python 3.11 or newer, and found none."; exit 2; }
	@echo "Making a virtual environment in $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)

$(RUN_STAMP): requirements.lock setup.cfg pyproject.toml | $(BIN)/python
	@echo "Installing $$(grep -c == requirements.lock) locked packages (a minute or two the first time)"
	@$(PIP) install --require-hashes --no-deps --progress-bar off -r requirements.lock | $(PROGRESS)
	@$(PIP) install --quiet --no-deps --editable .
	@touch $@

$(TEST_STAMP): requirements-test.lock $(RUN_STAMP)
	@echo "Installing what the tests need besides"
	@$(PIP) install --require-hashes --no-deps --progress-bar off -r requirements-test.lock | $(PROGRESS)
	@touch $@

BENCH_PIP := .bench/venv/bin/python -m pip --disable-pip-version-check install --no-deps --progress-bar off
# the peers' packages never meet the project's; what can't be installed is reported as such in the table
$(BENCH_STAMP): benchmarks/requirements-bench.txt benchmarks/package.json $(TEST_STAMP)
	@echo "Installing the peers (about two minutes)"
	@$(PYTHON) -m venv .bench/venv
	@$(BENCH_PIP) -r benchmarks/requirements-bench.txt | $(PROGRESS) || { echo "Not all can be had; one by one"; \
		grep == benchmarks/requirements-bench.txt | while read one; do $(BENCH_PIP) --quiet $$one || true; done; }
	@mkdir -p .bench/node && cp benchmarks/package.json .bench/node/
	-@.bench/venv/bin/python benchmarks/install_node_packages.py .bench/node
	@touch $@

# one line while it resolves and one when it is done; `make` still sees pip's failure
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
PROGRESS := awk '/^Collecting/ { n++; if (n % 20 == 0) { print "  " n " packages found"; fflush() } } \
	/^Installing collected/ { print "  unpacking"; fflush() } /^ERROR/ { print; fflush() }'
