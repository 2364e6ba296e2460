# Everything a user or developer types. Each target sets up what it needs; nothing has to be done before.
.PHONY: demo test lint bench deb setup clean

PY := .venv/bin/python

demo: ## the whole chain on this machine; ONCE=1 prints the story and ends by itself
	@deploy/setup demo
	@$(PY) -m deploy.demo $(if $(ONCE),--once)

test: ## all tests; names what this machine could not run, and why
	@deploy/setup dev
	@$(PY) -m pytest -q -n 4 --dist worksteal $(TESTS)

lint: ## formatting, style, types and the rules of who may import whom
	@deploy/setup dev
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/ruff check --quiet .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@$(PY) -m tests.rules
	@$(PY) -m deploy.reference --check

bench: ## benchmarks, as a table with ratios against the obvious limit; SOAK=3600 for an hour of the agent
	@deploy/setup dev
	@SOAK=$(SOAK) $(PY) -m tests.bench

deb: ## Debian packages and offline bundles of the edge agent, for amd64 and arm64, in dist/
	@deploy/setup dev
	@$(PY) -m deploy.packages --architecture amd64
	@$(PY) -m deploy.packages --architecture arm64

setup: ## only the set-up, with all that development needs
	@deploy/setup dev

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
