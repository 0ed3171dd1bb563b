# What build and test of the explorer's page share. Source scripts/lib.sh before.
# shellcheck shell=bash

WEB=$ROOT/explorer/web
NODE_AT_LEAST=20.19.0

# Node.js: that of the machine, or, where it is too old for the tools, one from the package registry.
install_node() {
    ensure node nodejs npm
    ensure npm npm
    is_new_node node && return
    local tools=$CARGO_TARGET_DIR/node
    if ! is_new_node "$tools/node_modules/node/bin/node"; then
        say "Node.js $(node --version) is older than $NODE_AT_LEAST: fetching a newer one"
        npm install --silent --prefix "$tools" node@22 || die "npm install node"
    fi
    export PATH=$tools/node_modules/node/bin:$PATH
    is_new_node node || die "Node.js $NODE_AT_LEAST or newer is needed, this is $(node --version)"
}

is_new_node() {
    local found
    found=$("$1" --version 2>/dev/null) || return 1
    [ "$(printf '%s\n%s\n' "$NODE_AT_LEAST" "${found#v}" | sort -V | head -n1)" = "$NODE_AT_LEAST" ]
}

# Exactly what package-lock.json names; not again while that is the same.
install_packages() {
    local mark=$WEB/node_modules/.installed
    cmp -s "$WEB/package-lock.json" "$mark" && return
    say "Installing the page's packages"
    (cd "$WEB" && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund) || die "npm ci"
    cp "$WEB/package-lock.json" "$mark"
}

# The verifier in WebAssembly, into the page's sources; not again while its own sources are the same.
build_verifier() {
    local built=$WEB/verifier/billchain_verifier.wasm mark
    mark=$(cd "$ROOT" && find verifier primitives crypto Cargo.lock Cargo.toml -type f \( -name '*.rs' -o -name '*.toml' -o -name '*.lock' -o -name build \) \
        -not -path '*/target/*' -print0 | sort -z | xargs -0 sha256sum | sha256sum)
    [ -f "$built" ] && [ "$mark" = "$(cat "$WEB/verifier/.mark" 2>/dev/null)" ] && return
    local dir
    dir=$(mktemp -d)
    "$ROOT/verifier/wasm/build" "$dir" || die "the verifier in WebAssembly"
    mkdir -p "$WEB/verifier"
    cp "$dir/billchain_verifier.wasm" "$built"
    rm -r "$dir"
    printf '%s\n' "$mark" >"$WEB/verifier/.mark"
}
