#!/usr/bin/env bash
# Cargo's runner for test programs: has each test say how long it took, which a stable libtest does only when asked so.
# Programs with a harness of their own, and examples in the documentation, are run as they are.
case "$1" in
    */deps/end_to_end-*) exec "$@" ;;
    */deps/*) RUSTC_BOOTSTRAP=1 exec "$@" -Z unstable-options --report-time ;;
    *) exec "$@" ;;
esac
