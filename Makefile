# Everything happens in a virtual environment of the project's own, made on first use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SPEED ?= 1
# One more than there are cores: some tests wait for real time to pass, or for a disk.
WORKERS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )))
# Each worker has a stretch of the tests, so that what a module prepares is mostly prepared once; who ends early takes over.
SHARED := -n $(WORKERS) --dist worksteal

# Compiled modules are kept, whatever the environment says: tests start hundreds of processes that load them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run setup test fuzz proof mutants bench bitstreams figures lint collect pictures clean

run: $(VENV)/run.stamp  ## set up and run the meter on the simulated rig until Ctrl-C
	@$(BIN)/rig run --speed $(SPEED) $(if $(FOR),--for $(FOR))

setup: $(VENV)/run.stamp  ## the virtual environment with what `run` needs

test: $(VENV)/dev.stamp  ## set up, lint, and run all tests but the slow proofs
	@$(MAKE) --no-print-directory -j 2 lint collect
	$(BIN)/python -m pytest $(SHARED)

fuzz: $(VENV)/dev.stamp  ## the tests again, with examples that nobody has tried before
	$(BIN)/python -m pytest $(SHARED) --hypothesis-profile=fuzz

proof: $(VENV)/dev.stamp $(VENV)/bitstream.stamp  ## the slow proofs: minutes of the netlist
	$(BIN)/python -m pytest -m slow

mutants: $(VENV)/dev.stamp  ## plant the listed faults, one at a time, and see whether the tests of their room find them
	@$(BIN)/python -m tests.mutants

bench: $(VENV)/dev.stamp  ## measure speeds; writes build/bench.json
	$(BIN)/python -m tests.bench

bitstreams: $(VENV)/bitstream.stamp  ## build both boards' bitstreams, compare them with the kept figures
	@$(BIN)/rig gateware build --board icebreaker
	@$(BIN)/rig gateware build --board ulx3s
	@$(BIN)/rig gateware report

figures: $(VENV)/bitstream.stamp  ## build both boards, keep their figures
	@$(BIN)/rig gateware build --board icebreaker
	@$(BIN)/rig gateware build --board ulx3s
	@$(BIN)/rig gateware report --keep

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Tests are compiled once, beside the types' check: in a new clone each worker would compile them all for itself.
collect: $(VENV)/dev.stamp
	@mkdir -p build
	@$(BIN)/python -m pytest --collect-only -q >build/collected.txt 2>&1 || { cat build/collected.txt; exit 1; }

pictures: $(VENV)/dev.stamp  ## draw the documentation's pictures from a real run
	$(BIN)/python docs/pictures/draw.py
	$(BIN)/python docs/pictures/displays.py
	$(BIN)/python docs/pictures/verification.py
	$(BIN)/python docs/pictures/meter_report.py

clean:
	rm -rf $(VENV) build *.egg-info

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	@echo "setting up $(VENV), half a minute or so"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: pyproject.toml | $(BIN)/python
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[sim,gateware,bench]'
	@echo "done; for the commands of the documents, in each shell: . $(BIN)/activate"
	@touch $@

$(VENV)/dev.stamp: pyproject.toml | $(BIN)/python
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[sim,gateware,lcd,dev]'
	@touch $@ $(VENV)/run.stamp

$(VENV)/bitstream.stamp: pyproject.toml | $(BIN)/python
	@echo "setting up the FPGA tools, 500 MB"
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[sim,gateware,bitstream]'
	@touch $@
