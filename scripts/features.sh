#!/usr/bin/env bash
# Compiles the sets of features that chain builders use, and that no other check compiles.
#
#   features.sh combined   the runtime and all pallets as the chain gets them, without std, with runtime-benchmarks and
#                          try-runtime at once, with lints. A part of `make test`
#   features.sh each       each set by itself, with std and all targets; each pallet without std; each crate alone;
#                          the reference on bare RISC-V; metadata-hash in the Wasm; the benchmarks' own tests. A part of `make test-long`
set -euo pipefail

scripts="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
. "$scripts/lib/log.sh"
cd "$scripts/.."

: "${CARGO_TARGET_DIR:?is set by the Makefile: run this through make}"

# Cargo keeps the runtime with other features apart, so this makes no other step build it again.
export SKIP_WASM_BUILD=1

target=wasm32v1-none
# As the builder of the Wasm runtime does: without it the SDK takes what only a machine with an operating system has. Cargo
# would ignore it beside RUSTFLAGS.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS
export CARGO_TARGET_WASM32V1_NONE_RUSTFLAGS='--cfg substrate_runtime'

sets=(agora-runtime/{runtime-benchmarks,try-runtime,metadata-hash} agora-runtime/runtime-benchmarks,agora-runtime/try-runtime)
pallets=()
for manifest in pallets/*/Cargo.toml; do
    name="$(awk -F '"' '/^name = / { print $2; exit }' "$manifest")"
    [[ $name != pallet-agora-* ]] || pallets+=("$name")
done
on_chain=(agora-math agora-jobs agora-reference agora-primitives "${pallets[@]}")

# Checks and lints the runtime and all pallets with the runtime's features $1.
check_with() {
    local package packages=(-p agora-runtime)
    for package in "${on_chain[@]}"; do
        packages+=(-p "$package")
    done
    cargo clippy --locked "${packages[@]}" --features "$1" --all-targets -- -D warnings
}

# For the chain's own target, because natively the builder of the Wasm runtime, with Binaryen, would be compiled once more:
# cargo gives the build scripts of so few packages other features than those of the workspace.
combined() {
    cargo clippy --locked -p agora-runtime --no-default-features --features runtime-benchmarks,try-runtime \
        --target "$target" -- -D warnings
    cargo clippy --locked -p agora-reference -p agora-machine --no-default-features --target "$target" -- -D warnings
}

# What a bare virtual machine would run: no operating system, no standard library. Only where rustup has the target.
bare_machine() {
    local machine=riscv64imac-unknown-none-elf
    if ! command -v rustup >/dev/null || ! rustup target add "$machine"; then
        log_note "agora-reference is not tried on $machine: rustup cannot add it here"
        return
    fi
    cargo build --locked -p agora-reference --no-default-features --target "$machine"
}

each() {
    local set package
    for set in "${sets[@]}"; do
        log_step "the runtime and its pallets with $set"
        check_with "$set"
    done
    for package in "${on_chain[@]}"; do
        log_step "$package without std"
        cargo check --locked -p "$package" --no-default-features --target "$target"
    done
    log_step 'agora-reference on a bare RISC-V machine'
    bare_machine
    cargo metadata --locked --no-deps --format-version 1 | grep -oE '"name":"[a-z-]*agora[a-z0-9-]*","version"' | cut -d'"' -f4 | sort -u \
        | while read -r package; do
            log_step "$package alone"
            cargo check --locked -p "$package" --all-targets
        done
    log_step 'the runtime with the hash of its metadata inside, as Wasm'
    env -u SKIP_WASM_BUILD cargo build --locked -p agora-runtime --features metadata-hash
    log_step "the benchmarks' own tests"
    # Without the runtime, which has none: the builder of its Wasm would be compiled once more.
    local packages=() features=()
    for package in "${pallets[@]}"; do
        packages+=(-p "$package")
        features+=("$package/runtime-benchmarks")
    done
    cargo test --locked --lib "${packages[@]}" --features "$(IFS=,; printf '%s' "${features[*]}")" benchmark
}

case "${1:-}" in
    combined) combined ;;
    each) each ;;
    *)
        log_error "usage: ${0##*/} combined | each"
        exit 2
        ;;
esac
