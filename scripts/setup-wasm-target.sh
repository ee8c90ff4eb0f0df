#!/usr/bin/env bash
# Gives the active Rust toolchain the target that the runtime is compiled for.
#
# First through rustup. Where rustup cannot (no rustup, or its server out of reach), the
# target's libraries are compiled from the distribution's package of the standard library's
# sources, of exactly the compiler's version. AGORA_WASM_FROM_SOURCE=1 goes straight there.
set -euo pipefail

scripts="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
. "$scripts/lib/log.sh"
. "$scripts/lib/apt.sh"

target=wasm32v1-none
rustup_timeout_s=120

# The toolchain that the repository is built with is the one active in its folder.
cd "$scripts/.."

if ! command -v rustc >/dev/null || ! command -v cargo >/dev/null; then
    log_error 'Rust is missing: install rustup and its stable toolchain (https://rustup.rs), then run this again'
    exit 1
fi

version="$(rustc --version | awk '{ print $2 }')"
wanted="$(awk -F '"' '/^rust-version *=/ { print $2; exit }' Cargo.toml)"
if [[ -n $wanted ]] && ! printf '%s\n%s\n' "$wanted" "$version" | sort --version-sort --check=quiet; then
    log_error "Rust $wanted or newer is needed, this is $version: run 'rustup update stable'"
    exit 1
fi

sysroot="$(rustc --print sysroot)"
rustlib="$sysroot/lib/rustlib"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# Compiling, rather than looking for files, also finds libraries left by another compiler version.
target_works() {
    printf '#![no_std]\nextern crate alloc;\npub fn f() -> alloc::vec::Vec<u8> { alloc::vec![1] }\n' \
        | rustc --target "$target" --crate-type lib --crate-name probe --emit metadata --out-dir "$work" - \
            >"$work/probe.log" 2>&1
}

if target_works; then
    log_info "Wasm target: $target is there (Rust $version)"
    exit 0
fi
log_step "installing the Wasm target $target for Rust $version"

if [[ ! -w $rustlib ]]; then
    log_error "the toolchain's folder cannot be written: $rustlib"
    log_error 'run this as its owner, or use a toolchain of your own (https://rustup.rs)'
    exit 1
fi

install_with_rustup() {
    local attempt
    if ! command -v rustup >/dev/null; then
        log_note 'there is no rustup here to add the target'
        return 1
    fi
    for attempt in first second; do
        if ! timeout "$rustup_timeout_s" rustup target add "$target"; then
            log_note "'rustup target add $target' failed or took more than $rustup_timeout_s s"
            return 1
        fi
        if target_works; then
            return
        fi
        # rustup believes in files that somebody removed: make it forget them.
        [[ $attempt == second ]] || rustup target remove "$target" || return 1
    done
    log_note "rustup added $target, and yet it does not compile:"
    cat "$work/probe.log" >&2
    return 1
}

# Prints the names that the package of the sources has: Debian's, then Ubuntu's.
source_packages() {
    printf 'rust-src\nrust-%s-src\n' "${version%.*}"
}

# Prints the suites to search, likeliest first: backports lists are small and keep several versions.
source_suites() {
    local codename id
    codename="$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")"
    id="$(. /etc/os-release && printf '%s' "${ID:-}")"
    {
        if [[ $id == ubuntu ]]; then
            printf '%s\n' "$codename-updates" "$codename" "$codename-backports" devel
        else
            printf '%s\n' "$codename-backports" trixie-backports forky-backports stable-backports \
                "$codename" trixie forky testing sid
        fi
    } | awk 'NF && $0 !~ /^-/ && !seen[$0]++'
}

# Unpacks the standard library alone: it is one file in five of the package.
unpack_library() {
    mkdir -p "$work/unpacked"
    dpkg-deb --fsys-tarfile "$1" | tar -x -C "$work/unpacked" --wildcards './usr/src/*/library/*'
}

# Fetches and unpacks the sources of exactly $version; fills `sources` with their folder.
fetch_sources() {
    local mirror suite package found private mirrors
    if ! command -v apt-get >/dev/null; then
        log_note 'there is no apt here to fetch the sources with'
        return 1
    fi
    mirrors="$(apt_mirrors)"
    if [[ -z $mirrors ]]; then
        log_note "apt's sources name no mirror"
        return 1
    fi
    for mirror in $mirrors; do
        for suite in $(source_suites); do
            log_info "looking for the sources of Rust $version in $suite"
            private="$work/apt-$suite"
            rm -rf "$private"
            apt_private_init "$private"
            apt_private_add "$private" "$mirror" "$suite"
            if ! apt_private_update "$private"; then
                log_info "  $(grep -m 1 '^E:' "$private/update.log" || printf 'its list could not be read')"
                continue
            fi
            for package in $(source_packages); do
                found="$(apt-cache -c "$private/apt.conf" madison "$package" 2>/dev/null \
                    | awk -F ' *[|] *' -v version="$version" \
                        'index($2, version "+") == 1 || index($2, version "-") == 1 { print $2; exit }')"
                [[ -n $found ]] || continue
                log_info "downloading $package $found from $suite"
                if (cd "$private/archives" && apt-get -c "$private/apt.conf" download "$package=$found" >&2) \
                    && unpack_library "$private"/archives/*.deb; then
                    sources="$(find "$work/unpacked/usr/src" -maxdepth 2 -name library -type d -printf '%h' -quit)"
                    [[ -n $sources ]] && return
                fi
                log_note "$package $found could not be downloaded or unpacked"
            done
        done
    done
    log_note "no suite of the machine's mirrors has the sources of exactly Rust $version"
    return 1
}

# Compiles core and alloc for the target from $sources and installs them beside the host's libraries.
build_from_sources() {
    local crate="$work/std" linked=no status=0
    mkdir -p "$crate/src"
    printf '[package]\nname = "std-for-wasm"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n' >"$crate/Cargo.toml"
    printf '#![no_std]\nextern crate alloc;\n' >"$crate/src/lib.rs"
    # cargo looks for the sources only here. The link goes away again, so that rustup's own
    # component of the same place can be added later.
    if [[ ! -e $rustlib/src/rust ]]; then
        mkdir -p "$rustlib/src"
        ln -sfn "$sources" "$rustlib/src/rust"
        linked=yes
    fi
    log_info 'compiling core and alloc (about 20 s)'
    # Bitcode, or the runtime's link-time optimisation finds no ".llvmbc" section.
    (
        cd "$crate"
        unset CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET
        # The crate lies outside the repository, where rustup may choose another toolchain.
        if command -v rustup >/dev/null; then
            export RUSTUP_TOOLCHAIN="$sysroot"
        fi
        CARGO_TARGET_DIR="$crate/target" RUSTFLAGS='-C embed-bitcode=yes' RUSTC_BOOTSTRAP=1 \
            cargo build --release --target "$target" -Z build-std=core,alloc
    ) || status=$?
    if [[ $linked == yes ]]; then
        rm -f "$rustlib/src/rust"
        rmdir --ignore-fail-on-non-empty "$rustlib/src"
    fi
    if [[ $status -ne 0 ]]; then
        log_note 'the sources did not compile'
        return 1
    fi
    # Moved into place in one step, so that an interrupted copy never looks like a target.
    local staged="$rustlib/.$target.new"
    rm -rf "$staged"
    mkdir -p "$staged/lib"
    cp "$crate/target/$target/release/deps"/lib{core,alloc,compiler_builtins}-*.rlib "$staged/lib/"
    rm -rf "${rustlib:?}/$target"
    mv "$staged" "$rustlib/$target"
    if ! target_works; then
        log_note 'the compiled libraries do not work:'
        cat "$work/probe.log" >&2
        return 1
    fi
}

install_from_source() {
    sources=''
    if [[ -d $rustlib/src/rust/library/core ]]; then
        log_info "compiling it from the toolchain's own sources"
        sources="$rustlib/src/rust"
    else
        fetch_sources || return 1
    fi
    build_from_sources
}

if { [[ -z ${AGORA_WASM_FROM_SOURCE:-} ]] && install_with_rustup; } || install_from_source; then
    log_info "Wasm target: installed in $rustlib/$target"
    exit 0
fi

log_error "the Wasm target could not be installed. Either of these would do:"
log_error "  'rustup target add $target' on a machine where rustup reaches its server"
log_error "  the sources of Rust $version in $rustlib/src/rust ('rustup component add rust-src'), then this again"
exit 1
