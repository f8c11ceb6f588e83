# make demo: the whole DAG on MovieLens-100K. make test: all tests. make help: all targets.
PYTHON ?= python3
VENV := .venv
PARITY := .venv-parity
BIN := $(VENV)/bin
# A machine without a GPU saves gigabytes with PyTorch's CPU build:
#   make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
# faiss-cpu or faiss-gpu, by the names of the extras: make demo FAISS=gpu
FAISS ?= cpu
LOCK := constraints.txt
TORCH := $(shell grep '^torch==' $(LOCK))
PIP := $(BIN)/pip install -c $(LOCK)
# Without OMP_NUM_THREADS, which nproc obeys: the shell's value says nothing about how many jobs may run.
CORES ?= $(shell env -u OMP_NUM_THREADS nproc)

.PHONY: help install demo test test-parity test-slurm golden check-gpu lint format docs tiny clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1  /p' $(MAKEFILE_LIST) | awk '{name = $$1; sub(/^[^ ]+ +/, ""); printf "make %-12s %s\n", name, $$0}'

$(VENV)/.torch: $(LOCK)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) $(TORCH)
	touch $@

$(VENV)/.installed: $(VENV)/.torch pyproject.toml
	$(PIP) -e ".[$(FAISS),workflow,figures]"
	touch $@

$(VENV)/.test: $(VENV)/.installed
	$(PIP) -e ".[test]"
	touch $@

install: $(VENV)/.installed ## make the environment .venv with the versions of constraints.txt

# One line of progress, and failures; make demo V=1 shows Snakemake's messages and each job's output.
demo: install ## run the whole replication on a small real data set, about 5 minutes on 2 cores
	@PYTHONPATH=workflow/logger$${PYTHONPATH:+:$$PYTHONPATH} $(BIN)/snakemake all \
	  --configfile workflow/config/quick.yaml --cores $(CORES) \
	  $(if $(V),--quiet rules,--logger progress > /dev/null)
	@echo
	@$(BIN)/elcrec table headline --config workflow/config/quick.yaml
	@echo
	@echo "Tables (CSV and Markdown): results/demo/tables/"
	@ls results/demo/tables/*.md
	@echo "Report, open it in a browser: results/demo/report/index.html"

test: $(VENV)/.test ## run all tests
	$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal

# Another environment for the tests, with RecBole.
$(PARITY)/.recbole: pyproject.toml tests/parity/requirements.txt
	$(MAKE) VENV=$(PARITY) $(PARITY)/.test
	$(PARITY)/bin/pip install --no-deps -r tests/parity/requirements.txt
	touch $@

test-parity: $(PARITY)/.recbole ## compare models with RecBole's, on the same weights (optional)
	$(PARITY)/bin/python -m pytest tests/parity

$(VENV)/.slurm: $(VENV)/.test
	$(PIP) -e ".[slurm]"
	touch $@

# A real SLURM on loopback, set up and taken down by the script; its GPU is simulated.
test-slurm: $(VENV)/.slurm ## test the SLURM profile on a one-node cluster (optional; needs root, slurm-wlm, munge)
	sh tests/slurm/with_slurm.sh $(abspath $(BIN))/python -m pytest tests/slurm

golden: $(VENV)/.installed ## compare losses and gradients with the authors' code
	$(BIN)/elcrec verify golden tests/golden/tiny_*.npz

# For a GPU machine without network: uses the Python and PyTorch found there. The data set must be prepared.
MINUTES ?= 8
check-gpu: ## check what works on this GPU and how fast, then train: make check-gpu MINUTES=8 ARGS="--dataset toys"
	$(if $(wildcard $(BIN)/python),$(BIN)/python,$(PYTHON)) -m elcrec check-gpu --minutes $(MINUTES) $(ARGS)

lint: $(VENV)/.test ## ruff, mypy, import-linter, snakefmt, codespell, workflows of .github
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/codespell
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/zizmor --offline --quiet .github/workflows

format: $(VENV)/.test ## fix what ruff and snakefmt can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow/rules

$(VENV)/.docs: $(VENV)/.installed
	$(PIP) -e ".[docs]"
	touch $@

# The variable silences an announcement of Material for MkDocs.
docs: $(VENV)/.docs ## build the site from docs/ in build/docs; broken links are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "Documentation, open it in a browser: build/docs/index.html"

tiny: $(VENV)/.test ## run a tiny complete DAG, as in CI
	sh tests/workflow/tiny.sh $(BIN)

clean: ## remove the demo's results (not the data, not recorded runs)
	rm -rf results/demo
