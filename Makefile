# Every target makes its own Python environment first, in .venv. Each recipe calls Python.
#
#   PYTHON=python3.12   interpreter that .venv is made with      ARGS="..."   further options
#   PRESET=paper        configuration                            JOBS=2       parallel tests
#   T=node SEED=n WAVES=1 VERBOSE=1                              for test-one; the last three for every bench

PYTHON  ?= python3
PRESET  ?= paper
ARGS    ?=
JOBS    ?= 2
T       ?= tests

PY      := .venv/bin/python
MAKE_ENV = @$(PYTHON) -m sim.common.environment
PYTEST   = $(PY) -m pytest
FAST     = -m "not slow"

ifeq ($(shell command -v $(PYTHON)),)
$(error Python 3.11 or newer must be installed: $(PYTHON) is not on PATH)
endif

.DEFAULT_GOAL := help
GROUPS  := env-core env-test env-synth env-formal env-waves env-figures env-train
.PHONY: help venv $(GROUPS) constraints sim bench test test-all test-one lint ci clean distclean
.PHONY: sim-eie verilog-eie golden-eie figures-eie bench-eie waves-eie regress regress-accept synth synth-eie synth-diff formal coverage
.PHONY: sim-dota verilog-dota golden-dota bench-dota waves-dota synth-dota
.PHONY: sim-duet golden-duet verilog-duet waves-duet synth-duet bench-duet
.PHONY: sim-enmc verilog-enmc golden-enmc bench-enmc waves-enmc synth-enmc

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

venv: env-core env-test  ## make the Python environment only

$(GROUPS): env-%:
	$(MAKE_ENV) $*

sim: sim-eie  ## the main job: real data through the RTL, every cycle compared

sim-eie: env-core  ## EIE: handwritten digits through the RTL
	@$(PY) -m sim eie --workload digits $(ARGS)

sim-dota: env-core  ## DOTA: attention of a pretrained network through the RTL of four lanes
	@$(PY) -m sim dota --workload text --preset $(PRESET) $(ARGS)

golden-dota: env-core  ## DOTA: the same from the cycle model alone
	@$(PY) -m golden dota --workload text --preset $(PRESET) $(ARGS)

verilog-dota: env-core  ## DOTA: Verilog into build/verilog/dota (PRESET=...)
	@$(PY) -m hdl dota --preset $(PRESET) -o build/verilog/dota $(ARGS)

sim-enmc: env-core  ## ENMC: the next token of Python source, 4,096 classes, through the RTL of eight ranks
	@$(PY) -m sim enmc --workload tokens --preset $(PRESET) $(ARGS)

golden-enmc: env-core  ## ENMC: the same from the cycle model alone
	@$(PY) -m golden enmc --workload tokens --preset $(PRESET) $(ARGS)

verilog-enmc: env-core  ## ENMC: Verilog into build/verilog/enmc (PRESET=...)
	@$(PY) -m hdl enmc --preset $(PRESET) -o build/verilog/enmc $(ARGS)

sim-duet: env-core  ## DUET: a digit classifier and an LSTM with their little modules through the RTL
	@$(PY) -m sim duet --workload digits-cnn --preset $(PRESET) $(ARGS)
	@$(PY) -m sim duet --workload digits-lstm --preset $(PRESET) $(ARGS)

golden-duet: env-core  ## DUET: the first from the cycle model alone
	@$(PY) -m golden duet --workload digits-cnn --preset $(PRESET) $(ARGS)

verilog-duet: env-core  ## DUET: Verilog into build/verilog/duet (PRESET=...)
	@$(PY) -m hdl duet --preset $(PRESET) -o build/verilog/duet $(ARGS)

golden-eie: env-core  ## EIE: the same from the cycle model alone
	@$(PY) -m golden eie --workload digits $(ARGS)

verilog-eie: env-core  ## EIE: Verilog into build/verilog/eie (PRESET=...)
	@$(PY) -m hdl eie --preset $(PRESET) -o build/verilog/eie $(ARGS)

figures-eie: env-core env-figures  ## EIE: redraw docs/figures with the fast timing model
	@$(PY) -m golden.eie.figures --plot docs/figures --json docs/figures/eie.json $(ARGS)
	@$(PY) -m golden.eie.figures --run-ahead --plot docs/figures --json docs/figures/eie-run-ahead.json $(ARGS)

coverage: env-core env-waves  ## lines, branches, toggles and planned events of the traced runs (ARGS=--accept)
	@$(PY) -m sim.coverage $(ARGS)

formal: env-core env-formal  ## prove the properties in tests/**/formal_*.py
	@$(PY) -m sim.formal --jobs $(JOBS) --json build/formal.json $(ARGS)

synth: synth-eie synth-dota synth-enmc synth-duet  ## size and speed of everything

synth-eie: env-core env-synth  ## EIE: gates, FPGA resources, cell area, clock rates
	@$(PY) -m synth eie --preset $(PRESET) --target all --json build/synth/eie.json $(ARGS)

synth-dota: env-core env-synth  ## DOTA: the same
	@$(PY) -m synth dota --preset $(PRESET) --target all --json build/synth/dota.json $(ARGS)

synth-enmc: env-core env-synth  ## ENMC: the same
	@$(PY) -m synth enmc --preset $(PRESET) --target all --json build/synth/enmc.json $(ARGS)

synth-duet: env-core env-synth  ## DUET: the same
	@$(PY) -m synth duet --preset $(PRESET) --target all --json build/synth/duet.json $(ARGS)

synth-diff: env-core env-synth  ## what has moved since the committed figures (ARGS=--accept)
	@$(PY) -m synth.diff $(ARGS)

waves-eie: env-core env-waves  ## EIE: waveforms of RTL and model, compared and drawn
	@$(PY) -m sim.waves example eie $(ARGS)

waves-dota: env-core env-waves  ## DOTA: the same
	@$(PY) -m sim.waves example dota $(ARGS)

waves-enmc: env-core env-waves  ## ENMC: the same
	@$(PY) -m sim.waves example enmc $(ARGS)

waves-duet: env-core env-waves  ## DUET: the same
	@$(PY) -m sim.waves example duet $(ARGS)

regress: env-core env-waves  ## traced runs against their waveform signatures
	@$(PY) -m sim.regress $(ARGS)

regress-accept: env-core env-waves  ## take what the hardware does now as right
	@$(PY) -m sim.regress --accept $(ARGS)

bench: bench-eie bench-dota bench-enmc bench-duet  ## all benchmarks

bench-eie: env-core  ## EIE: the nine benchmark layers in RTL
	@$(PY) -m sim.eie.bench $(ARGS)

bench-dota: env-core  ## DOTA: attention, layers and encoder blocks in RTL
	@$(PY) -m sim.dota.bench $(ARGS)

bench-enmc: env-core  ## ENMC: screening, rows in full and real data in RTL
	@$(PY) -m sim.enmc.bench $(ARGS)

bench-duet: env-core  ## DUET: a CNN in all modes, LSTM, GRU and parts of large layers in RTL
	@$(PY) -m sim.duet.bench $(ARGS)

test: lint env-synth env-formal env-waves env-figures env-train  ## lint and the tests that CI runs
	@$(PYTEST) -n $(JOBS) $(FAST) --durations=10 $(ARGS)

test-all: lint env-synth env-formal env-waves env-figures env-train  ## all tests, the slow ones included
	@$(PYTEST) -n $(JOBS) --durations=20 $(ARGS)

test-one: env-core env-test env-waves  ## one test: T=tests/... SEED=1 WAVES=1
	@VERBOSE=$${VERBOSE:-1} $(PYTEST) -s '$(T)' $(ARGS)

lint: env-core env-test  ## ruff
	@$(PY) -m ruff check

ci: sim test formal regress coverage  ## what .ci/run calls

constraints: $(GROUPS)  ## renew constraints.txt after changing a pin
	@$(PY) -m sim.common.environment --freeze

clean:  ## remove everything that was built
	@$(PYTHON) -m sim.common.environment --clean

distclean:  ## and the Python environment
	@$(PYTHON) -m sim.common.environment --distclean
