# Every target first makes the environment: `.venv` in this folder. `make` alone lists the targets.
#
# Variables of `bench-sfm`: DATASET (a folder in CameraBench's layout, `camerabench` or `synthetic`), ESTIMATORS, OUT, LIMIT, JOBS.
# Variables of `report`: OUT (the run), AGAINST (folders of score files of other methods, with a space between them), REPORT (where to).
# Variables of `bench-vo`: CLIPS and SYNTHETIC (labelled sets of real and of rendered clips), VO_OUT, LIMIT, JOBS.
# Variables of `test`: TEST_JOBS (processes that share the tests), PYTEST_ARGS.
# Variables of the set-up: PYTHON (3.11 or newer), SFMCAM_TORCH_INDEX (e.g. https://download.pytorch.org/whl/cpu: the CPU build of
# torch, 1 GB to download in all instead of 3.5 GB), SFMCAM_SYSTEM_INSTALL=no (never call the system's package manager).

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.sfmcam-is-set-up
IS_NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
# The first Python that is new enough; plain python3 where none is, so that its own complaint is seen.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do $$p $(IS_NEW_ENOUGH) 2>/dev/null && echo $$p && exit; done; echo python3)

DATASET ?= $(if $(wildcard $(or $(SFMCAM_DATA),data)/camerabench/videos),camerabench,synthetic)
ESTIMATORS ?= vo,colmap,glomap
OUT ?= out/bench
VO_OUT ?= out/bench-vo
AGAINST ?=
REPORT ?= out/report
CLIPS ?= $(wildcard ../shared/clips)
SYNTHETIC ?= $(wildcard $(or $(SFMCAM_DATA),data)/synthetic-test)
JOBS ?= $(shell nproc 2>/dev/null || echo 1)
PYTEST_ARGS ?=
TEST_JOBS ?= $(JOBS)

# $(call quoted,TEXT) is TEXT as one word for the shell, whatever it holds
quoted = '$(subst ','\'',$(1))'
CHECK_LIBRARIES = $(BIN)/python setup/system_libraries.py

export SFMCAM_TORCH_INDEX SFMCAM_SYSTEM_INSTALL
.DEFAULT_GOAL := help
.PHONY: help setup bench-sfm report bench-vo test test-slow lint type format clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv, install everything but the cluster extra, check the system libraries
	@$(CHECK_LIBRARIES)

$(STAMP): setup.cfg setup.py pyproject.toml constraints.txt setup/virtual_environment.py setup/system_libraries.py
	@$(PYTHON) setup/virtual_environment.py $(VENV)
	@$(if $(filter setup,$(MAKECMDGOALS)),:,$(CHECK_LIBRARIES)) # `make setup` checks them after this, every time
	@touch $@

bench-sfm: $(STAMP) ## run vo, COLMAP and GLOMAP on a labelled set and print the table (DATASET= ESTIMATORS= OUT= LIMIT= JOBS=)
	$(BIN)/sfmcam bench $(call quoted,$(DATASET)) -e $(call quoted,$(ESTIMATORS)) -o $(call quoted,$(OUT)) $(if $(LIMIT),--limit $(LIMIT)) --jobs $(JOBS)

report: $(STAMP) ## write a page on a run that opens from disk (OUT= AGAINST= REPORT=)
	$(BIN)/sfmcam report $(call quoted,$(OUT)) $(foreach folder,$(AGAINST),--against $(call quoted,$(folder))) -o $(call quoted,$(REPORT))

bench-vo: $(STAMP) ## run vo on the data that is there and print what it must hold (CLIPS= SYNTHETIC= VO_OUT= LIMIT= JOBS=)
	$(BIN)/python benchmarks/bench_vo.py --out $(call quoted,$(VO_OUT)) $(if $(CLIPS),--clips $(call quoted,$(CLIPS))) \
		$(if $(SYNTHETIC),--synthetic $(call quoted,$(SYNTHETIC))) $(if $(LIMIT),--limit $(LIMIT)) --jobs $(JOBS)

test: $(STAMP) ## run the fast tests (TEST_JOBS=)
	$(BIN)/python -m pytest -m "not slow" -n $(TEST_JOBS) --dist loadscope $(PYTEST_ARGS)

test-slow: $(STAMP) ## run the slow tests
	$(BIN)/python -m pytest -m slow $(PYTEST_ARGS)

lint: $(STAMP) ## check style and spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

type: $(STAMP) ## check types
	$(BIN)/mypy

format: $(STAMP) ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove the environment and every cache; out/ and data/ stay
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
