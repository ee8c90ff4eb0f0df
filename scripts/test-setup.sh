#!/usr/bin/env bash
# Tries scripts/setup.sh on bare systems: Debian 12 and 13 made with debootstrap, plus Rust.
#
# In each it checks that the set-up leaves a toolchain that builds the Wasm runtime, and that
# a second run changes nothing. The Wasm target comes through rustup where that works; in the
# last system afterwards also from source. There the model of the tests is fetched, too.
#
# Needs root and a Debian mirror. A success is noted in scripts/setup.hash, which `make test`
# compares with the scripts: commit it. Called by `make test-release`.
set -euo pipefail

scripts="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
. "$scripts/lib/log.sh"
. "$scripts/lib/apt.sh"
. "$scripts/lib/setup-hash.sh"

checkout="$(cd "$scripts/.." && pwd)"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/agora/test-setup"
target=wasm32v1-none
suites=(bookworm trixie)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

give_up() {
    log_error "set-up on bare systems: $*"
    exit 1
}

# --- Can it be done here? ---

[[ $(id -u) -eq 0 ]] || give_up 'making bare systems needs root'
command -v apt-get >/dev/null || give_up 'making bare Debian systems needs apt'

# In a mount namespace of its own every mount goes away with this script, however it ends.
if [[ -z ${AGORA_IN_NAMESPACE:-} ]]; then
    unshare --mount true 2>/dev/null || give_up 'mounting is not allowed here'
    AGORA_IN_NAMESPACE=1 exec unshare --mount --propagation private "${BASH_SOURCE[0]}"
fi

mkdir -p "$cache"
exec 9>"$cache/lock"
flock --nonblock 9 || give_up "another run of it is under way ($cache/lock)"

if ! command -v debootstrap >/dev/null || [[ ! -r $keyring ]]; then
    log_step 'installing debootstrap'
    apt-get -o DPkg::Lock::Timeout=300 -qq update || true
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq install -y --no-install-recommends \
        debootstrap debian-archive-keyring >/dev/null || give_up 'debootstrap cannot be installed'
fi

# Prints the machine's first mirror that carries Debian's suite $1.
mirror_of() {
    local mirror private found=''
    private="$(mktemp -d)"
    for mirror in $(apt_mirrors); do
        rm -rf "${private:?}"/*
        apt_private_init "$private"
        apt_private_add "$private" "$mirror" "$1"
        if apt_private_update "$private"; then
            found="$mirror"
            break
        fi
    done
    rm -rf "$private"
    [[ -n $found ]] && printf '%s' "$found"
}

declare -A mirrors
for suite in "${suites[@]}"; do
    mirrors[$suite]="$(mirror_of "$suite")" || give_up "no mirror of this machine carries Debian's $suite"
done

# --- What every bare system gets: Rust without the target, and the checkout. ---

# The name of the toolchain in rust-toolchain.toml.
checkouts_toolchain() {
    local channel host
    channel="$(awk -F '"' '/^channel/ { print $2 }' "$checkout/rust-toolchain.toml")"
    host="$(rustc -vV | awk '$1 == "host:" { print $2 }')"
    printf '%s-%s' "$channel" "$host"
}

# Copies the active toolchain to $cache/rust, without any trace of the target.
copy_toolchain() {
    local home="$cache/rust" sysroot
    sysroot="$(rustc --print sysroot)"
    rm -rf "$home"
    mkdir -p "$home/toolchains" "$home/bin"
    mkdir "$home/toolchains/bare"
    tar -C "$sysroot" --exclude=./share/doc -c . | tar -C "$home/toolchains/bare" -x
    if command -v rustup >/dev/null; then
        # Under its own name, which tells rustup where more of it comes from.
        mv "$home/toolchains/bare" "$home/toolchains/$(basename "$sysroot")"
        # And under the name that the checkout asks for.
        [[ $(basename "$sysroot") == "$(checkouts_toolchain)" ]] \
            || ln -s "$(basename "$sysroot")" "$home/toolchains/$(checkouts_toolchain)"
        cp "$(command -v rustup)" "$home/bin/rustup"
        local proxy
        for proxy in cargo rustc rustdoc; do
            ln -s rustup "$home/bin/$proxy"
        done
        RUSTUP_HOME="$home" rustup --quiet default "$(basename "$sysroot")" 2>/dev/null
        # Through rustup first, so that it does not go on believing them installed.
        RUSTUP_HOME="$home" rustup --quiet target remove "$target" 2>/dev/null || true
        RUSTUP_HOME="$home" rustup --quiet component remove rust-src 2>/dev/null || true
    else
        ln -s /opt/rustup/toolchains/bare/bin/{cargo,rustc,rustdoc} "$home/bin/"
    fi
    rm -rf "$home"/toolchains/*/lib/rustlib/{src,"$target"}
}

copy_checkout() {
    mkdir -p "$1"
    if git -C "$checkout" rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        # Files deleted but still in the index are listed too.
        git -C "$checkout" ls-files -z --cached --others --exclude-standard \
            | (cd "$checkout" && xargs -0 sh -c 'for f; do [ -e "$f" ] && printf "%s\0" "$f"; done; :' sh) \
            | tar -C "$checkout" --null --files-from=- -c | tar -C "$1" -x
    else
        tar -C "$checkout" -c . | tar -C "$1" -x
    fi
}

make_root() {
    local suite="$1" root="$2" mirror="${mirrors[$1]}"
    log_step "$suite: making a bare system"
    rm -rf --one-file-system "$root"
    # A mirror over https cannot be read without certificates, nor can they be fetched then.
    local options=(--variant=minbase --keyring="$keyring")
    [[ $mirror != https:* ]] || options+=(--include=ca-certificates)
    debootstrap "${options[@]}" "$suite" "$root" "$mirror" >"$cache/debootstrap-$suite.log" 2>&1 || {
        tail -n 5 "$cache/debootstrap-$suite.log" >&2
        log_error "debootstrap failed: $cache/debootstrap-$suite.log"
        exit 1
    }
    if [[ $suite != bookworm ]]; then
        # The set-up reads both formats of sources: give one to each system.
        rm -f "$root/etc/apt/sources.list"
        printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' "$mirror" "$suite" "$keyring" \
            >"$root/etc/apt/sources.list.d/debian.sources"
    fi
    # How this machine reaches the network: names, proxies, mirrors' settings.
    cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
    local conf
    for conf in /etc/apt/apt.conf.d/*; do
        if grep -qE '^ *Acquire::' "$conf" && ! grep -q 'DEP-11\|Languages\|GzipIndexes' "$conf"; then
            cp "$conf" "$root/etc/apt/apt.conf.d/"
        fi
    done
    # Certificate authorities that this machine's administrator added, for networks that need them.
    mkdir -p "$root/usr/local/share/ca-certificates"
    cp -L /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/" 2>/dev/null || true
    # Where this machine's pip finds packages, if it is told.
    for conf in /etc/pip.conf "${XDG_CONFIG_HOME:-$HOME/.config}/pip/pip.conf"; do
        [[ ! -e $conf ]] || cp -L "$conf" "$root/etc/pip.conf"
    done
    mount -t proc proc "$root/proc"
    mount --bind /dev/pts "$root/dev/pts"
    mkdir -p "$root/opt/rustup" "$root/root/.cargo/registry" "$root/target" "$cache/target"
    cp -a "$cache/rust/." "$root/opt/rustup/"
    copy_checkout "$root/agora"
    # Downloaded crates and compiled dependencies are shared; the systems differ in all else.
    mkdir -p "${CARGO_HOME:-$HOME/.cargo}/registry"
    mount --bind "${CARGO_HOME:-$HOME/.cargo}/registry" "$root/root/.cargo/registry"
    mount --bind "$cache/target" "$root/target"
    if [[ -e ${CARGO_HOME:-$HOME/.cargo}/config.toml ]]; then
        cp -L "${CARGO_HOME:-$HOME/.cargo}/config.toml" "$root/root/.cargo/"
    fi
}

# Runs a command line in the bare system $1.
inside() {
    local root="$1" name passed=()
    shift
    # How this machine reaches its mirrors.
    for name in {http,https,no}_proxy {HTTP,HTTPS,NO}_PROXY RUSTUP_DIST_SERVER RUSTUP_UPDATE_ROOT "${!PIP_@}"; do
        [[ -z ${!name:-} ]] || passed+=("$name=${!name}")
    done
    chroot "$root" /usr/bin/env -i "${passed[@]}" \
        HOME=/root PATH=/opt/rustup/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        RUSTUP_HOME=/opt/rustup CARGO_TARGET_DIR=/target LANG=C.UTF-8 \
        /bin/bash -euo pipefail -c "cd /agora; $*" </dev/null
}

# Prints all that a second run of the set-up must leave as it was.
fingerprint() {
    inside "$1" 'dpkg -l; find "$(rustc --print sysroot)" /etc/apt /var/lib/apt /var/lib/dpkg /usr/share/vulkan \
        -printf "%p %s %T@\n" | sort'
}

# --- The checks. ---

fail() {
    log_error "$*"
    log_error "the system is left for a look: $cache/root-<suite>"
    exit 1
}

# Compiles what the target is for: the runtime.
build_runtime() {
    inside "$1" scripts/build-wasm-runtime.sh >/dev/null
    # An empty crate would build too.
    [[ $(stat -c %s "$cache/target/$target/release/agora_runtime.wasm") -gt 100000 ]]
}

# Compiles a few lines with link-time optimisation, for a target installed from source:
# its libraries are not those that the shared dependencies were compiled with.
build_probe() {
    inside "$1" 'mkdir -p /tmp/probe/src && cd /tmp/probe
        printf "[package]\nname = \"probe\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[lib]\ncrate-type = [\"cdylib\"]\n[profile.release]\nlto = \"fat\"\npanic = \"abort\"\n" >Cargo.toml
        printf "#![no_std]\nextern crate alloc;\n#[global_allocator]\nstatic A: Bump = Bump;\nstruct Bump;\nunsafe impl alloc::alloc::GlobalAlloc for Bump {\n unsafe fn alloc(&self, _: alloc::alloc::Layout) -> *mut u8 { core::ptr::null_mut() }\n unsafe fn dealloc(&self, _: *mut u8, _: alloc::alloc::Layout) {}\n}\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! { loop {} }\n#[no_mangle]\npub extern \"C\" fn f(n: usize) -> usize { alloc::vec![1u8; n].len() }\n" >src/lib.rs
        CARGO_TARGET_DIR=/tmp/probe/target cargo build --release --target '"$target"'
        test -s target/'"$target"'/release/probe.wasm'
}

check_second_run() {
    local suite="$1" root="$2" started
    fingerprint "$root" >"$cache/before-$suite"
    started=$SECONDS
    inside "$root" scripts/setup.sh || fail "$suite: the second run of the set-up failed"
    fingerprint "$root" >"$cache/after-$suite"
    diff "$cache/before-$suite" "$cache/after-$suite" >&2 || fail "$suite: the second run of the set-up changed the above"
    [[ $((SECONDS - started)) -le 10 ]] || fail "$suite: the second run of the set-up took $((SECONDS - started)) s"
}

check_from_source() {
    local suite="$1" root="$2" log="$cache/from-source.log"
    log_step "$suite: the Wasm target once more, from source"
    inside "$root" "rm -rf \"\$(rustc --print sysroot)/lib/rustlib/$target\""
    if inside "$root" 'AGORA_WASM_FROM_SOURCE=1 scripts/setup.sh' 2>&1 | tee "$log"; then
        build_probe "$root" || fail "$suite: the target from source does not compile"
    elif grep -q 'no suite of the machine' "$log"; then
        log_note "not tried: no suite has the sources of $(rustc --version)"
    else
        fail "$suite: the set-up from source failed"
    fi
}

# Fetches the model; once it is there, nothing is downloaded.
check_model() {
    local suite="$1" root="$2"
    log_step "$suite: the model of the tests"
    inside "$root" scripts/fetch-minilm.sh /tmp/minilm || fail "$suite: the model cannot be fetched"
    inside "$root" "mv /usr/bin/python3 /tmp/; scripts/fetch-minilm.sh /tmp/minilm" \
        || fail "$suite: the model that is there is not left alone"
}

copy_toolchain
rm -rf "$cache/target"
for suite in "${suites[@]}"; do
    root="$cache/root-$suite"
    make_root "$suite" "$root"
    log_step "$suite: the set-up"
    inside "$root" scripts/setup.sh || fail "$suite: the set-up failed"
    inside "$root" 'protoc --version && make --version >/dev/null' || fail "$suite: protoc or make is missing"
    log_step "$suite: the Wasm runtime"
    # The second system compiles and links the runtime itself again; its dependencies would show nothing new.
    inside "$root" 'cargo clean --quiet --locked --release --target '"$target"' -p agora-runtime'
    build_runtime "$root" || fail "$suite: the Wasm runtime does not build"
    log_step "$suite: the set-up again"
    check_second_run "$suite" "$root"
done
check_from_source "$suite" "$root"
check_model "$suite" "$root"

# Some gigabytes that a green run does not need again.
for suite in "${suites[@]}"; do
    umount "$cache/root-$suite"/{target,root/.cargo/registry,dev/pts,proc}
    rm -rf --one-file-system "$cache/root-$suite"
done
rm -rf "$cache/rust" "$cache/target"
setup_hash >"$(setup_hash_file)"
printf 'set-up on bare systems: passed on Debian %s, %d s\n' "${suites[*]}" "$SECONDS"
