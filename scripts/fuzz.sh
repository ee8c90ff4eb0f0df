#!/usr/bin/env bash
# Builds the fuzz targets in fuzz/ and runs each for FUZZ_SECONDS (60) seconds.
#
# Uses libFuzzer on the ordinary toolchain: these are the coverage flags that cargo-fuzz
# passes, without the address sanitizer, which only the nightly toolchain has. The code under
# test is safe Rust, where a panic or an overflow is the failure to look for.
set -euo pipefail

scripts="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
. "$scripts/lib/log.sh"
cd "$scripts/../fuzz"
compgen -G 'fuzz_targets/*.rs' >/dev/null || { log_error 'there are no targets in fuzz/fuzz_targets'; exit 1; }

seconds="${FUZZ_SECONDS:-60}"
host="$(rustc -vV | sed -n 's/^host: //p')"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/agora/target}/fuzz"
export RUSTFLAGS='--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
 -Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions -Coverflow-checks -Ccodegen-units=1'
RUSTFLAGS="${RUSTFLAGS//$'\n'/}"

# With --target, so that the flags do not reach build scripts and macros.
cargo build --locked --release --bins --target "$host"

for source in fuzz_targets/*.rs; do
    name="$(basename "$source" .rs)"
    mkdir -p "corpus/$name" "artifacts/$name"
    log_step "fuzzing $name for $seconds s"
    "$CARGO_TARGET_DIR/$host/release/$name" -max_total_time="$seconds" -timeout=10 -print_final_stats=1 \
        -artifact_prefix="artifacts/$name/" "corpus/$name"
done
