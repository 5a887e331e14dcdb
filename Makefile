# The commands of the OMIX Portal; `make` alone lists them. They need make and Python 3.11 or newer with venv.

PYTHON ?= python3
WORKERS ?= 3
ROUNDS ?= 20
TESTS ?=
COUNT ?= 200
ROOM ?=
SOAKED := $(wildcard tests/faults tests/journeys)

VENV := .venv
PY := $(VENV)/bin/python
OMIX := $(VENV)/bin/omix
PYTEST = $(PY) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(if $(CI),--durations=10)
INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check --no-input
LOCKED := --require-hashes --build-constraint requirements-build.txt
ASSETS := build_assets.py assets.json package.json package-lock.json .npmrc
UV := $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-config \
	--no-header --no-emit-index-url --no-emit-find-links --annotation-style line $(UPGRADE)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install run demo test test-full lint bench soak mutants lock clean again

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

run: install ## install what is missing, then start web, FTP and worker
	@exec $(OMIX) up

demo: install ## the same on a throw-away instance filled with examples
	@exec $(OMIX) demo

install: $(VENV)/.project ## only install: .venv and static/vendor

test: $(VENV)/.dev $(VENV)/.clients ## what a change needs (TESTS=path for a part, WORKERS=n side by side)
	@exec $(PYTEST) $(TESTS)

test-full: $(VENV)/.dev $(VENV)/.clients $(VENV)/.full ## the rest: real clients, validators, long stories, large files
	@exec $(PYTEST) -m "full and not soak" $(TESTS)

lint: $(VENV)/.dev ## style and types
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy

bench: $(VENV)/.dev ## measure against vsftpd, nginx and the checksum tools
	@.ci/bring vsftpd nginx curl lftp sqlite3
	@exec $(PY) -m tests.benchmarks $(TESTS)

soak: $(VENV)/.dev $(VENV)/.clients $(VENV)/.full ## faults and journeys, ROUNDS times over
	@for round in $$(seq $(ROUNDS)); do \
		echo "round $$round of $(ROUNDS)"; \
		$(PY) -m pytest -q -m "soak or full or not full" -n $(WORKERS) --dist loadfile $(SOAKED) || exit 1; \
	done

mutants: $(VENV)/.dev $(VENV)/.clients ## put COUNT small faults into the rooms of the sources; the tests must notice (ROOM=name for one)
	@exec $(PY) -m tests.mutants --count $(COUNT) $(addprefix --room ,$(ROOM))

lock: $(VENV)/bin/uv ## write the lock files again from pyproject.toml and package.json (UPGRADE=--upgrade for newer)
	@$(UV) --group build --output-file requirements-build.txt
	@$(UV) pyproject.toml --output-file requirements.txt
	@$(UV) pyproject.toml --group dev --constraint requirements.txt --output-file requirements-dev.txt
	@npm install --package-lock-only --ignore-scripts --no-audit --no-fund

clean: ## remove what was installed and made here; instance/ stays
	@rm -rf $(VENV) static/vendor build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find portal ftp tests -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "The OMIX Portal needs \
	Python 3.11 or newer; name one with: make PYTHON=/path/to/python3"; exit 1; }
	@echo "Installing into $(VENV); the first time takes a minute."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/bin/uv: $(VENV)/.pip
	@sed -n '/^uv==/,/# via/p' requirements-build.txt > $(VENV)/uv.txt
	@$(INSTALL) --require-hashes -r $(VENV)/uv.txt
	@touch $@

# pip itself first: older ones cannot check the hashes of what builds a package.
$(VENV)/.pip: requirements-build.txt | $(PY)
	@sed -n '/^pip==/,/# via/p' requirements-build.txt > $(VENV)/pip.txt
	@$(INSTALL) --require-hashes -r $(VENV)/pip.txt
	@touch $@

$(VENV)/.locked: requirements.txt $(VENV)/.pip
	@$(INSTALL) $(LOCKED) -r requirements.txt
	@touch $@

# The project itself, editable; its build hook brings the browser assets.
$(VENV)/.project: pyproject.toml $(ASSETS) $(VENV)/.locked $(if $(wildcard static/vendor/.complete),,again)
	@$(INSTALL) --no-deps --build-constraint requirements-build.txt --editable . > $(VENV)/install.log 2>&1 \
		|| { grep -ho 'The browser assets could not .*' $(VENV)/install.log || cat $(VENV)/install.log; exit 1; }
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.project
	@$(INSTALL) $(LOCKED) -r requirements-dev.txt
	@touch $@

# Tried once; tests that need a client still missing are skipped, and the run says so. libatomic is for Playwright.
$(VENV)/.clients: .ci/bring | $(PY)
	@.ci/bring curl
	@touch $@

$(VENV)/.full: .ci/bring | $(PY)
	@.ci/bring chromium libatomic.so.1 lftp rclone wget xmllint
	@touch $@
