#!/usr/bin/env bash
# Compiles the runtime to Wasm with the flags that substrate-wasm-builder uses, and prints where it is.
# Further arguments go to cargo: 'scripts/build-wasm-runtime.sh --features runtime-benchmarks'.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

: "${CARGO_TARGET_DIR:?is where it is built}"
target=wasm32v1-none

RUSTFLAGS='-C link-arg=--export-table -C link-arg=--export=__heap_base -C link-arg=--import-memory --cfg substrate_runtime' \
CARGO_PROFILE_RELEASE_LTO=thin CARGO_PROFILE_RELEASE_PANIC=abort \
    cargo rustc -p agora-runtime --lib --crate-type cdylib --locked --no-default-features \
    --target "$target" --release "$@" >&2
printf '%s\n' "$CARGO_TARGET_DIR/$target/release/agora_runtime.wasm"
