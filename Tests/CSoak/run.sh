#!/usr/bin/env bash
# Compiles soak.c and misuse.c against an installed libdagstore, with and without AddressSanitizer and LeakSanitizer,
# and runs them.
#
#     run.sh PREFIX SECONDS CAR_FILE...
set -euo pipefail
soak=$(cd "$(dirname "$0")" && pwd)
prefix=$1 seconds=$2
shift 2
cars=()
for car in "$@"; do cars+=("$(realpath "$car")"); done
outside=$(mktemp -d)
trap 'rm -rf "$outside"' EXIT
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig LD_LIBRARY_PATH=$prefix/lib
flags=(-std=c11 -D_GNU_SOURCE -g -O1 -Wall -Wextra -Wpedantic -Werror -pthread)
read -ra link < <(pkg-config --cflags --libs dagstore)
sanitize=(-fsanitize=address,undefined)
cc "${flags[@]}" "$soak/soak.c" "${link[@]}" -o "$outside/plain"
cc "${flags[@]}" "${sanitize[@]}" "$soak/soak.c" "${link[@]}" -o "$outside/sanitized"
cc "${flags[@]}" "${sanitize[@]}" "$soak/misuse.c" "${link[@]}" -o "$outside/misuse"
"$outside/misuse" "$outside/store-misuse" "${cars[0]}"
for build in plain sanitized; do
    echo "soak: $build"
    "$outside/$build" "$outside/store-$build" "$seconds" "${cars[@]}"
done
echo "soak: passed"
