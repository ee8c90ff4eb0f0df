# One entry point for everything; the work itself is done by scripts/ and cargo.
# Every target that builds sets up what it needs first: `make setup` is fast when all is there.

# Outside the checkout, so that all checkouts and all targets share one build.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/agora/target
# wgpu's software driver complains without it, and keeps its sockets there.
export XDG_RUNTIME_DIR ?= $(HOME)/.cache/agora/run
# The model that the tests embed sentences with; give a full path.
export AGORA_MINILM ?= $(HOME)/.cache/agora/minilm
# One set of features for every cargo call: each other set would rebuild most of the SDK.
export FEATURES ?= agora-cli/fault-injection
# Where rustup puts cargo, for shells that have not read its environment file.
export PATH := $(PATH):$(HOME)/.cargo/bin

CARGO_FLAGS := --workspace --locked --features $(FEATURES)
BIN := $(CARGO_TARGET_DIR)/debug

.DEFAULT_GOAL := help
.PHONY: help setup minilm build demo node test test-long test-release lint fmt doc device-check bench bench-blobs bench-chain bench-compute bench-courts bench-iroh bench-machine bench-worker weights deny fuzz guests

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what the build needs: system packages, Wasm target
	@scripts/setup.sh
	@mkdir -p "$(CARGO_TARGET_DIR)"
	@[ -d "$(XDG_RUNTIME_DIR)" ] || mkdir -p -m 700 "$(XDG_RUNTIME_DIR)"

minilm: setup ## Fetch all-MiniLM-L6-v2, the model of the tests (91 MB, once)
	@scripts/fetch-minilm.sh "$(AGORA_MINILM)"

# `--examples` makes cargo resolve features with the dev-dependencies, as for the tests.
# Without it the demo and the tests would build two variants of the shared dependencies.
build: setup ## Build every binary
	cargo build $(CARGO_FLAGS) --bins --examples

demo: build ## Run the whole market on this machine and show it
	@"$(BIN)/agora-demo" $(ARGS)

node: build ## Run a development chain (more options: make node ARGS='...')
	@"$(BIN)/agora-node" --dev --tmp $(ARGS)

test: minilm ## Run every check: formatting, lints, docs, all tests
	@scripts/test.sh

test-long: minilm ## Run what takes too long for every change: each set of features, long random runs
	@scripts/test-long.sh

test-release: ## Try the set-up in bare Debian 12 and 13 roots (as root; minutes), and note that it passed
	@scripts/test-setup.sh

lint: setup ## Check formatting and lints
	cargo fmt --all --check
	cargo clippy $(CARGO_FLAGS) --all-targets -- -D warnings

fmt: ## Format the code
	cargo fmt --all

doc: setup ## Build the documentation
	RUSTDOCFLAGS='-D warnings' cargo doc $(CARGO_FLAGS) --no-deps

guests: setup ## Build the programs of the machine anew, and put their images into guests/images
	@scripts/build-guests.sh

# Of the whole workspace, and with an example, so that features are resolved as for `build`; only this program is built.
device-check: setup ## Build the stand-alone program that checks and measures a GPU, and strip it
	cargo build $(CARGO_FLAGS) --bin agora-device-check --example train_digits
	@mkdir -p "$(CARGO_TARGET_DIR)/device-check"
	@strip -o "$(CARGO_TARGET_DIR)/device-check/agora-device-check" "$(BIN)/agora-device-check"
	@stat -c '%s %n' "$(CARGO_TARGET_DIR)/device-check/agora-device-check" \
		| awk '{ printf "%.1f MiB: %s\n", $$1 / 1048576, $$2 }'

bench: bench-chain bench-blobs bench-machine bench-courts bench-worker bench-compute ## Run all benchmarks

bench-blobs: build ## Measure how fast blobs are passed on, against curl
	@"$(BIN)/agora-bench-blobs" $(ARGS)

bench-chain: build ## Measure calls, throughput and checks on one node
	@"$(BIN)/agora-bench-chain" $(ARGS)

bench-courts: build ## Measure what a dispute of each kind costs, and what attackers get (some minutes)
	@"$(BIN)/agora-bench-courts" $(ARGS)

bench-machine: build ## Measure how fast the machine runs programs, and what a segment costs the chain
	@"$(BIN)/agora-bench-machine" $(ARGS)

# The second part is tests, a day of blocks long, that add what they measured: of the whole workspace, so that nothing is built anew.
bench-worker: build ## Measure a worker far from its node in a market of 100,000 open tasks, and one over a simulated day (some minutes)
	@"$(BIN)/agora-bench-worker" $(ARGS)
	@AGORA_FIGURES="$(CURDIR)/benchmarks/results/worker.jsonl" AGORA_TEST_FACTOR=24 cargo test $(CARGO_FLAGS) --lib --quiet -- \
		--test-threads 1 worker::tests::day:: worker::tests::random::

# A workspace of its own: its peers take longer to build than the engines.
bench-compute: setup ## Measure the engines against their peers (builds for ten minutes the first time)
	cargo run --release --locked --manifest-path benchmarks/compute/Cargo.toml -- $(ARGS)

# A workspace of its own, and no part of `bench` or `test`: nothing that is shipped depends on iroh. Latency and NAT need root.
bench-iroh: setup ## Try blobs over iroh as a source, and measure it against HTTP (as root; a long build the first time)
	cargo test --locked --manifest-path benchmarks/iroh/Cargo.toml
	cargo run --locked --manifest-path benchmarks/iroh/Cargo.toml -- $(ARGS)

weights: setup ## Measure what the calls weigh, and write it down (an hour the first time)
	@scripts/weights.sh $(ARGS)

deny: ## Check licences, bans and sources of all dependencies
	@scripts/deny.sh

fuzz: setup ## Fuzz the decoders, a minute each
	@scripts/fuzz.sh $(ARGS)
