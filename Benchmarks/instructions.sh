#!/usr/bin/env bash
# Instructions of a lease, taken and given back, in stores and shards of different sizes; needs valgrind.
#
# Usage: instructions.sh STEPS DATA - the dagstore-steps program, and the folder where `dagstore-bench run
# acquire open` has left its stores. Prints a JSON line for each store.
set -euo pipefail
steps=$1 data=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Valgrind cannot read the debug sections of this compiler.
strip --strip-debug -o "$scratch/steps" "$steps"

instructions() { # instructions STORE KEY COUNT
    valgrind --tool=callgrind --callgrind-out-file="$scratch/out" "$scratch/steps" "$@" \
        >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; exit 1; }
    awk '/^(summary|totals):/ { count = $2 } END { print count }' "$scratch/out"
}

lease() { # lease NAME STORE KEY
    local few many
    few=$(instructions "$data/$2" "$3" 1000)
    many=$(instructions "$data/$2" "$3" 21000)
    printf '{"name":"lease.%s","value":%d,"unit":"instructions"}\n' "$1" $(((many - few) / 20000))
}

lease blocks-100k store-n100k n100k
lease blocks-1m store-n1m n1m
lease shards-1k store-open-1000 shard-500
lease shards-100k store-open-100000 shard-50000
lease shards-1m store-open-1000000 shard-500000
