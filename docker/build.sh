#!/usr/bin/env bash
# The image's build steps, also run by CI outside a container:
#
#     docker/build.sh [--packages] FOLDER
#
# puts the program and the settings manual into FOLDER. --packages installs the C compiler's and
# libclang's Debian packages first (root).
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" = --packages ]; then
    shift
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q
    apt-get install -q -y --no-install-recommends build-essential libclang-dev clang pkg-config
fi
out=${1:?a folder for the result}
cargo build --release --locked --bin hallpass </dev/null
mkdir -p "$out"
install -m 0755 "${CARGO_TARGET_DIR:-target}/release/hallpass" "$out/hallpass"
strip --strip-debug "$out/hallpass"
install -m 0644 proxy.toml.example "$out/proxy.toml.example"
# A program that can't start shall fail here, not in production.
"$out/hallpass" --version
