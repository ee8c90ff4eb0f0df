#!/usr/bin/env bash
# Has the second implementations under tests/vectors write their golden vectors again, and compares. Called by `make test`.
#
# They need nothing but python3 and its standard library; where there is none, nothing is compared.
set -euo pipefail

scripts="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
. "$scripts/lib/log.sh"
cd "$scripts/../tests/vectors"

if ! command -v python3 >/dev/null; then
    log_note 'there is no python3: the golden vectors are not compared with what their programs write'
    exit 0
fi

status=0
for program in *.py; do
    # -B: no compiled files in the checkout.
    if ! output="$(python3 -B "$program" --check 2>&1)"; then
        log_error "$program: $output"
        status=1
    fi
done
exit "$status"
