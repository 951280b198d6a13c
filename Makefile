# Two commands do everything: `make demo` and `make test`. Each sets up .venv itself, once.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# Where the machine forbids to keep compiled files, every process would compile Prefect anew, for seconds.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test lint audit lock bench evaluate chaos pictures clean

demo: $(READY)
	$(BIN)/interlock demo

# Three processes for the second part: its tests mostly wait.
test: $(READY)
	$(BIN)/pytest tests/unit tests/integration --numprocesses 2 --dist loadfile
	$(BIN)/pytest tests/acceptance tests/chaos --numprocesses 3 --dist loadfile

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/shellcheck .ci/*
	$(BIN)/cfn-lint deployments/aws/*.yaml
	$(BIN)/python -m tests.locks
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-actions action.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/zizmor --quiet --offline --persona auditor action.yml .github/workflows

# Known vulnerabilities of every locked dependency. It asks a service on the network, so it is no part of `make lint`
# (docs/decisions/0012-the-audit-is-a-target-of-its-own.md). --strict: what could not be looked up is a failure too.
audit: $(READY)
	$(BIN)/pip-audit --strict --require-hashes --disable-pip --requirement requirements.lock
	$(BIN)/pip-audit --strict --require-hashes --disable-pip --requirement client-requirements.lock

# Every point of the flow, every kind of kill; the short form is part of `make test`.
chaos: $(READY)
	$(BIN)/python -m tests.chaos

bench: $(READY)
	$(BIN)/python -m tests.bench

# The demo as a terminal shows it, and every Slack message as the local Slack does, into docs/pictures. The messages need
# Chromium (CHROMIUM=path make pictures).
pictures: $(READY)
	$(BIN)/python -m tests.pictures.demo
	$(BIN)/python -m tests.unit.notifications.catalogue
	$(BIN)/python -m tests.pictures

# On ../shared/data/events, or any folder of the same shape: EVENTS=folder make evaluate
evaluate: $(READY)
	$(BIN)/python -m tests.evaluation

# The one command that renews both locks (all supported Pythons, no index address in them): everything, and the client
# alone, in the very versions that the tests have run with.
COMPILE := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --quiet --custom-compile-command "make lock"
lock: .venv/bin/uv
	$(COMPILE) --all-extras --upgrade --output-file requirements.lock
	$(COMPILE) --upgrade --constraint requirements.lock --no-annotate --output-file client-requirements.lock

.venv/bin/uv:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet "uv>=0.9"

# uv installs the lock in seconds; where it cannot (it does not read pip's own configuration), pip does the same slowly.
$(READY): requirements.lock pyproject.toml | .venv/bin/uv
	$(BIN)/uv pip install --quiet --require-hashes --requirement requirements.lock \
		|| $(BIN)/pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/uv pip install --quiet --no-deps --editable . || $(BIN)/pip install --quiet --no-deps --editable .
	touch $(READY)

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .interlock
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
