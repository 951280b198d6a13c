# Two commands do everything: `make demo` and `make test`. Each sets up .venv itself, once.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test lint lock bench evaluate chaos clean

demo: $(READY)
	$(BIN)/interlock demo

test: $(READY)
	$(BIN)/pytest tests/unit tests/integration --numprocesses 2 --dist loadgroup
	$(BIN)/pytest tests/acceptance tests/chaos

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Every point of the flow, every kind of kill; the short form is part of `make test`.
chaos: $(READY)
	$(BIN)/python -m tests.chaos

bench: $(READY)
	$(BIN)/python -m tests.bench

# On ../shared/data/events, or any folder of the same shape: EVENTS=folder make evaluate
evaluate: $(READY)
	$(BIN)/python -m tests.evaluation

# The one command that renews requirements.lock (all extras, every supported Python, no index address in it).
lock: .venv/bin/uv
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --upgrade --quiet \
		--custom-compile-command "make lock" --output-file requirements.lock

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
