# Each target does all that it needs on a fresh Debian 12; everything it makes stays in this folder.

PYTHON ?= python3
PORT ?= 8443
CASE ?=
NODE ?=
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

SECONDS ?= 1800
SEED ?=

.PHONY: run demo test model chaos test-files timing lint docs bench clean

run: $(INSTALLED)
	@$(BIN)/twistd --nodaemon --pidfile= safeum --development --port $(PORT)

demo: $(INSTALLED)
	@$(BIN)/python -m tools.demo $(PORT) $(NODE)

test: $(INSTALLED)
	@$(BIN)/python -m tests.runner

model: $(INSTALLED)
	@MODEL_SEED=$${MODEL_SEED:-$$(date +%s)} $(BIN)/python -m tests.runner tests.test_chats_model

chaos: $(INSTALLED)
	@$(BIN)/python -m tests.chaos $(SECONDS) $(SEED)

test-files: $(INSTALLED)
	@$(BIN)/python -m tests.e2e.big_file

timing: $(INSTALLED)
	@$(BIN)/python -m tests.timing

lint: $(INSTALLED)
	@$(BIN)/python -m tests.runner tests.test_lint

docs: $(INSTALLED)
	@$(BIN)/python -m tools.generate

bench: $(INSTALLED)
	@$(BIN)/python -m bench $(CASE)

clean:
	rm -rf $(VENV) run build dist *.egg-info _trial_temp* .mypy_cache .ruff_cache .hypothesis
	rm -f twisted/plugins/dropin.cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): setup.cfg pyproject.toml tools/install.sh
	@tools/install.sh $(PYTHON) $(VENV)
	@touch $@
