PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python

.DEFAULT_GOAL := help
.PHONY: help demo test check bench faults soak model up down lock

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(VENV)/.ready: requirements/all.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Viceversa needs Python 3.11 or later: make PYTHON=/path/to/python3.11 ..."; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --disable-pip-version-check --quiet --require-hashes -r requirements/all.txt
	$(RUN) -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

lock: ## write requirements/all.txt anew from pyproject.toml
	uv pip compile --universal --python-version 3.11 --generate-hashes --all-extras --no-header --no-annotate --no-emit-index-url pyproject.toml -o requirements/all.txt

up: $(VENV)/.ready ## start the stack and the three services in the background
	$(RUN) -m deploy.local up

down: $(VENV)/.ready ## stop all of it
	$(RUN) -m deploy.local down

demo: $(VENV)/.ready ## the whole journey, live (KEEP=1 leaves it running)
	$(RUN) -m deploy.local demo $(if $(KEEP),--keep)

test: $(VENV)/.ready ## every test, on a real Kafka and a real MongoDB
	$(RUN) -m pytest $(ARGS)

check: $(VENV)/.ready ## style, types, room rules, contract compatibility
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(RUN) -m libs.contracts.schemas check

bench: $(VENV)/.ready ## measure, into .local/bench.json
	$(RUN) -m benchmarks $(ARGS)

faults: $(VENV)/.ready ## break everything, check that nothing is lost or doubled, then sabotage every guard; into .local/faults.json
	@$(RUN) -m tests.faults run --minutes $(or $(MINUTES),5) $(ARGS); broken=$$?; \
	$(RUN) -m tests.faults.mutations && exit $$broken

soak: $(VENV)/.ready ## the same for long, with a picture in .local/soak.svg (MINUTES=60)
	$(RUN) -m tests.faults soak --minutes $(or $(MINUTES),60) $(ARGS)

model: $(VENV)/.ready ## explore every state of the delivery protocol, then break each of its guards
	$(RUN) -m tests.model $(ARGS)
