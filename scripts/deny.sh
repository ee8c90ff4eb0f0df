#!/usr/bin/env bash
# Checks the dependencies' licences, bans and sources; needs no network once crates are fetched.
#
# Advisories need a fresh copy of the advisory database, which is a git repository on the
# network: `make deny ARGS=advisories` checks them where that can be fetched.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

if ! command -v cargo-deny >/dev/null; then
    echo "error: cargo-deny is missing: run 'cargo install cargo-deny --locked' (some minutes), then this again" >&2
    exit 1
fi
# Some crates write their licence in an outdated form ("Apache-2.0/GPL-3.0"), which is understood nevertheless and not worth
# a page of warnings. A licence that is not understood remains an error.
# shellcheck disable=SC2086 # several checks may be named
exec cargo deny --locked check --allow parse-error ${ARGS:-licenses bans sources}
