# shellcheck shell=bash
# What the set-up does, as one hash. Sourced, never run.

# The hash that scripts/test-setup.sh wrote when the set-up last passed on bare systems.
setup_hash_file() { printf '%s' "$scripts/setup.hash"; }

# Prints the hash of the set-up scripts, of their test, and of the compiler that is asked for.
setup_hash() {
    (cd "$scripts" && cat setup.sh setup-packages.sh setup-wasm-target.sh fetch-minilm.sh test-setup.sh lib/apt.sh lib/log.sh \
        ../rust-toolchain.toml) \
        | sha256sum | cut -d' ' -f1
}
