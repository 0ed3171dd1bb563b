# Shared by the scripts beside it: messages, tools, build. Source it.
# shellcheck shell=bash

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
ROOT=$PWD
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/billchain/target}
export CARGO_TERM_PROGRESS_WHEN=${CARGO_TERM_PROGRESS_WHEN:-never}
BIN=$CARGO_TARGET_DIR/release

say() { printf '\n\033[1m==> %s\033[0m\n' "$*"; }
die() { printf '\nFAILED: %s\n' "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else
        command -v sudo >/dev/null || die "need root to install: $*"
        sudo "$@"
    fi
}

# ensure COMMAND PACKAGE…: installs the Debian packages if the command is missing.
ensure() {
    local command=$1; shift
    command -v "$command" >/dev/null && return
    command -v apt-get >/dev/null || die "$command is missing and this is no Debian: install $*"
    if [ -z "${APT_UPDATED:-}" ]; then
        say "Updating the package list"
        as_root apt-get update -qq || die "apt-get update"
        APT_UPDATED=1
    fi
    say "Installing $*"
    DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null \
        || die "apt-get install $*"
}

# ensure_file FILE PACKAGE…: installs the Debian packages if the file is missing.
ensure_file() { [ -e "$1" ] || ensure "$@"; }

# What the tests of printed certificates need: fonts, and programs that read PDFs.
install_print_tools() {
    ensure pdftoppm poppler-utils
    ensure_file /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc fonts-noto-cjk
    ensure_file /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf fonts-dejavu-core
}

install_build_tools() {
    ensure cc build-essential
    ensure c++ build-essential
    ensure clang clang libclang-dev
    [ -n "$(ls /usr/lib/llvm-*/lib/libclang.so* /usr/lib/x86_64-linux-gnu/libclang*.so* /usr/lib/aarch64-linux-gnu/libclang*.so* 2>/dev/null)" ] \
        || ensure libclang.so libclang-dev
    ensure ld.lld lld
    ensure cmake cmake
    ensure pkg-config pkg-config
    ensure openssl openssl
    ensure python3 python3
    if ! command -v cargo >/dev/null; then
        [ -r "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"
    fi
    if ! command -v cargo >/dev/null; then
        ensure rustup rustup
        rustup default stable || die "rustup could not install Rust; install Rust $(rust_version) or newer by hand"
    fi
    check_rust rustc
}

# check_rust RUSTC: ends if the compiler is older than the workspace needs.
check_rust() {
    local found
    found=$("$1" --version | awk '{print $2}')
    [ "$(printf '%s\n%s\n' "$(rust_version)" "$found" | sort -V | head -n1)" = "$(rust_version)" ] \
        || die "Rust $(rust_version) or newer is needed, $1 is $found"
}

# What builds the verifier for WebAssembly: rustup's target where it can be had, else the compiler
# that Debian 12 has for its browsers. Debian's plain lld is older than what the allocator needs.
install_wasm_tools() {
    has_wasm_target && return
    if command -v rustup >/dev/null; then
        say "Adding Rust's target for WebAssembly"
        timeout 300 rustup target add wasm32-unknown-unknown && return
    fi
    ensure_file /usr/lib/rustlib/src/rust/library/core/Cargo.toml rustc-web cargo-web rust-web-src
    ensure_file /usr/bin/wasm-ld-19 lld-19
    check_rust /usr/bin/rustc
}

has_wasm_target() { rustup target list --installed 2>/dev/null | grep -qx wasm32-unknown-unknown; }

rust_version() { sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml"; }

# build_drill DIRECTORY: the release after this one, as drills of an upgrade have it.
# Whoever needs the node builds it afterwards.
build_drill() {
    say "Building the next release, for a drill"
    cargo build --release --locked --workspace --bin billchain \
        --features billchain-runtime/upgrade-drill || die "cargo build of the next release"
    mkdir -p "$1"
    cp "$BIN/billchain" "$1/billchain"
}

# The explorer's page, which the explorer's program carries; not again while its sources are the
# same. Where it cannot be built the program says so itself.
build_page() {
    local page=$ROOT/explorer/web mark
    mark=$(cd "$page" && git ls-files -co --exclude-standard -- src public index.html package-lock.json vite.config.ts \
        | sort | xargs sha256sum | sha256sum)
    mark="$mark ${BILLCHAIN_GENESIS:-}"
    [ -f "$page/dist/index.html" ] && [ "$mark" = "$(cat "$page/dist/.built" 2>/dev/null)" ] && return
    "$page/build" || die "the explorer's page"
    printf '%s\n' "$mark" >"$page/dist/.built"
}

build_node() {
    say "Building the node (a first build takes about 25 minutes on two cores, later ones less)"
    # The whole workspace: with fewer crates, dependencies would be compiled
    # again with fewer features.
    cargo build --release --locked --workspace || die "cargo build"
}
