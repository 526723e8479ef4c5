# `make help` lists the targets. Only python3 (3.11 or later, with venv) is assumed on the machine.
PYTHON ?= python3
HOST = $(or $(GRADWIRE_HOST),127.0.0.1)
PORT = $(or $(GRADWIRE_PORT),8000)
IMAGE ?= gradwire
PYTEST_ARGS ?=

PY := .venv/bin/python
READY := .venv/.ready
LOCK_PY := .venv-lock/bin/python
ORACLE_PY := .venv-oracle/bin/python
BENCH_PY := .venv-bench/bin/python
BENCH_READY := .venv-bench/.ready
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup run check test fix contract lock oracle fuzz bench size image clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## make .venv from requirements-dev.lock (quick the second time)
	@echo '.venv is ready: $(PY)'

$(READY): requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo 'gradwire needs Python 3.11 or later: make PYTHON=python3.11 ...' >&2; exit 1; }
	@echo 'Making .venv and installing the locked packages (a minute, the first time) ...'
	@$(PYTHON) -m venv --clear .venv
	@$(PY) -m pip install -qq --require-hashes -r requirements-dev.lock
	@$(PY) -m pip install -qq --no-deps --no-build-isolation --editable .
	@touch $@

run: $(READY) ## serve on http://127.0.0.1:8000 (make run HOST=... PORT=...)
	@GRADWIRE_HOST=$(HOST) GRADWIRE_PORT=$(PORT) exec $(PY) -m app

check: $(READY) ## what CI runs: format, lint, types, contract, tests with branch coverage
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy --strict engine app
	$(PY) -m app.reference --check
	@$(MAKE) --no-print-directory test PYTEST_ARGS='--cov --cov-report=term $(PYTEST_ARGS)'

test: $(READY) ## run the tests (make test PYTEST_ARGS='-k sum')
	$(PY) -m pytest $(PYTEST_ARGS)

fix: $(READY) ## format, and repair what ruff can repair
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

contract: $(READY) ## write openapi/, and what docs/ prints, anew from the code
	$(PY) -m app.reference
	$(PY) -m tests.contract.printed

# pip's own configuration files are set aside: folders of wheels that one machine happens to have must not
# decide what is locked for all. An index of your own goes into PIP_INDEX_URL.
COMPILE = env -u PIP_FIND_LINKS -u PIP_EXTRA_INDEX_URL PIP_CONFIG_FILE=/dev/null CUSTOM_COMPILE_COMMAND='make lock' \
    $(LOCK_PY) -m piptools compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-emit-options \
    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host $(LOCK_ARGS) pyproject.toml

lock: ## resolve pyproject.toml into the two lock files (LOCK_ARGS=--upgrade for newer versions)
	@test -x $(LOCK_PY) || { $(PYTHON) -m venv .venv-lock && $(LOCK_PY) -m pip install -qq pip-tools==7.6.2; }
	$(COMPILE) -o requirements.lock
	$(COMPILE) -o requirements-dev.lock --extra dev -c requirements.lock

fuzz: $(READY) ## random programs, run in every way (ARGS='--programs 500 --seed 1 conv2d'; by torch too, where it is installed)
	@$(PY) -m tests.fuzz $(ARGS)

oracle: ## regenerate the stored torch results (its own environment, with torch; a large download)
	@test -x $(ORACLE_PY) || $(PYTHON) -m venv .venv-oracle
	@$(ORACLE_PY) -m pip install -qq torch==2.13.0 $$(sed -n 's/^\(numpy==[^ ]*\).*/\1/p' requirements.lock)
	@set -e; for script in $$(grep -l __main__ tests/oracle/*.py); do \
	    module=$$(echo "$${script%.py}" | tr / .); echo "$$module"; $(ORACLE_PY) -m "$$module"; done

bench: $(BENCH_READY) ## compare with torch, jax and other services (make bench QUICK=1 ROWS='chain http')
	@$(BENCH_PY) -m bench $(if $(QUICK),--quick) $(ROWS)

$(BENCH_READY): requirements.lock bench/requirements.txt bench/requirements-tesseract.txt
	@echo 'Making .venv-bench with what gradwire is compared with (a few minutes, the first time) ...'
	@$(PYTHON) -m venv --clear .venv-bench
	@$(BENCH_PY) -m pip install -qq --require-hashes -r requirements.lock
	@sed -n 's/^\([^ ]*==[^ ]*\).*/\1/p' requirements.lock > .venv-bench/same.txt
	@$(BENCH_PY) -m pip install -qq -r bench/requirements.txt -c .venv-bench/same.txt
	@$(PYTHON) -m venv --clear .venv-bench-tesseract
	@.venv-bench-tesseract/bin/python -m pip install -qq -r bench/requirements-tesseract.txt
	@touch $@

size: ## lines of Python per package
	@for package in engine app tests bench; do \
	    printf '%-8s %6d lines in %3d files\n' $$package \
	        "$$(find $$package -name '*.py' -exec cat {} + 2>/dev/null | wc -l)" \
	        "$$(find $$package -name '*.py' 2>/dev/null | wc -l)"; \
	done

image: ## build the container image (IMAGE=gradwire)
	docker build --tag $(IMAGE) .

clean: ## remove the environments and every cache
	rm -rf .venv .venv-* build *.egg-info .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find engine app tests -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
