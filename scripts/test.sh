#!/usr/bin/env bash
# Runs every check; the first step that fails ends it. Called by `make test`.
set -euo pipefail

scripts="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
. "$scripts/lib/log.sh"
cd "$scripts/.."

: "${CARGO_TARGET_DIR:?is set by the Makefile: run this through 'make test'}"
: "${FEATURES:?is set by the Makefile: run this through 'make test'}"

flags=(--workspace --locked --features "$FEATURES")

# Runs a command under the headline $1, and tells how long it took.
step() {
    local title="$1" started=$SECONDS
    shift
    log_step "$title ($((started / 60)) min $((started % 60)) s in)"
    if ! "$@"; then
        log_error "$title: failed after $((SECONDS - started)) s"
        exit 1
    fi
    log_info "$title: $((SECONDS - started)) s"
}

# SKIP_WASM_BUILD is deliberately not used in any step: changing it between two cargo calls
# makes cargo build the runtime and the node again.
documentation() { RUSTDOCFLAGS='-D warnings' cargo doc "${flags[@]}" --no-deps; }

# Runs all tests and ends with the sum of what cargo reports for each test binary.
tests() {
    local log="$CARGO_TARGET_DIR/test.log" status=0
    cargo test "${flags[@]}" --no-fail-fast 2>&1 | tee "$log" || status=$?
    awk '/^test result:/ { passed += $4; failed += $6 }
        END { printf "%d passed, %d failed\n", passed, failed; exit passed == 0 || failed > 0 }' "$log" || status=1
    return "$status"
}

step 'formatting' cargo fmt --all --check
step 'golden vectors' "$scripts/check-vectors.sh"
# The end-to-end tests start these binaries, which `cargo test` alone would not build. Before the
# lints, because the Wasm runtime is built by whichever comes first, and clippy's environment
# would leak into that build. `--examples`: see the Makefile.
step 'build' cargo build "${flags[@]}" --bins --examples
step 'lints' cargo clippy "${flags[@]}" --all-targets -- -D warnings
step 'documentation' documentation
step 'set-up on bare systems' "$scripts/test-setup.sh"

# Not through `step`, so that the sum stays the last line.
log_step "tests ($((SECONDS / 60)) min $((SECONDS % 60)) s in)"
tests
