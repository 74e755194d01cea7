# Safelight. `make run` and `make test` are all that a fresh machine needs.

VENV := .venv
BIN := $(VENV)/bin
SOURCES := addons tests

.DEFAULT_GOAL := help
.PHONY: help run demo test test-deps test-deploy check fuzz bench bench-peers bench-proxy load soak docs lock clean

help: ## Show what there is to make
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

run: $(VENV)/installed ## Start the proxy (options: make run ARGS="--listen 127.0.0.1:9000")
	@exec $(BIN)/safelight run $(ARGS)

demo: $(VENV)/tested ## Send a photo with secrets through the proxy and show what arrived
	@$(BIN)/python -m tests.demo

test: $(VENV)/tested ## Run the tests (options: make test ARGS="tests/images -k png")
	@$(BIN)/python -m pytest $(ARGS)

test-deps: ## Install what some tests need besides: Chromium, curl, ExifTool, upload libraries
	@./.ci/test-deps

test-deploy: $(VENV)/tested ## Test the places it runs in: containers, networks, services (needs root)
	@./.ci/deploy-deps
	@$(BIN)/python -m pytest tests/deploy $(ARGS)

check: $(VENV)/tested ## Check style and types
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/mypy

FORMAT ?= jpeg png webp gif avif heif tiff jxl jp2 bmp ico psd svg mp4 pdf zip
SECONDS ?= 60
fuzz: $(VENV)/tested ## Look for pictures that break it (make fuzz FORMAT=png SECONDS=600)
	@$(BIN)/python -m pip install -qq 'atheris>=3.1'
	@for format in $(FORMAT); do \
	  echo "== $$format"; $(BIN)/python -m tests.fuzz.fuzz_images $$format $(SECONDS) || exit 1; \
	done

bench: $(VENV)/tested ## Measure how fast pictures are cleaned
	@$(BIN)/python -m tests.bench.speed
	@$(BIN)/python -m tests.bench.requests
	@$(BIN)/python -m tests.bench.audit

bench-peers: $(VENV)/tested ## Compare with other tools (SAFELIGHT_CORPUS=FOLDER); writes docs/peers.md
	@./.ci/peers-deps
	@$(BIN)/python -m pip install -qq -r tests/bench/requirements.txt
	@$(BIN)/python -m tests.bench.compare

bench-proxy: $(VENV)/tested ## Compare with HAProxy, mitmdump, Squid; writes docs/gateways.md
	@./.ci/bench-deps
	@$(BIN)/python -m tests.bench.gateway $(ARGS)

load: $(VENV)/tested ## Send 200 uploads at once; what somebody beside them notices
	@$(BIN)/python -m tests.load.burst $(ARGS)

MINUTES ?= 30
soak: $(VENV)/tested ## Send mixed traffic for a while; memory must not grow (make soak MINUTES=5)
	@$(BIN)/python -m tests.load.soak $(MINUTES)

docs: $(VENV)/tested ## Write the generated pages in docs/ anew
	@$(BIN)/python -m tests.formats_page
	@$(BIN)/python -m tests.coverage_page
	@$(BIN)/safelight audit schema > docs/audit-record.schema.json

lock: $(VENV)/tested ## Write the lock files anew after a change of dependencies
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.12 \
	  --generate-hashes --no-header --no-annotate --quiet --output-file requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --group test --group check --universal \
	  --python-version 3.12 --generate-hashes --no-header --no-annotate --quiet \
	  --constraints requirements.lock --output-file tests/requirements.lock
	@$(BIN)/uv pip compile tests/clients/gradio.in --universal --python-version 3.12 \
	  --generate-hashes --no-header --no-annotate --quiet --output-file tests/clients/gradio.lock

clean: ## Remove what was installed and cached here
	@rm -rf $(VENV) .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/installed: requirements.lock pyproject.toml
	@./.ci/venv $(VENV)
	@$(BIN)/python -m pip install -qq --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --no-deps --editable .
	@touch $@

$(VENV)/tested: $(VENV)/installed tests/requirements.lock
	@$(BIN)/python -m pip install -qq --require-hashes -r tests/requirements.lock
	@touch $@
