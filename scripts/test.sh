#!/usr/bin/env bash
# Runs every check; the first step that fails ends it. Called by `make test`.
#
# AGORA_TEST_FACTOR (1) multiplies the cases of the properties. Ends with the number of crates, the time of each step, the
# ten slowest tests, and the sum of all tests.
set -euo pipefail

scripts="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
. "$scripts/lib/log.sh"
. "$scripts/lib/setup-hash.sh"
cd "$scripts/.."

: "${CARGO_TARGET_DIR:?is set by the Makefile: run this through 'make test'}"
: "${FEATURES:?is set by the Makefile: run this through 'make test'}"

flags=(--workspace --locked --features "$FEATURES")
log="$CARGO_TARGET_DIR/test.log"
times=()

# Runs a command under the headline $1, and notes how long it took.
step() {
    local title="$1" started=$SECONDS
    shift
    log_step "$title ($((started / 60)) min $((started % 60)) s in)"
    if ! "$@"; then
        log_error "$title: failed after $((SECONDS - started)) s"
        exit 1
    fi
    times+=("$(printf '%5d s  %s' $((SECONDS - started)) "$title")")
}

# The set-up on bare systems takes minutes and changes with its scripts alone: `make test-release` tries it.
setup_was_tried() {
    [[ -r $(setup_hash_file) && $(setup_hash) == "$(cat "$(setup_hash_file)")" ]] && return
    log_error "the set-up scripts have changed since they last passed on bare systems: run 'make test-release' as root," \
        "and commit scripts/setup.hash"
    return 1
}

# SKIP_WASM_BUILD is deliberately not used for the workspace: changing it between two cargo calls makes cargo build the
# runtime and the node again.
documentation() { RUSTDOCFLAGS='-D warnings' cargo doc "${flags[@]}" --no-deps; }

# Builds the test programs, so that the time of the tests is theirs alone.
test_programs() { cargo test "${flags[@]}" --no-run --quiet; }

tests() {
    local host
    host="$(rustc -vV | awk '$1 == "host:" { print $2 }')"
    cargo test "${flags[@]}" --no-fail-fast \
        --config "target.$host.runner = '$scripts/lib/run-test.sh'" 2>&1 | tee "$log"
}

# Each test says its time in angle brackets: 'test name ... ok <1.234s>'.
slowest_tests() {
    sed -nE 's/^test (.*) \.\.\. ?.*<([0-9.]+)s>$/\2 \1/p' "$log" | sort -rn \
        | awk 'NR <= 10 { time = $1; $1 = ""; printf "%7.1f s %s\n", time, $0 }'
}

crates() { cargo tree --workspace --locked --features "$FEATURES" --edges normal,build,dev --prefix none | awk '{ print $1, $2 }' | sort -u | wc -l; }

step 'formatting' cargo fmt --all --check
step 'golden vectors' "$scripts/check-vectors.sh"
step 'set-up on bare systems: tried with these scripts' setup_was_tried
# The end-to-end tests start these binaries, which `cargo test` alone would not build. Before the lints, because the Wasm
# runtime is built by whichever comes first, and clippy's environment would leak into that build. `--examples`: see the
# Makefile.
step 'build' cargo build "${flags[@]}" --bins --examples
step 'lints' cargo clippy "${flags[@]}" --all-targets -- -D warnings
step "the machine's programs" "$scripts/build-guests.sh" --check
step "chain builders' features" "$scripts/features.sh" combined
step 'documentation' documentation
step 'test programs' test_programs
status=0
# Not through `step`: a failure is told after the sums.
log_step "tests ($((SECONDS / 60)) min $((SECONDS % 60)) s in)"
started=$SECONDS
tests || status=1
times+=("$(printf '%5d s  %s' $((SECONDS - started)) 'tests')")

log_step "all of it took $((SECONDS / 60)) min $((SECONDS % 60)) s, for $(crates) crates"
printf '%s\n' "${times[@]}" >&2
log_step 'the ten slowest tests'
slowest_tests >&2
awk '/^test result:/ { passed += $4; failed += $6 }
    END { printf "%d passed, %d failed\n", passed, failed; exit passed == 0 || failed > 0 }' "$log" || status=1
exit "$status"
