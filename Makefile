# make repro   the environment, then the whole pipeline; JOBS=N stages at a time
# make test    the environment with what tests need, then lint, types, the direction of imports, and tests
# make env GPU=1   the environment with CUDA; later calls keep it

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LOCK = requirements$(if $(or $(GPU),$(wildcard $(VENV)/.gpu)),-gpu).lock
COMPILE := uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 --custom-compile-command "make lock"

export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: repro test env lock

repro: env
	yt8m repro $(if $(JOBS),--jobs $(JOBS))
	@echo; cat metrics/report/table2.md

test:
	@$(MAKE) --no-print-directory env LOCK=requirements-dev.lock
	ruff check .
	mypy
	lint-imports --no-cache
	pytest -n 2 --dist loadfile --no-loadscope-reorder

# Installs again only when a lock or the project's metadata has changed since; what tests need is added to what is there.
env:
	@sha=`cat requirements*.lock pyproject.toml | cksum`; \
	if grep -q "^$$sha $(LOCK)$$" $(STAMP) 2>/dev/null; then exit 0; fi; set -e; \
	if ! grep -q "^$$sha " $(STAMP) 2>/dev/null; then \
		for python in $(PYTHON) python3.13 python3.12 python3.11 ""; do \
			if $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then break; fi; \
		done; \
		if [ -z "$$python" ]; then \
			echo "make: expected Python 3.11 to 3.13 (what Keras and TensorFlow support), received `$(PYTHON) --version 2>&1`; set PYTHON=..." >&2; exit 1; \
		fi; \
		$$python -m venv --clear $(VENV); \
	fi; \
	echo "installing $(LOCK) into $(VENV) (`$(BIN)/python --version`)"; \
	$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r $(LOCK); \
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .; \
	if [ -n "$(GPU)" ]; then touch $(VENV)/.gpu; fi; \
	echo "$$sha $(LOCK)" >> $(STAMP)

# Needs uv; run after a change of the dependencies in pyproject.toml. The tests' versions are those of all.
lock:
	$(COMPILE) --extra dev --extra jax --extra onnx --extra s3 pyproject.toml -o requirements-dev.lock
	$(COMPILE) -c requirements-dev.lock pyproject.toml -o requirements.lock
	$(COMPILE) -c requirements-dev.lock --extra gpu pyproject.toml -o requirements-gpu.lock
