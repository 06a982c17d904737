# Two commands: `make demo` and `make test`. What they make is in README.md.
SHELL = /bin/sh
.SHELLFLAGS = -eu -c
.DEFAULT_GOAL = demo

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?= 8000
PROJECT ?= .
RELEASES ?= build/releases
REPORTS ?= build/reports
WORKERS ?= 2
PYTEST_FLAGS ?=

BIN = .venv/bin
SERVICE = $(BIN)/sdmx-service
PYTEST = $(BIN)/python -m pytest $(PYTEST_FLAGS)
# Several processes share the cores already: threads within one would only wait for each other.
# The order of the files is that of tests/conftest.py: the longest first.
IN_PARALLEL = -n $(WORKERS) --dist loadfile --no-loadscope-reorder
ONE_THREAD = OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 POLARS_MAX_THREADS=1
# Wheels only: nothing is compiled. Hashes: nothing is taken that the lock does not name.
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet install
INSTALL = $(PIP) --require-hashes --only-binary :all: --requirement requirements.lock
INSTALL_PROJECT = $(PIP) --no-deps --no-build-isolation --editable .

.PHONY: demo build verify report show test serve check lint types imports oracles
.PHONY: conformance conformance-statistics schemathesis quarto lock install clean
# Targets on one line happen in the order of that line, with -j too.
.NOTPARALLEL:

demo: build verify report show

build: install
	$(SERVICE) build --project $(PROJECT) --releases $(RELEASES)

verify: install
	$(SERVICE) verify --releases $(RELEASES)

report: install
	$(SERVICE) report --project $(PROJECT) --releases $(RELEASES) --output $(REPORTS)

show: install
	$(SERVICE) show --releases $(RELEASES)

test: install
	$(ONE_THREAD) $(PYTEST) $(IN_PARALLEL)

serve: install
	$(SERVICE) serve --releases $(RELEASES) --port $(PORT)

check: lint types imports
	$(ONE_THREAD) $(PYTEST) -q -m "not slow and not oracle and not browser and not service" $(IN_PARALLEL)

lint: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: install
	$(BIN)/mypy

imports: install
	$(BIN)/lint-imports --no-logo

# The numbers of other software lie in the folder SHARED; without it this fails, it does not skip.
oracles: install
	REQUIRE_SHARED=1 $(PYTEST) tests/statistics -m oracle -q

# The same comparison, its table written into the page that readers see.
conformance-statistics: install
	CONFORMANCE_PAGE=docs/conformance.md REQUIRE_SHARED=1 $(PYTEST) tests/statistics -m oracle -q

# The service against the standard's own checkers, written into docs/conformance-service.md. OPENAPI is the
# folder of the official OpenAPI files; KIT a checkout of sdmx-tck and NODE_MODULES a folder with
# sdmx-json-parser where they are there: see docs/clients.md. RELEASES is what is served.
SCHEMATHESIS = build/schemathesis
conformance: install schemathesis
	@test -n "$(OPENAPI)" || { echo "say make conformance OPENAPI=DIR, the official files" >&2; exit 1; }
	@$(BIN)/python conformance/page.py --openapi "$(OPENAPI)" --releases $(RELEASES) \
	    --schemathesis "$(CURDIR)/$(SCHEMATHESIS)/bin/schemathesis" \
	    $(if $(KIT),--kit "$(KIT)") $(if $(NODE_MODULES),--node-modules "$(NODE_MODULES)")

schemathesis: $(SCHEMATHESIS)/installed

$(SCHEMATHESIS)/installed: requirements-schemathesis.lock
	"$(PYTHON)" -m venv $(SCHEMATHESIS)
	$(SCHEMATHESIS)/bin/python -m pip --quiet --quiet install --require-hashes --only-binary :all: \
	    --requirement requirements-schemathesis.lock
	@touch $@

# What Quarto, where it is installed, needs in the environment to run Python cells.
quarto: install
	$(PIP) --require-hashes --only-binary :all: --requirement requirements-quarto.lock

# `make lock UPGRADE=--upgrade` takes the newest versions that pyproject.toml allows.
COMPILE = CUSTOM_COMPILE_COMMAND="make lock" build/lock/bin/pip-compile --quiet $(UPGRADE) \
    --generate-hashes --strip-extras --allow-unsafe \
    --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options

lock:
	"$(PYTHON)" -m venv build/lock
	build/lock/bin/python -m pip --quiet --quiet install pip-tools==7.6.2
	$(COMPILE) --build-deps-for editable --extra demo --extra reports --extra dev \
	    --output-file requirements.lock pyproject.toml
	printf '%s\n' ipykernel nbclient nbformat papermill | \
	    $(COMPILE) --constraint requirements.lock --output-file requirements-quarto.lock -
	printf '%s\n' 'schemathesis==4.32.5' | \
	    $(COMPILE) --output-file requirements-schemathesis.lock -
	printf '%s\n' 'dsss==1.3.0' 'duckdb==2.0.0' uvicorn | \
	    $(COMPILE) --output-file requirements-bench.lock -

install: .venv/installed

# A changed lock makes a new environment, so that nothing is left over from the old one.
.venv/locked: requirements.lock
	@test -n "$(PYTHON)" || { echo "no python3 found: install Python 3.11" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "$(PYTHON) is too old: install Python 3.11, or say make PYTHON=..." >&2; exit 1; }
	@echo "making .venv from requirements.lock (about a minute)"
	@rm -rf .venv
	@if command -v uv >/dev/null 2>&1; then \
	    uv venv --quiet --seed --python "$(PYTHON)" .venv; \
	    uv pip install --quiet --python $(BIN)/python --require-hashes --only-binary :all: \
	        --requirement requirements.lock; \
	else \
	    "$(PYTHON)" -m venv .venv; \
	    $(INSTALL); \
	fi
	@touch $@

.venv/installed: .venv/locked pyproject.toml
	@$(INSTALL_PROJECT)
	@touch $@

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# Run by hand: five and eight minutes of two cores. R with its package survey is needed for one line.
.PHONY: bench coverage mutants

bench: install
	$(BIN)/python bench/statistics.py
	$(BIN)/python bench/reading.py

coverage: install
	OMP_NUM_THREADS=1 POLARS_MAX_THREADS=1 $(BIN)/python bench/coverage.py

# Twenty minutes of two cores. Prints what no test finds, then a line a module: see docs/mutants.md.
mutants: install
	nice $(BIN)/python bench/mutants.py --children $(WORKERS)

# A quarter of an hour, of a machine with nothing else to do: the service beside its peers, which
# have an environment of their own.
.PHONY: bench-service
PEERS = build/peers
bench-service: install $(PEERS)/installed
	$(BIN)/python bench/service.py

$(PEERS)/installed: requirements-bench.lock
	"$(PYTHON)" -m venv $(PEERS)
	$(PEERS)/bin/python -m pip --disable-pip-version-check --quiet --quiet install --require-hashes \
	    --only-binary :all: --requirement requirements-bench.lock
	@touch $@
