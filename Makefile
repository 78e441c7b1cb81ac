# What a person does with this project, by name. `make` alone prints the list.

PYTHON ?= python3
# Everything but the preparation itself runs in the environment that it made.
VENV := .venv/bin
PREPARE := $(PYTHON) -m development.prepare
# Several tests at a time, as many as tests/conftest.py says; who has no more to do takes over what others have left.
# What is compiled is kept, also where the surroundings do not want that: tests start hundreds of processes.
PYTEST := PYTHONDONTWRITEBYTECODE= $(VENV)/pytest -n auto --dist worksteal
COMPILE := $(VENV)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header --no-emit-index-url --no-emit-find-links

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run smoke test check test-python test-faults test-frontend test-browser pictures bench bench-page faults soak day page audit lock clean python browser

help: ## Print this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: python ## Install what is missing, build the page, start everything; Ctrl-C stops it
	@$(PREPARE) run
	@$(VENV)/python -m development.run

smoke: python ## The main job by a program: ask the embedded model, cut the connection, resume, compare
	@$(PREPARE) smoke
	@$(VENV)/python -m development.smoke

test: python ## The five below
	@$(PREPARE) python frontend
	@# One of them uses one core, and another waits for the network.
	@$(PYTHON) -m development.together $(MAKE) check test-frontend browser
	@$(MAKE) --no-print-directory test-python
	@$(MAKE) --no-print-directory test-faults
	@$(MAKE) --no-print-directory test-browser

check: python ## Formatting, linters, types and the arrows between the packages
	@$(PREPARE) python frontend
	$(VENV)/ruff format --check .
	$(VENV)/ruff check .
	$(VENV)/mypy
	$(VENV)/lint-imports
	$(PYTHON) -m development.node npm run check

test-frontend: python ## The page's own tests
	@$(PREPARE) frontend
	$(PYTHON) -m development.node npm test

test-python: python ## The tests of the Python side
	@$(PREPARE) python
	$(PYTEST) --ignore=tests/browser --ignore=tests/faults

test-faults: python ## A part of the fault suite, with what it ships: a busy machine would be a fault of its own
	@$(PREPARE) python
	$(PYTEST) -n 2 --dist load tests/faults

test-browser: browser ## The page in a real browser, on a real server (installs a browser if there is none)
	@browser=$$($(VENV)/python -m development.browser) && REJOINDER_BROWSER=$$browser $(PYTEST) tests/browser

pictures: python ## The page in its main states, light and dark, wide and on a phone (.local/pictures)
	@$(PREPARE) browser
	@browser=$$($(VENV)/python -m development.browser) && REJOINDER_BROWSER=$$browser $(VENV)/python -m tests.browser.pictures

bench: python ## What resuming costs, beside others: tables and plots, a quarter of an hour; Q="attach memory" for some only
	@$(PREPARE) python
	@$(VENV)/python -m benchmarks $(Q)

bench-page: python ## Whether the page stays smooth while a long answer comes: one table, two minutes
	@$(PREPARE) browser
	@browser=$$($(VENV)/python -m development.browser) && REJOINDER_BROWSER=$$browser $(VENV)/python -m benchmarks.page

browser: python
	@$(PREPARE) browser
	@$(VENV)/python -m development.browser >/dev/null

faults: python ## Break the real stack in every way we know, and count what is lost: one table, a quarter of an hour
	@$(PREPARE) python
	@$(VENV)/python -m faults $(if $(SEED),--seed $(SEED))

soak: python ## All faults at once for MINUTES (30), under load, and what grows meanwhile
	@$(PREPARE) python
	@$(VENV)/python -m faults.soak $(or $(MINUTES),30) $(if $(SEED),--seed $(SEED))

day: python ## A day of a service in two minutes: a new version and a dead server under load, and all that is shown read back
	@$(PREPARE) python page
	@$(VENV)/python -m faults.day $(if $(SEED),--seed $(SEED))

page: python ## Build the page (`make run` does so by itself)
	@$(PREPARE) page

audit: python ## Known holes in what the locks name (pip-audit, npm audit); fails only for one that is found
	@$(PREPARE) python
	@$(VENV)/python -m development.audit

lock: python ## Write the lock files anew after a change in pyproject.toml; UPGRADE=--upgrade takes newer versions
	@$(PREPARE) lock
	$(COMPILE) $(UPGRADE) pyproject.toml -o requirements.txt
	$(COMPILE) $(UPGRADE) pyproject.toml -c requirements.txt --extra traces -o requirements/traces.txt
	$(COMPILE) $(UPGRADE) pyproject.toml -c requirements.txt --extra run -o requirements/run.txt
	$(COMPILE) $(UPGRADE) pyproject.toml -c requirements/run.txt --extra run --extra embedded -o requirements/embedded.txt
	$(COMPILE) $(UPGRADE) pyproject.toml -c requirements/embedded.txt --extra run --extra embedded --extra traces --group dev \
		-o requirements/dev.txt
	$(COMPILE) $(UPGRADE) --group node -o requirements/node.txt
	$(COMPILE) $(UPGRADE) --group uv -o requirements/uv.txt
	@# With our versions of what both use: the servers are compared, not the versions.
	for folder in peers/fastapi_resumable_stream peers/assistant_stream plots; do \
		$(COMPILE) $(UPGRADE) benchmarks/$$folder/requirements.in -c requirements/dev.txt \
			-o benchmarks/$$folder/requirements.txt || exit 1; \
	done

clean: ## Remove what was installed, built or left by a run, the local database included
	rm -rf .venv .local frontend/node_modules frontend/dist development/chromium/node_modules
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

python:
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) here. Rejoinder needs Python 3.11 or newer."; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("$(PYTHON) is Python %d.%d. Rejoinder needs 3.11 or newer: make PYTHON=/path/to/it ..." % v[:2])'
