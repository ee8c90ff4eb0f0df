# shellcheck shell=bash
# Messages shared by the set-up scripts. Sourced, never run.
# Everything goes to standard error, so that a script's output stays usable in a pipe.

log_step() { printf '==> %s\n' "$*" >&2; }
log_info() { printf '    %s\n' "$*" >&2; }
log_note() { printf 'note: %s\n' "$*" >&2; }
log_error() { printf 'error: %s\n' "$*" >&2; }
