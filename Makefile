# Everything needs only Python 3.11 to 3.13, make and git; the environment is .venv here.
.DEFAULT_GOAL := help
.PHONY: help setup run test check format benchmark clean train-setup
SHELL := /bin/sh

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-done
TRAIN := .venv-train
TRAIN_STAMP := $(TRAIN)/.setup-done
PORT ?= 8501
WATCH ?= none
PYTEST_FLAGS ?= --durations=20
PIP_FLAGS ?=
# The app opens a browser by itself only where there is a screen to open it on.
HEADLESS ?= $(if $(filter Darwin,$(shell uname -s)),false,$(if $(DISPLAY)$(WAYLAND_DISPLAY),false,true))

# The first Python on this machine that can run the project.
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c "$(FITS)" >/dev/null 2>&1 && { echo $$p; break; }; done)

# $(call environment,FOLDER): a virtual environment with a working pip in FOLDER.
define environment
	@test -n "$(PYTHON)" || { echo "Pyzzicato needs Python 3.11, 3.12 or 3.13: install one of them, then run make again."; exit 1; }
	@$(1)/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(1) >$(1).log 2>&1 || { \
		cat $(1).log; rm -rf $(1) $(1).log; \
		echo "Python's venv module is missing: install it (on Debian and Ubuntu: apt-get install python3-venv), then run make again."; exit 1; }
	@rm -f $(1).log
endef

help:
	@echo "make run          start the app (sets up first where needed)"
	@echo "make test         all tests"
	@echo "make check        style, types and import rules"
	@echo "make setup        only the environment, in $(VENV)"
	@echo "make format       put the code into the project's form"
	@echo "make benchmark    measure speed and quality on this machine"
	@echo "make train-setup  an environment for training with PyTorch, in $(TRAIN)"
	@echo "make clean        remove both environments and all caches"

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(call environment,$(VENV))
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -c constraints.txt -e '.[dev]'
	@touch $@

run: setup
	$(BIN)/streamlit run app.py --server.port $(PORT) --server.headless $(HEADLESS) \
		--server.fileWatcherType $(WATCH) --browser.gatherUsageStats false

# Journeys through a browser in one process, the others on all cores beside it.
test: setup
	@$(BIN)/python -m pytest -m browser $(PYTEST_FLAGS) >.browser-tests.log 2>&1 & browser=$$!; \
	$(BIN)/python -m pytest -m "not browser" -n auto --dist worksteal $(PYTEST_FLAGS); others=$$?; \
	wait $$browser; journeys=$$?; cat .browser-tests.log; rm -f .browser-tests.log; \
	[ $$others -eq 0 ] && [ $$journeys -eq 0 ]

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/floors.py
	$(BIN)/python -m pytest -q tests/test_imports.py

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmark: setup
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

train-setup: $(TRAIN_STAMP)

$(TRAIN_STAMP): pyproject.toml constraints.txt
	$(call environment,$(TRAIN))
	$(TRAIN)/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -c constraints.txt -e '.[train]'
	@touch $@

clean:
	rm -rf $(VENV) $(TRAIN) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
