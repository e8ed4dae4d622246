# make repro   the environment, then the whole pipeline
# make test    the environment, then lint, types, the direction of imports, and tests
# make env GPU=1   the environment with CUDA; later calls keep it

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := $(if $(or $(GPU),$(wildcard $(VENV)/.gpu)),requirements-gpu.lock,requirements.lock)
STAMP := $(VENV)/.installed

export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: repro test env lock

repro: env
	dvc repro
	@echo; cat metrics/report/table2.md

test: env
	ruff check .
	mypy
	lint-imports --no-cache
	pytest -n 2 --dist loadfile --no-loadscope-reorder

# Installs again only when the lock or the project's metadata has changed since.
env:
	@sha=`cat $(LOCK) pyproject.toml | cksum`; \
	if [ "$$sha" = "`cat $(STAMP) 2>/dev/null`" ]; then exit 0; fi; set -e; \
	for python in $(PYTHON) python3.13 python3.12 python3.11 ""; do \
		if $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then break; fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo "make: expected Python 3.11 to 3.13 (what Keras and TensorFlow support), received `$(PYTHON) --version 2>&1`; set PYTHON=..." >&2; exit 1; \
	fi; \
	echo "installing $(LOCK) into $(VENV) (`$$python --version`)"; \
	rm -f $(STAMP); \
	$$python -m venv --clear $(VENV); \
	$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r $(LOCK); \
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .; \
	if [ -n "$(GPU)" ]; then touch $(VENV)/.gpu; fi; \
	echo "$$sha" > $(STAMP)

# Needs uv; run after a change of the dependencies in pyproject.toml.
lock:
	uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 --custom-compile-command "make lock" \
		--extra dev pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 --custom-compile-command "make lock" \
		--extra dev --extra gpu pyproject.toml -o requirements-gpu.lock
