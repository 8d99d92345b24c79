#!/usr/bin/env bash
# Where a workload spends its time, function by function, and a flame graph of it.
#
# Usage: profile.sh WORKLOAD [VARIABLE=VALUE…] BENCH - samples with perf, 999 times a second.
set -euo pipefail
name=${1:?a workload: see dagstore-bench list}
shift
bench=${*: -1}
command -v perf >/dev/null || { apt-get update -q && apt-get install -y -q linux-perf; } >/dev/null
out=.build-bench/profile-$name
env "${@:1:$#-1}" perf record -q -F 999 -g -o "$out.data" -- "$bench" run "$name" --runs 5 \
    --data .build-bench/data >"$out.jsonl"
perf report -i "$out.data" --no-children --percent-limit 0.5 --stdio -g none 2>/dev/null |
    swift demangle --compact | grep -vE '^(#|$)' | cut -c1-160 >"$out.txt"
head -30 "$out.txt"
perf script -i "$out.data" 2>/dev/null | swift demangle --compact | "$bench" flame --title "$name" >"$out.svg"
echo "$out.txt $out.svg"
