# shellcheck shell=bash
# What the set-up does, as one hash. Sourced, never run.

# The hash that scripts/test-setup.sh wrote when the set-up last passed on bare systems.
setup_hash_file() { printf '%s' "$scripts/setup.hash"; }

# Prints the hash of all that the set-up of a bare system depends on, but the system.
setup_hash() {
    (cd "$scripts" && cat setup*.sh test-setup.sh fetch-minilm.sh lib/apt.sh lib/log.sh ../rust-toolchain.toml) \
        | sha256sum | cut -d' ' -f1
}
