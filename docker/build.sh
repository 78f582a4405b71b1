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
# CI tries these steps with the build that its tests need anyway.
profile=${HALLPASS_IMAGE_PROFILE:-release}
read -ra targets <<<"${HALLPASS_IMAGE_TARGETS:---bin hallpass}"
cargo build --profile "$profile" --locked "${targets[@]}" </dev/null
mkdir -p "$out"
built=${CARGO_TARGET_DIR:-target}/${profile/dev/debug}
install -m 0755 "$built/hallpass" "$out/hallpass"
strip --strip-debug "$out/hallpass"
install -m 0644 proxy.toml.example "$out/proxy.toml.example"
# A program that can't start shall fail here, not in production.
"$out/hallpass" --version
