# Everything one does with this checkout. `make` alone prints what there is.
# It needs make and Python 3.11 or newer with venv (make PY=python3.12 names another one); the rest it installs into
# .venv and web/node_modules.

PY ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Where this is set, each of our many processes would compile every library anew at each start.
unexport PYTHONDONTWRITEBYTECODE
export npm_config_update_notifier := false

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run demo test check format bench peers lock

help: ## this list
	@echo "Điều Tin. Lần đầu / first: make run, rồi / then: make demo (in a second terminal)."; echo
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|' 2>/dev/null \
	  || sed -n 's/^\([a-z]*\):.*## /  make \1    /p' Makefile

# ---- installing -------------------------------------------------------------------------------------------------------

FRONT_END := api/static/dist/.ok
FRONT_END_SOURCES := $(shell find web -name node_modules -prune -o -type f -print 2>/dev/null)

.venv/.uv: tools/installer.lock
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; this is $$($(PY) --version 2>&1). Name another one: make PY=python3.12" >&2; exit 1; }
	@$(PY) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "This Python has no venv module. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "== Python packages: .venv"
	@$(PY) -m venv .venv
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r tools/installer.lock
	@touch $@

.venv/.ok: .venv/.uv requirements.lock
	@echo "== Python packages: what the system needs (0.9 GB, about half a minute)"
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements.lock
	@touch $@

.venv/.dev: .venv/.ok requirements-dev.lock
	@echo "== Python packages: what tests and checks need"
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

$(FRONT_END): .venv/.ok $(FRONT_END_SOURCES)
	@echo "== Front end: web → api/static/dist"
	@cd web && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build -- --logLevel warn
	@touch $@

KERNEL := .venv/.kernel

$(KERNEL): .venv/.ok $(wildcard routing/kernel/*.py)
	@echo "== Routing kernel: compiled once (about a minute)"
	@$(BIN)/python -c 'import routing; routing.warm("search")'
	@touch $@

setup: $(FRONT_END) $(KERNEL) ## install everything, the search kernel compiled (run does it itself)

# ---- using ------------------------------------------------------------------------------------------------------------

run: $(FRONT_END) $(KERNEL) ## the whole system on this machine: database, queue, web, worker, clock, relay
	@exec $(BIN)/python -m dispatch serve --with-parent

demo: $(FRONT_END) ## a believable day on the system that runs (ARGS="…" goes to the demo)
	@exec $(BIN)/python -m dispatch demo $(ARGS)

# ---- working on it ----------------------------------------------------------------------------------------------------

test: .venv/.dev $(FRONT_END) $(KERNEL) ## all tests, on real PostgreSQL and Valkey (ARGS="…" goes to pytest)
	@cd web && npm test --silent
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

check: .venv/.dev $(FRONT_END) ## lint, format, types, imports, sizes, locks, compose file
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m tools.check_size
	@$(BIN)/python -m tools.check_locks
	@$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	@cd web && npm run --silent check

format: .venv/.dev ## put the Python files in the common form
	@$(BIN)/ruff check --fix-only -q .
	@$(BIN)/ruff format .

bench: .venv/.dev $(FRONT_END) $(KERNEL) ## measure (ARGS="…" chooses what)
	@exec $(BIN)/python -m bench $(ARGS)

.venv/peers/.ok: .venv/.uv requirements-peers.lock
	@$(BIN)/uv venv -q --clear --python $(BIN)/python .venv/peers
	@$(BIN)/uv pip install -q --python .venv/peers/bin/python --require-hashes -r requirements-peers.lock
	@touch $@

peers: .venv/peers/.ok ## the engines that make bench ARGS=routes compares ours with (0.2 GB, in .venv/peers)

LOCK := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate $(UPGRADE)

lock: .venv/.ok ## make the lock files again from requirements*.in and package.json (UPGRADE=--upgrade: newest versions)
	@$(LOCK) requirements.in -o requirements.lock
	@$(LOCK) requirements-dev.in -o requirements-dev.lock
	@$(LOCK) requirements-peers.in -o requirements-peers.lock
	@$(LOCK) tools/installer.in -o tools/installer.lock
	@cd web && npm install --package-lock-only --no-audit --no-fund
	@$(BIN)/python -m tools.check_locks
