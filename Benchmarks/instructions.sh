#!/usr/bin/env bash
# Instructions of single steps, and of a lease in stores and shards of different sizes; needs valgrind.
#
# Usage: instructions.sh STEPS DATA - the dagstore-steps program, and the folder where `dagstore-bench run
# acquire open` has left its stores; without them leases are left out. Prints a JSON line for each, and fails if a
# step takes over 3 % more than Benchmarks/instructions.tsv allows. DAGSTORE_INSTRUCTIONS=write writes that file anew.
set -euo pipefail
steps=$1 data=$2
here=$(cd "$(dirname "$0")" && pwd)
limits=$here/instructions.tsv
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Valgrind cannot read the debug sections of this compiler.
strip --strip-debug -o "$scratch/steps" "$steps"

instructions() { # instructions ARGUMENT… COUNT
    valgrind --tool=callgrind --callgrind-out-file="$scratch/out" "$scratch/steps" "$@" \
        >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; exit 1; }
    awk '/^(summary|totals):/ { count = $2 } END { print count }' "$scratch/out"
}

each() { # each FEW MANY ARGUMENT… - the instructions of one of the steps that MANY has more than FEW
    local few=$1 many=$2; shift 2
    local less more
    less=$(instructions "$@" "$few")
    more=$(instructions "$@" "$many")
    echo $(((more - less) / (many - few)))
}

status=0
[ "${DAGSTORE_INSTRUCTIONS:-}" = write ] && : >"$limits"
while IFS=$'\t' read -r name about; do
    many=100000
    case $name in page.*) many=2000 ;; cid.text) many=20000 ;; esac
    value=$(each 1000 "$many" "$name")
    printf '{"name":"step.%s","value":%d,"unit":"instructions","about":"%s"}\n' "$name" "$value" "$about"
    if [ "${DAGSTORE_INSTRUCTIONS:-}" = write ]; then
        printf '%s\t%d\n' "$name" "$value" >>"$limits"
        continue
    fi
    limit=$(awk -F'\t' -v name="$name" '$1 == name { print $2 }' "$limits")
    if [ -z "$limit" ]; then
        echo "instructions: $name is not in instructions.tsv" >&2
        status=1
    elif [ $((value * 100)) -gt $((limit * 103)) ]; then
        echo "instructions: $name takes $value, and may take $limit" >&2
        status=1
    fi
done < <("$scratch/steps" list)

retains() { # retains FEW MANY ARGUMENT… - how often swift_retain is called in one of the reads that MANY has more
    local few=$1 many=$2 count counts=(); shift 2
    for count in "$few" "$many"; do
        instructions "$@" "$count" >/dev/null
        counts+=("$(awk '/^cfn=/ { split($0, part, /[()]/); if ($0 ~ / swift_retain$/) id = part[2]; called = part[2] }
            /^calls=/ && called == id && id != "" { split($1, part, "="); sum += part[2] } END { print sum + 0 }' "$scratch/out")")
    done
    echo $(((counts[1] - counts[0]) / (many - few)))
}

# Threads that read must not write one count: an object that they share is not retained. What is counted here are a
# lease's own object and its key, the CID of the caller, and the share of the mapping of the thread's stripe.
read_() { # read_ NAME STORE KEY RETAINS
    [ -d "$data/$2" ] || { echo "instructions: no $data/$2, read.$1 is left out" >&2; return; }
    local count
    count=$(retains 1000 11000 "$1" "$data/$2" "$3")
    printf '{"name":"retains.%s","value":%d,"unit":"calls"}\n' "$1" "$count"
    [ "$count" -le "$4" ] || { echo "instructions: $1 retains $count objects, and may retain $4" >&2; status=1; }
}

read_ lease store-n1m n1m 2
read_ contains store-n1m n1m 4
read_ absent store-n1m n1m 3
read_ nowhere store-n1m n1m 1
read_ get store-n1m n1m 3
read_ block store-n1m n1m 3

lease() { # lease NAME STORE KEY
    [ -d "$data/$2" ] || { echo "instructions: no $data/$2, lease.$1 is left out" >&2; return; }
    printf '{"name":"lease.%s","value":%d,"unit":"instructions"}\n' "$1" "$(each 1000 21000 lease "$data/$2" "$3")"
}

lease blocks-100k store-n100k n100k
lease blocks-1m store-n1m n1m
lease shards-1k store-open-1000 shard-500
lease shards-100k store-open-100000 shard-50000
lease shards-1m store-open-1000000 shard-500000
exit $status
