#!/usr/bin/env bash
# Builds the programs of the machine (guests/) from nothing but sources, and puts their images into guests/images.
# With --check it compares instead: anybody gets the same bytes, in any folder. `make guests` calls it.
#
# The standard library is compiled too, from the sources of the compiler's own version.
set -euo pipefail

scripts="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
. "$scripts/lib/log.sh"
repository="$(cd "$scripts/.." && pwd)"
cd "$repository"

: "${CARGO_TARGET_DIR:?is set by the Makefile: run this through 'make guests'}"
check=no
[[ ${1:-} == --check ]] && check=yes

target=riscv64imac-unknown-none-elf
# The program that decides disputes, and the examples for publishers. That in C (guests/c) needs a compiler of its own.
guests=(reference life lint pi statistics words)
sysroot="$(rustc --print sysroot)"
sources="$sysroot/lib/rustlib/src/rust"
if [[ ! -d $sources/library/core ]] && ! { command -v rustup >/dev/null && rustup component add rust-src; }; then
    if [[ $check == yes ]]; then
        log_note "the images of guests/ are not compared: rustup cannot add the component rust-src here"
        exit 0
    fi
    log_error "the sources of the standard library are missing: 'rustup component add rust-src', then this again"
    exit 1
fi

# Names of functions, and so their order, depend on where crates lie in their workspace. So this one has all of them below its root,
# wherever the repository is.
work="$CARGO_TARGET_DIR/guests"
rm -rf "$work/workspace"
mkdir -p "$work/workspace/guests" "$work/workspace/pallets"
for crate in pallets/{jobs,machine,math,reference} guests/agora-guest guests/reference guests/examples/*; do
    ln -s "$repository/$crate" "$work/workspace/${crate/examples\//}"
done
awk '/^members = \[/ { print "members = [\"pallets/*\", \"guests/*\"]"; skipping = 1 }
    skipping { if (/^\]/) skipping = 0; next }
    /^exclude/ { next }
    { print }' Cargo.toml >"$work/workspace/Cargo.toml"
cp Cargo.lock "$work/workspace/"
mkdir -p "$work/target"
cmp -s guests/agora-guest/link.ld "$work/target/agora-link.ld" || cp guests/agora-guest/link.ld "$work/target/agora-link.ld"

(
    cd "$work/workspace"
    unset CARGO_ENCODED_RUSTFLAGS
    export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$work/target" RUSTUP_TOOLCHAIN="$sysroot"
    export CARGO_PROFILE_RELEASE_{LTO=fat,CODEGEN_UNITS=1,PANIC=abort,OPT_LEVEL=3}
    # No path of this machine gets into an image; those of the workspace's own crates begin in it. As `agora program build` says it, so that both
    # can use one standard library.
    RUSTFLAGS="-Clink-arg=-T$work/target/agora-link.ld -Crelocation-model=static"
    RUSTFLAGS+=" --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix=$sources=/rust"
    export RUSTFLAGS
    cargo build --release --target "$target" -Z build-std=core,alloc "${guests[@]/#/--package=guest-}"
) >&2

objcopy="$(echo "$sysroot"/lib/rustlib/*/bin/rust-objcopy)"
status=0
mkdir -p guests/images
for guest in "${guests[@]}"; do
    LD_LIBRARY_PATH="$sysroot/lib" "$objcopy" -O binary "$work/target/$target/release/guest-$guest" "$work/$guest.bin"
    if [[ $check == no ]]; then
        cp "$work/$guest.bin" "guests/images/$guest.bin"
    elif ! cmp -s "$work/$guest.bin" "guests/images/$guest.bin"; then
        log_error "guests/images/$guest.bin is not what its sources give: run 'make guests', and commit it"
        status=1
    fi
done

# A publisher's way, with the standard library that is there now: a new program, its image, a run of it.
if [[ $check == yes && -x $CARGO_TARGET_DIR/debug/agora ]]; then
    agora="$CARGO_TARGET_DIR/debug/agora"
    new="$work/new-program"
    rm -rf "$new"
    "$agora" program new "$new" >&2
    CARGO_TARGET_DIR="$work/target" "$agora" program build "$new" >&2
    # Also with the name of a folder elsewhere: the image is the same.
    mkdir -p "$work/elsewhere" && rm -rf "$work/elsewhere/new-program" && cp -r "$new" "$work/elsewhere/"
    CARGO_TARGET_DIR="$work/target" "$agora" program build "$work/elsewhere/new-program" --file "$work/elsewhere.bin" >&2
    if ! cmp -s "$new/new-program.bin" "$work/elsewhere.bin"; then
        log_error "a program built in another folder has another image"
        status=1
    fi
    counted="$("$agora" program run "$new/new-program.bin" --input README.md | sed -n 's/^\([0-9]*\) words$/\1/p')"
    if [[ $counted != $(wc -w <README.md) ]]; then
        log_error "a new program counts $counted words in README.md, not $(wc -w <README.md)"
        status=1
    fi
fi
exit "$status"
