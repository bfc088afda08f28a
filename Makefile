# Dashtam's commands. PORT, DATABASE_URL, REDIS_URL and EMAIL_URL are taken from the environment.

PY := .venv/bin/python
WORKERS ?= 2
TEST_PATH ?=
BASE ?= HEAD^
ARGS ?=
N ?= 5

# Containers often forbid bytecode; each run would then compile all it imports anew.
PYTEST = PYTHONDONTWRITEBYTECODE= $(PY) -m pytest --ds=config.test
# Work is dealt out in large pieces: in small ones the dealing costs a quarter of the run.
PARALLEL = $(PYTEST) -n $(WORKERS) --dist worksteal
COVERED = $(PARALLEL) --cov --cov-report=
# makemigrations looks into a database for its history: an empty one will do.
MIGRATIONS = DJANGO_SETTINGS_MODULE=config.local DATABASE_URL=sqlite://:memory: $(PY) manage.py makemigrations
COMPILE = $(PY) -m uv --quiet pip compile --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command 'make lock'

KILLS = $(PY) -m trials.kills --database
RACES = $(PY) -m trials.races
NIGHTLY = test-random model fuzz-long faults kills races mutate
# A control must be caught, exit code 1; 3 means that the trials themselves failed.
CAUGHT = ; [ $$? = 1 ]

.DEFAULT_GOAL := help
.PHONY: help run ready test test-unit test-integration test-api test-smoke test-services test-verbose \
	test-coverage test-file test-random bisect test-up test-down check verify check-static format \
	format-check lint imports typecheck migrations-check schema layers changed-lines report lock clean \
	model mutate mutate-changed fuzz fuzz-long faults nightly kills kills-short races races-short load million bench-audit bench-panel screenshots production-like

help: ## What there is to do
	@awk -F '##' '/^[a-z -]+:.*## / { sub(/:.*/, "", $$1); printf "%-22s%s\n", $$1, $$2 }' Makefile

run: ## Run Dashtam on this machine: PORT=8000
	@scripts/bootstrap production
	@exec $(PY) manage.py serve

ready:
	@scripts/bootstrap all

test: ready ## Every test, with coverage: TEST_PATH= ARGS= WORKERS=
	@$(COVERED) $(TEST_PATH) $(ARGS)
	@echo "Coverage: $$($(PY) -m coverage report --format=total) % of lines and branches; make report shows each file"

test-unit test-integration test-api test-smoke: test-%: ready ## One tier
	@$(PARALLEL) tests/$* $(ARGS)

test-services: ready ## All but the unit tests; DASHTAM_TEST_BINARIES=system: on the system's servers
	@$(PARALLEL) tests/integration tests/api tests/smoke $(ARGS)

test-verbose: ready ## Every test by name
	@$(PARALLEL) -vv $(TEST_PATH) $(ARGS)

test-coverage: ready ## Every test; lines and branches in htmlcov/index.html
	@$(COVERED)html $(TEST_PATH) $(ARGS)

test-file: ready ## One file or test: FILE=tests/unit/test_core_result.py
	@[ -n "$(FILE)" ] || { echo "Say which: make test-file FILE=tests/unit/test_core_result.py"; exit 1; }
	@$(PYTEST) "$(FILE)" $(ARGS)

test-random: ready ## N=5 runs, each in a random order of its own
	@mkdir -p .cache; for run in $$(seq $(N)); do \
		seed=$$(od -An -N3 -tu4 /dev/urandom | tr -d ' '); \
		echo "Order $$run of $(N): --randomly-seed=$$seed"; \
		if $(PARALLEL) --randomly-seed=$$seed $(TEST_PATH) $(ARGS); \
		then echo "$$seed passed" >>.cache/orders.txt; \
		else echo "$$seed failed" >>.cache/orders.txt; exit 1; fi; \
	done

bisect: ready ## SEED=123: which test spoils another one in this order?
	@PYTHONDONTWRITEBYTECODE= $(PY) -m tests.plugin.bisect "$(SEED)" --ds=config.test $(TEST_PATH)

test-up test-down: test-%: ## The test services in Docker, for those who want to look inside
	@if docker info >/dev/null 2>&1; then docker compose --profile test $(COMPOSE_$*); \
	else echo "No Docker here, and none is needed: make test starts its own PostgreSQL and Valkey."; fi
COMPOSE_up = up --detach --wait test-postgres test-redis
COMPOSE_down = rm --stop --force --volumes test-postgres test-redis test-app

check verify: ready ## Every check and every test: fails on the cheapest thing first
	@$(MAKE) --no-print-directory check-static test layers

check-static: format-check lint imports migrations-check typecheck ## All but the tests

format: ready ## Rewrite the code in the one format
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --quiet --select I --fix .

format-check: ready
	@$(PY) -m ruff format --check --quiet . || { echo "make format puts these in order."; exit 1; }

lint: ready ## ruff
	@$(PY) -m ruff check .

imports: ready ## Imports point downwards: the contracts of setup.cfg
	@.venv/bin/lint-imports

typecheck: ready ## mypy, strict
	@$(PY) -m mypy

migrations-check: ready ## No model without its migration
	@$(MIGRATIONS) --check --dry-run || { echo "$(PY) manage.py makemigrations writes it."; exit 1; }

schema: ready ## Write docs/openapi.yaml, events.md, errors.md and faults.md anew, from the code
	@$(PY) manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml
	@$(PY) manage.py audit_events > docs/reference/events.md
	@$(PY) manage.py error_codes > docs/reference/errors.md
	@DJANGO_SETTINGS_MODULE=config.test $(PY) -m tests.faulting > docs/reference/faults.md

model: ready ## Against a reference: 100,000 steps of accounts and sessions, every Merkle tree to 300
	@MODEL_EXAMPLES=2000 $(PARALLEL) -m model -o timeout=900 -o stuck_after=0 $(ARGS)

mutate: ready ## Is a test for every operator, constant and default? ARGS=users/domain/lockout.py
	@$(PY) -m trials.mutate $(ARGS)

mutate-changed: ready ## The same for the lines changed since BASE=HEAD^
	@$(PY) -m trials.mutate --since $(BASE) $(ARGS)

kills: ready ## Processes die anywhere, and nothing may be missing: 1,000 trials, 300 on SQLite, the controls
	@$(KILLS) postgresql $(ARGS)
	@$(KILLS) sqlite $(ARGS)
	@$(KILLS) postgresql --control after-commit $(CAUGHT)
	@$(KILLS) sqlite --control after-commit $(CAUGHT)
	@$(KILLS) postgresql --control seq-cursor $(CAUGHT)

kills-short: ready ## A minute of it
	@$(KILLS) postgresql --trials 120 --seconds 20
	@$(KILLS) sqlite --trials 120 --seconds 15
	@$(KILLS) postgresql --control after-commit $(CAUGHT)
	@$(KILLS) postgresql --control seq-cursor --trials 16 $(CAUGHT)

races: ready ## Twenty at once in four processes, 50 rounds of each race, and the controls
	@$(RACES) $(ARGS)
	@$(RACES) --control blind-refresh $(CAUGHT)
	@$(RACES) --control look-first $(CAUGHT)
	@$(RACES) --control no-locks $(CAUGHT)

races-short: ready ## Half a minute of it
	@$(RACES) --rounds 1
	@$(RACES) --control blind-refresh $(CAUGHT)

production-like: ready ## A minute: three web processes behind a proxy, from migrate to a restored backup
	@$(PY) -m trials.production

fuzz: ready ## Requests made from the OpenAPI document, 2,000 at least: FUZZ_EXAMPLES= FUZZ_SEED=
	@FUZZ_EXAMPLES=$(or $(FUZZ_EXAMPLES),5) FUZZ_REQUESTS=$(or $(FUZZ_REQUESTS),2000) \
		$(PARALLEL) -o stuck_after=0 -m fuzz $(ARGS)

faults: ready ## Each dependency fails in each way, while somebody registers, logs in or refreshes
	@$(PARALLEL) -m fault $(ARGS)

load: ready ## Ten minutes of eight writers, the worker and a verifier: does the seal keep up?
	@$(PY) -m trials.load $(ARGS)

bench-audit: ready ## What the trail costs, beside two other apps: ARGS=--quick
	@$(PY) -m trials.bench $(ARGS)

screenshots: ready ## Every page in .cache/screenshots, light and dark, wide and on a telephone: needs chromium
	@$(PY) -m trials.screenshots $(ARGS)

bench-panel: ready ## What the dashboard costs on 1,000,000 events and 100,000 accounts
	@$(PY) -m trials.dashboard $(ARGS)

million: ready ## A million events: filled, sealed, verified
	@$(PY) -m trials.million $(ARGS)

fuzz-long: ready ## 50,000 of them, others each time: FUZZ_SEED= repeats them
	@seed=$(or $(FUZZ_SEED),$$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')); echo "FUZZ_SEED=$$seed"; \
	$(MAKE) --no-print-directory fuzz FUZZ_EXAMPLES=500 FUZZ_REQUESTS=50000 FUZZ_SEED=$$seed

nightly: ready ## All that takes long, to its end: hours, and what failed is told last
	@failed=; for each in $(NIGHTLY); do \
		echo "== $$(date -u +%H:%M) make $$each"; \
		$(MAKE) --no-print-directory $$each N=20 || failed="$$failed $$each"; \
	done; \
	echo "== $$(date -u +%H:%M) $${failed:+failed:}$${failed:-all is well}"; [ -z "$$failed" ]

layers: ready ## Coverage by layer in the last run, from the tier that is to cover it: a gate
	@$(PY) -m tests.plugin.layers

changed-lines: ready ## Every line changed since BASE=HEAD^ is covered, in the last run
	@git rev-parse --quiet --verify $(BASE) >/dev/null \
		|| { echo "$(BASE) is not in this clone: nothing to compare with."; exit 0; } \
		&& $(PY) -m coverage xml -q -o .cache/coverage.xml \
		&& .venv/bin/diff-cover .cache/coverage.xml --compare-branch=$(BASE) --fail-under=100

report: ready ## What the last runs measured: coverage, pyramid, random orders, mutants
	@$(PY) -m coverage report --skip-covered
	@echo; $(PY) -m tests.plugin.layers || true
	@echo; cat $(wildcard .cache/pyramid.txt) /dev/null
	@echo; awk '/failed/ { failed++; last = $$1 } \
		END { print NR " random orders, " failed + 0 " failed" (last ? ", SEED=" last " the last" : "") }' \
		$(wildcard .cache/orders.txt) /dev/null

lock: ready ## Pin the requirements anew, with hashes: ARGS=--upgrade
	@$(COMPILE) requirements-production.in -o requirements-production.txt $(ARGS)
	@$(COMPILE) requirements.in -o requirements.txt $(ARGS)

clean: ## Remove what was made here, but not the data in var/
	@rm -rf .venv .cache htmlcov staticfiles .coverage* .mypy_cache .ruff_cache .pytest_cache \
		.import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
