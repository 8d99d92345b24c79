#!/usr/bin/env bash
# Compiles the examples outside the tree against an installed libdagstore, runs them, and compares what they print.
#
#     run.sh PREFIX CAR_FILE
set -euo pipefail
examples=$(cd "$(dirname "$0")" && pwd)
prefix=$1
car=$(realpath "$2")
outside=$(mktemp -d)
trap 'chmod -R u+w "$outside"; rm -rf "$outside"' EXIT
cp -r "$examples"/example.* "$examples/go" "$outside"
cd "$outside"
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig LD_LIBRARY_PATH=$prefix/lib
flags=$(pkg-config --cflags --libs dagstore)
passed=0 skipped=0

# Runs an example on a store of its own.
run() {
    local language=$1
    shift
    "$@" "$outside/store-$language" "$car" >"$language.txt" || { echo "examples: $language FAILED" >&2; exit 1; }
    grep -q '^0 handles left$' "$language.txt" || { echo "examples: $language left handles" >&2; exit 1; }
    [ -e expected.txt ] || cp "$language.txt" expected.txt
    diff expected.txt "$language.txt" >&2 || { echo "examples: $language prints something else" >&2; exit 1; }
    echo "examples: $language passed"
    passed=$((passed + 1))
}

skip() {
    echo "examples: SKIPPED $1: $2"
    skipped=$((skipped + 1))
}

has() { command -v "$1" >/dev/null; }

if has cc; then
    # shellcheck disable=SC2086
    cc -std=c99 -O1 -Wall -Wextra -Wpedantic -Werror example.c $flags -o example-c
    run c ./example-c
else skip c "no cc"; fi

if has c++; then
    # shellcheck disable=SC2086
    c++ -std=c++17 -O1 -Wall -Wextra -Wpedantic -Werror example.cpp $flags -o example-cpp
    run c++ ./example-cpp
else skip c++ "no c++"; fi

if has python3; then run python python3 example.py; else skip python "no python3"; fi

if has rustc; then
    rustc --edition 2021 -D warnings -A dead_code -L "native=$prefix/lib" example.rs -o example-rs
    run rust ./example-rs
else skip rust "no rustc"; fi

if ! has cc; then
    skip go "no cc"
elif go=$("$examples/../../.ci/go-toolchain" "$outside/go-tools"); then
    export GOCACHE=$outside/go-cache GOPATH=$outside/go-path GOTOOLCHAIN=local GOFLAGS=-mod=mod
    (cd go && "$go" vet . && "$go" build -o ../example-go .)
    run go ./example-go
else skip go "no toolchain of 1.24 or later, and none to be had from PyPI"; fi

cat expected.txt
echo "examples: $passed passed, $skipped skipped"
