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
guests=(reference)
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
for crate in pallets/{jobs,machine,math,reference} guests/agora-guest "${guests[@]/#/guests/}"; do
    ln -s "$repository/$crate" "$work/workspace/$crate"
done
awk '/^members = \[/ { print "members = [\"pallets/*\", \"guests/*\"]"; skipping = 1 }
    skipping { if (/^\]/) skipping = 0; next }
    /^exclude/ { next }
    { print }' Cargo.toml >"$work/workspace/Cargo.toml"
cp Cargo.lock "$work/workspace/"

(
    cd "$work/workspace"
    unset CARGO_ENCODED_RUSTFLAGS
    export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$work/target" RUSTUP_TOOLCHAIN="$sysroot"
    export CARGO_PROFILE_RELEASE_{LTO=fat,CODEGEN_UNITS=1,PANIC=abort,OPT_LEVEL=3}
    # No path of this machine gets into an image.
    RUSTFLAGS="-C link-arg=-T$repository/guests/agora-guest/link.ld -C relocation-model=static"
    RUSTFLAGS+=" --remap-path-prefix=$work/workspace=/agora --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix=$sources=/rust"
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
exit "$status"
