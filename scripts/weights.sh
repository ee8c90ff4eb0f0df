#!/usr/bin/env bash
# Measures on this machine what the calls weigh, and writes the weights of every pallet of ours, and of the
# balances, which they are compared with. Called by `make weights`; the first time takes an hour, most of it to build.
#
# STEPS and REPEAT (50, 20) say how many values of each parameter are measured, and how often. Arguments are
# pallets to be measured instead of all: 'make weights ARGS="pallet_agora_tasks"'.
set -euo pipefail

scripts="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
. "$scripts/lib/log.sh"
cd "$scripts/.."

: "${CARGO_TARGET_DIR:?is set by the Makefile: run this through 'make weights'}"
: "${FEATURES:?is set by the Makefile: run this through 'make weights'}"

pallets=("$@")
if [[ $# -eq 0 ]]; then
    pallets=(pallet_balances)
    for folder in pallets/*/src/benchmarking.rs; do
        pallets+=("pallet_agora_$(cut -d/ -f2 <<<"$folder")")
    done
fi

# In a folder of its own: the benchmarking command changes features of half the SDK. It also brings a runtime of its
# own, whose Wasm nobody needs.
export CARGO_TARGET_DIR="$CARGO_TARGET_DIR/weights" SKIP_WASM_BUILD=1
log_step 'the runtime with benchmarks'
runtime="$("$scripts/build-wasm-runtime.sh" --features runtime-benchmarks)"
log_step 'the node that runs them (as long as a first build)'
cargo build --workspace --locked --features "$FEATURES,agora-node/benchmark" --bin agora-node

for pallet in "${pallets[@]}"; do
    log_step "$pallet"
    output=(--output "pallets/${pallet#pallet_agora_}/src/weights.rs" --template "$scripts/lib/pallet-weights.hbs")
    [[ $pallet == pallet_agora_* ]] || output=(--output "runtime/src/weights/${pallet#pallet_}.rs" --template "$scripts/lib/runtime-weights.hbs")
    "$CARGO_TARGET_DIR/debug/agora-node" benchmark pallet \
        --runtime "$runtime" --genesis-builder-preset development \
        --pallet "$pallet" --extrinsic '*' --steps "${STEPS:-50}" --repeat "${REPEAT:-20}" \
        --wasm-execution compiled --heap-pages 4096 "${output[@]}"
done
