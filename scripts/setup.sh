#!/usr/bin/env bash
# Makes this machine able to build and test Agora: system packages, then the Wasm target.
#
# Safe to run again: what is there is left alone, and nothing is downloaded for it.
# Root is used only to install system packages.
set -euo pipefail

scripts="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
. "$scripts/lib/log.sh"

# rustup's usual place, for shells that have not read its environment file.
if ! command -v cargo >/dev/null && [[ -x ${CARGO_HOME:-$HOME/.cargo}/bin/cargo ]]; then
    export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
fi

"$scripts/setup-packages.sh"
"$scripts/setup-wasm-target.sh"
