# `make run` and `make test` are the whole set-up: each builds .venv from uv.lock by itself.
# uv is bootstrapped inside the venv, so nothing but python3 (with venv), git and make need be there.

PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
PEERS := benchmarks/control/peers

.PHONY: run test lint bench bench-transport bench-coordination bench-peers soak screenshots gallery clean

run: .venv/ready
	@exec $(BIN)/bulkhead serve $(ARGS)

test: .venv/ready lint
	$(BIN)/python -m pytest -n 3 --dist loadfile $(ARGS)

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: .venv/ready
	$(BIN)/python -m benchmarks.house $(ARGS)

bench-transport: .venv/ready
	$(BIN)/python -m benchmarks.transport $(ARGS)

bench-coordination: .venv/ready
	$(BIN)/python -m benchmarks.coordination $(ARGS)

bench-peers: .venv/ready .venv-peers/ready
	$(BIN)/python -m benchmarks.control --only peers $(ARGS)

soak: .venv/ready
	$(BIN)/python -m pytest -m slow $(ARGS)

screenshots: .venv/ready
	$(BIN)/python -m docs.screenshots $(ARGS)

gallery: .venv/ready
	$(BIN)/python -m docs.gallery $(ARGS)

.venv/ready: uv.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "bulkhead: $(PYTHON) is missing or older than 3.11; name a newer one: make PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv || \
	  { echo "bulkhead: $(PYTHON) has no venv; on Debian: apt-get install python3-venv" >&2; rm -rf .venv; exit 1; }
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.9"
	@$(BIN)/uv sync --frozen --quiet
	@touch $@

# what control is compared with wants other versions of our own libraries: an environment and a lock of its own
.venv-peers/ready: $(PEERS)/uv.lock $(PEERS)/pyproject.toml | .venv/ready
	@UV_PROJECT_ENVIRONMENT=$(CURDIR)/.venv-peers $(BIN)/uv sync --project $(PEERS) --frozen --quiet --python $(BIN)/python
	@touch $@

clean:
	rm -rf .venv .venv-peers
