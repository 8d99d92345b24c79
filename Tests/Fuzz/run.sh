#!/bin/sh
# Builds the fuzzers and runs each for some seconds, 60 unless told otherwise.
#
#   Tests/Fuzz/run.sh [seconds] [fuzzer ...]
#
# Every input that reaches something new is kept in a folder of the build; an input that fails is put into
# Tests/Fuzz/corpus as crash-<hash>, where `swift test` replays it until it is understood. The exit code is
# not zero if there was one. DAGSTORE_FUZZ_BUILD names the folder to build in, .build-fuzz by default.
# DAGSTORE_FUZZ_KEEP=1 adds the inputs that were found, minimised, to Tests/Fuzz/corpus.
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd -P)
root=$(dirname -- "$(dirname -- "$here")")
build=${DAGSTORE_FUZZ_BUILD:-$root/.build-fuzz}
seconds=${1:-60}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- CARFuzzer CARIndexFuzzer PageFuzzer RootFuzzer SegmentFuzzer InverseFuzzer \
    DagPBFuzzer DagCBORFuzzer DagJSONFuzzer UnixFSFuzzer TraversalFuzzer GatewayFuzzer \
    ChunkDirectoryFuzzer

mkdir -p "$build/package"
for folder in Sources CModules Tests; do
    ln -sfn "${DAGSTORE_FUZZ_ROOT:-$root}/$folder" "$build/package/$folder"
done
cp "$here/Package.swift" "$build/package/Package.swift"
for fuzzer; do
    swift build -c release --package-path "$build/package" --scratch-path "$build/out" \
        --product "$fuzzer"
done

corpus() {
    case $1 in
        CARFuzzer) echo car ;;
        CARIndexFuzzer) echo car-index ;;
        PageFuzzer) echo page ;;
        RootFuzzer) echo root ;;
        SegmentFuzzer) echo segment ;;
        InverseFuzzer) echo inverse ;;
        DagPBFuzzer) echo dag-pb ;;
        DagCBORFuzzer) echo dag-cbor ;;
        DagJSONFuzzer) echo dag-json ;;
        UnixFSFuzzer) echo unixfs ;;
        TraversalFuzzer) echo traversal ;;
        GatewayFuzzer) echo gateway ;;
        ChunkDirectoryFuzzer) echo chunk-directory ;;
    esac
}

# Memory that is not freed when a trap ends the process is nobody's leak; and two that print a stack are in
# each other's way.
export ASAN_OPTIONS=detect_leaks=0 SWIFT_BACKTRACE=enable=no
status=0
for fuzzer; do
    kept=$here/corpus/$(corpus "$fuzzer")
    found=$build/found/$(corpus "$fuzzer")
    mkdir -p "$kept" "$found"
    echo "== $fuzzer, $seconds seconds"
    "$build/out/release/$fuzzer" -max_total_time="$seconds" -max_len=16384 -timeout=10 \
        -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$kept/" \
        "$found" "$kept" 2>&1 | tee "$build/$fuzzer.log" | grep -E "DONE|stat::|ERROR|Fatal|SUMMARY" \
        || true
    # A pipe has the exit code of its end, so that the log has to say how the fuzzer ended.
    grep -q "^Done " "$build/$fuzzer.log" || status=1
    if [ "${DAGSTORE_FUZZ_KEEP:-0}" = 1 ]; then
        "$build/out/release/$fuzzer" -set_cover_merge=1 -max_len=512 "$kept" "$found" >/dev/null 2>&1 || status=1
    fi
done
exit $status
