#!/usr/bin/env bash
# Fuzzes what anybody can send, one target of fuzz/ after the other; the first failure ends it. Called by `make fuzz`.
#
# SECONDS_EACH (60) says for how long each target is tried, and SEED, from which random number on (a new one each time).
# Arguments are targets to be tried instead of all: 'make fuzz ARGS="job_spec"'. What was found to be worth trying is kept
# in the build folder and tried again the next time.
set -euo pipefail

scripts="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
. "$scripts/lib/log.sh"
cd "$scripts/../fuzz"

: "${CARGO_TARGET_DIR:?is set by the Makefile: run this through 'make fuzz'}"
seconds="${SECONDS_EACH:-60}"

# Tells the fuzzer which code an input reaches and what it is compared with. On a stable compiler there is no address
# sanitizer to go with it; the only unsafe code of ours that the targets reach are the kernels of matrix products.
coverage=(
    -Cpasses=sancov-module
    -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
    -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares
    -Ccodegen-units=1
    --cfg fuzzing
)

targets=("$@")
if [[ $# -eq 0 ]]; then
    for file in fuzz_targets/*.rs; do
        targets+=("$(basename "$file" .rs)")
    done
fi

# With a target named, cargo leaves build scripts and macros without the flags.
host="$(rustc -vV | awk '$1 == "host:" { print $2 }')"
log_step 'the fuzz targets'
env -u CARGO_ENCODED_RUSTFLAGS RUSTFLAGS="${coverage[*]}" \
    cargo build --locked --release --target "$host" "${targets[@]/#/--bin=}"

# Prints the last value of a field of the fuzzer's log: 'cov: 310', or 'INFO: Seed: 42'.
last() { awk -v name="$1" '{ for (i = 1; i < NF; i++) if ($i == name) value = $(i + 1) } END { printf "%.0f", value }' "$2"; }

for target in "${targets[@]}"; do
    corpus="$CARGO_TARGET_DIR/fuzz-corpus/$target"
    failures="$CARGO_TARGET_DIR/fuzz-failures/$target"
    log="$CARGO_TARGET_DIR/fuzz-$target.log"
    binary="$CARGO_TARGET_DIR/$host/release/$target"
    mkdir -p "$corpus" "$failures"
    log_step "$target: $seconds s"
    status=0
    AGORA_FUZZ_SEEDS="$corpus" "$binary" -max_total_time="$seconds" -seed="${SEED:-0}" -timeout=10 -max_len=4096 \
        -print_final_stats=1 -artifact_prefix="$failures/" "$corpus" >"$log" 2>&1 || status=$?
    log_info "$(last stat::number_of_executed_units: "$log") executions," \
        "$(last cov: "$log") edges and $(last ft: "$log") features covered," \
        "$(last corp: "$log") inputs kept, seed $(last Seed: "$log")"
    if [[ $status -ne 0 ]]; then
        # What went wrong is said before the fuzzer's own account of it.
        grep -m 1 -A 3 'panicked at' "$log" >&2 || tail -n 20 "$log" >&2
        input="$(awk '/^artifact_prefix=/ { sub(/.*Test unit written to /, ""); print }' "$log" | tail -n 1)"
        log_error "$target: failed with status $status, see $log"
        if [[ -n $input ]]; then
            log_error "the input: $input"
            log_error "to see it again: $binary $input"
        fi
        exit 1
    fi
done
