# shellcheck shell=bash
# A private apt configuration: the machine's own mirrors, other suites. Sourced, never run.
#
# Nothing under /etc/apt or /var/lib/apt is changed, and no root is needed to download.
# Signatures stay verified, against the distribution's own keyring.

# Prints the mirrors (one URI a line) that carry this machine's own suite.
#
# apt itself reads the sources, so that one-line and deb822 files, options and
# disabled entries all mean what they mean to apt.
apt_mirrors() {
    local codename
    codename="$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")"
    local targets
    targets="$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null \
        | awk '$3 == "main"' | sort -u)"
    # A machine may name its suite "stable" or run without a codename (Debian unstable):
    # then every mirror with a component "main" is worth trying.
    { awk -v suite="$codename" '$2 == suite { print $1 }' <<<"$targets"; awk '{ print $1 }' <<<"$targets"; } \
        | awk 'NF && !seen[$0]++'
}

# Prints the distribution's archive keyring, or nothing where there is none to be found.
apt_keyring() {
    local keyring
    for keyring in /usr/share/keyrings/{debian,ubuntu}-archive-keyring.{gpg,pgp}; do
        if [[ -r $keyring ]]; then
            printf '%s' "$keyring"
            return
        fi
    done
}

# Makes a private apt configuration in folder $1.
apt_private_init() {
    local root="$1"
    mkdir -p "$root"/{lists/partial,archives/partial,sources}
    cat >"$root/apt.conf" <<CONF
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$root/sources";
Dir::State::lists "$root/lists";
Dir::Cache "$root";
Dir::Cache::archives "$root/archives";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
APT::Sandbox::User "root";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
CONF
}

# Adds suite $3 of mirror $2 to the private configuration in folder $1.
apt_private_add() {
    local root="$1" mirror="$2" suite="$3" keyring
    keyring="$(apt_keyring)"
    {
        printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n' "$mirror" "$suite"
        if [[ -n $keyring ]]; then
            printf 'Signed-By: %s\n' "$keyring"
        fi
    } >"$root/sources/$(printf '%s-%s' "$mirror" "$suite" | tr -c 'A-Za-z0-9\n' '_').sources"
}

# Downloads the lists of the private configuration in folder $1. Fails when any is missing or badly signed.
apt_private_update() {
    apt-get -c "$1/apt.conf" -qq -o APT::Update::Error-Mode=any update >"$1/update.log" 2>&1
}
