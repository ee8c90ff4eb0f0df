#!/usr/bin/env bash
# What takes too long for every change: the features each by itself, and properties and random runs that are many times as
# long. Called by `make test-long`; two hours on two cores.
#
# AGORA_TEST_FACTOR (20) says how many times as long.
set -euo pipefail

scripts="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
. "$scripts/lib/log.sh"
cd "$scripts/.."

: "${CARGO_TARGET_DIR:?is set by the Makefile: run this through 'make test-long'}"
: "${FEATURES:?is set by the Makefile: run this through 'make test-long'}"

"$scripts/features.sh" each
export AGORA_TEST_FACTOR="${AGORA_TEST_FACTOR:-20}"
# Properties that do not say how many cases they want have 256; the random calls of the runtime make 10,000 steps.
export PROPTEST_CASES=$((256 * AGORA_TEST_FACTOR)) AGORA_RANDOM_STEPS=$((10000 * AGORA_TEST_FACTOR))
log_step "all tests, with $AGORA_TEST_FACTOR times as many cases"
cargo build --workspace --locked --features "$FEATURES" --bins --examples
cargo test --workspace --locked --features "$FEATURES" --no-fail-fast
log_step 'the largest units of all kinds in the machine'
cargo test --locked -p agora-reference -- --ignored --nocapture
log_step 'blobs in a bucket'
cargo test --locked --manifest-path tests/s3/Cargo.toml
log_step 'disputes of all kinds, and blobs as large as real ones, on real processes'
cargo test --workspace --locked --features "$FEATURES" --test end_to_end -- --ignored --nocapture --test-threads 1
