#!/usr/bin/env bash
# Installs the system packages that the build and the tests need, where something is missing.
#
# What is needed is looked for by what it provides, not by package name, so that tools
# installed in another way are accepted and other systems can be prepared by hand.
set -euo pipefail

scripts="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
. "$scripts/lib/log.sh"
. "$scripts/lib/apt.sh"

has() { command -v "$1" >/dev/null 2>&1; }

has_libc_headers() { printf '#include <stdlib.h>\n' | cc -E -x c - >/dev/null 2>&1; }

# OpenSSL comes as source with the crates, and is configured by a Perl script with these modules.
has_perl() { perl -MFindBin -MIPC::Cmd -MTime::Piece -e 1 >/dev/null 2>&1; }

# The model of the tests comes as a Python package; see fetch-minilm.sh.
has_pip() { python3 -m pip --version >/dev/null 2>&1; }

has_certificates() {
    [[ -r ${SSL_CERT_FILE:-} || -e /etc/ssl/certs/ca-certificates.crt \
        || -e /etc/pki/tls/certs/ca-bundle.crt || -e /etc/ssl/cert.pem ]]
}

has_vulkan_loader() {
    local ldconfig
    ldconfig="$(command -v ldconfig || printf '/sbin/ldconfig')"
    # Captured first: `grep -q` in the pipe would end ldconfig early, which pipefail reports.
    local libraries
    libraries="$("$ldconfig" -p 2>/dev/null || true)"
    [[ $libraries == *libvulkan.so.1* ]]
}

# A driver, of a GPU or a software one: the loader finds both through these files.
has_vulkan_driver() {
    [[ -n ${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-} ]] && return
    compgen -G '/usr/share/vulkan/icd.d/*.json' >/dev/null \
        || compgen -G '/etc/vulkan/icd.d/*.json' >/dev/null \
        || compgen -G '/usr/local/share/vulkan/icd.d/*.json' >/dev/null
}

# Fills `missing` with Debian's names of the packages that are needed and absent.
find_missing() {
    missing=()
    { has cc && has c++ && has make && has_libc_headers; } || missing+=(build-essential)
    has pkg-config || missing+=(pkg-config)
    has_perl || missing+=(perl)
    has protoc || missing+=(protobuf-compiler)
    has git || missing+=(git)
    has curl || missing+=(curl)
    has_pip || missing+=(python3-pip)
    has_certificates || missing+=(ca-certificates)
    has_vulkan_loader || missing+=(libvulkan1)
    has_vulkan_driver || missing+=(mesa-vulkan-drivers)
}

explain_by_hand() {
    cat >&2 <<'TEXT'
Install these, then run this again:
  a C and C++ compiler, libc headers and make   (Debian: build-essential; Fedora: gcc gcc-c++ make; Arch: base-devel)
  pkg-config                                    (Debian: pkg-config; Fedora: pkgconf-pkg-config; Arch: pkgconf)
  Perl with its standard modules                (Debian: perl; Fedora: perl-core; Arch: perl)
  protoc, the protocol buffers compiler         (Debian: protobuf-compiler; Fedora: protobuf-compiler; Arch: protobuf)
  git, curl, CA certificates                    (Debian: git curl ca-certificates; the same elsewhere)
  Python 3 with pip                             (Debian: python3-pip; Fedora: python3-pip; Arch: python-pip)
  the Vulkan loader, libvulkan.so.1             (Debian: libvulkan1; Fedora: vulkan-loader; Arch: vulkan-icd-loader)
  a Vulkan driver, your GPU's or a software one (Debian: mesa-vulkan-drivers; Fedora: mesa-vulkan-drivers; Arch: vulkan-swrast)
TEXT
}

# Fills `as_root` with what to put before a command to run it as root, or fails.
find_root() {
    as_root=()
    [[ $(id -u) -eq 0 ]] && return
    has sudo || return 1
    as_root=(sudo)
    # Without a terminal nobody can type a password.
    [[ -t 0 ]] || as_root+=(-n)
    "${as_root[@]}" true
}

apt_install() {
    # A fresh machine may still be running its own first update: wait for the lock.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 \
        -o Dpkg::Use-Pty=0 "$@" install -y --no-install-recommends "${packages[@]}"
}

# Installs Mesa from the suite's backports where the suite's own is older than 24.
#
# Only for speed (llvmpipe of Mesa 25 runs our kernels 1.75 times as fast as that of 22),
# so that any failure is a note and the suite's own Mesa follows.
install_newer_mesa() {
    local codename own private mirror uri release log=''
    codename="$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")"
    own="$(apt-cache policy mesa-vulkan-drivers | awk '$1 == "Candidate:" { print $2 }')"
    if [[ -z $codename ]] || ! dpkg --compare-versions "$own" lt 24; then
        return 1
    fi
    private="$(mktemp -d)"
    apt_private_init "$private"
    # The machine's own suites stay in view, for what the newer Mesa depends on.
    while read -r uri release; do
        apt_private_add "$private" "$uri" "$release"
    done < <(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' \
        | awk '$3 == "main" { print $1, $2 }' | sort -u)
    read -r mirror < <(apt_mirrors)
    apt_private_add "$private" "$mirror" "$codename-backports"
    local packages=(mesa-vulkan-drivers libvulkan1)
    local options=(-c "$private/apt.conf" -t "$codename-backports")
    log_info "looking for a newer Mesa in $codename-backports"
    if ! apt_private_update "$private"; then
        log="its package list could not be read"
    elif ! apt-get "${options[@]}" install -s -y --no-install-recommends "${packages[@]}" >"$private/plan.log" 2>&1; then
        log="it does not fit what is installed"
    elif grep -q '^Remv ' "$private/plan.log"; then
        log="it would remove installed packages"
    elif ! apt_install "${options[@]}"; then
        log="its installation failed"
    fi
    rm -rf "$private"
    if [[ -n $log ]]; then
        log_note "no newer Mesa from $codename-backports: $log. The suite's own follows; it is only slower."
        return 1
    fi
}

find_missing
if [[ ${#missing[@]} -eq 0 ]]; then
    log_info 'system packages: all there'
    exit 0
fi

if ! has apt-get || ! has dpkg; then
    log_error "this system has no apt, and these are missing (Debian's names): ${missing[*]}"
    explain_by_hand
    exit 1
fi
if ! find_root; then
    log_error "root is needed to install system packages, and sudo cannot be used here. Run as root:"
    printf '  apt-get update && apt-get install -y --no-install-recommends %s\n' "${missing[*]}" >&2
    exit 1
fi

log_step "installing system packages: ${missing[*]}"
if ! "${as_root[@]}" apt-get -q -o DPkg::Lock::Timeout=300 update; then
    # One broken third-party source must not stop what the others can give.
    log_note 'apt-get update reported errors; going on with the lists that could be read'
fi

if [[ " ${missing[*]} " == *' mesa-vulkan-drivers '* ]] && install_newer_mesa; then
    find_missing
fi
if [[ ${#missing[@]} -gt 0 ]]; then
    packages=("${missing[@]}")
    if ! apt_install; then
        log_error "apt-get could not install: ${missing[*]}"
        explain_by_hand
        exit 1
    fi
fi

find_missing
if [[ ${#missing[@]} -gt 0 ]]; then
    log_error "installed, and yet not found: what these packages give: ${missing[*]}"
    explain_by_hand
    exit 1
fi
log_info 'system packages: installed'
