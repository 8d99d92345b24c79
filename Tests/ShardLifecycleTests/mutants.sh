#!/bin/sh
# Breaks the lifecycle's table in one place after the other, and runs this suite on each: it must fail.
#
#   Tests/ShardLifecycleTests/mutants.sh
#
# Everything happens in a scratch copy. It prints a line for each mutant; the exit code is not zero if one
# survives, does not compile, or no longer finds the line that it is to change.
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd -P)
root=$(dirname -- "$(dirname -- "$here")")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM HUP

# A mutant that traps ends the test's process; nobody needs its stack.
export SWIFT_BACKTRACE=enable=no

mkdir -p "$scratch/Tests"
cp -R "$root/Sources/ShardLifecycle" "$scratch/Lifecycle"
cp -R "$here" "$scratch/Tests/ShardLifecycleTests"
rm -f "$scratch/Tests/ShardLifecycleTests/mutants.sh"
cat >"$scratch/Package.swift" <<'MANIFEST'
// swift-tools-version: 6.2

import PackageDescription

let features: [SwiftSetting] = [
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
    name: "mutants",
    platforms: [.macOS(.v26)],
    targets: [
        .target(name: "ShardLifecycle", path: "Lifecycle", swiftSettings: features),
        .testTarget(
            name: "ShardLifecycleTests",
            dependencies: ["ShardLifecycle"],
            swiftSettings: features
        ),
    ]
)
MANIFEST

table=$scratch/Lifecycle/ShardLifecycle.swift
original=$scratch/original.swift
cp "$table" "$original"
count=0
bad=0

build() {
    swift build --build-tests --package-path "$scratch" >"$scratch/build.log" 2>&1
}

run() {
    swift test --skip-build --disable-xctest --package-path "$scratch" >"$scratch/test.log" 2>&1
}

complain() {
    echo "$1: $2"
    bad=$((bad + 1))
}

# mutant NAME FUNCTION EXPRESSION: applies a sed expression to the lines of one function.
mutant() {
    count=$((count + 1))
    sed -e "/func $2(/,/^    }/{" -e "$3" -e '}' "$original" >"$table"
    changed=$(diff "$original" "$table" | grep -c '^[<>]' || true)
    if [ "$changed" -ne 1 ] && [ "$changed" -ne 2 ]; then
        complain "NO MUTANT" "$1"
    elif ! build; then
        complain "DOES NOT COMPILE" "$1"
    elif run; then
        complain "SURVIVES" "$1"
    else
        echo "killed: $1"
    fi
}

if ! build || ! run; then
    cat "$scratch/build.log"
    [ ! -f "$scratch/test.log" ] || cat "$scratch/test.log"
    echo "the suite fails without a mutant"
    exit 1
fi

mutant "a release counts nothing" release 's/leases -= 1/leases -= 0/'
mutant "a release may come twice" release 's/precondition(leases > 0.*/if leases == 0 { return [] }/'
mutant "a release is announced as an acquisition" release 's/announce(.release)/announce(.acquire)/'
mutant "any shard may be leased" setLeases '/precondition(/d'
mutant "a shard that is registered lazily is indexed" receiveAbsent 's/state = .registered/state = .initializing(job: number)/'
mutant "the registrant of a shard to be indexed is not parked" receiveAbsent 's/\.start(job: number), \.park,/.start(job: number),/'
mutant "a destroyed shard exists" receiveAbsent 's/reject(.unknown)/reject(.exists)/'
mutant "the second acquirer begins a job" receiveInitializing 's/return \[\.announce(\.acquire), \.park\]/state = .initializing(job: 1); return [.announce(.acquire), .start(job: 1), .park]/'
mutant "any index completes an initialization" receiveInitializing 's/case \.indexed(job):/case .indexed:/'
mutant "any failure ends an initialization" receiveInitializing 's/case \.indexingFailed(job):/case .indexingFailed:/'
mutant "an abandoned initialization is available" receiveInitializing 's/state = \.registered/state = .available/'
mutant "a resumed shard is not announced" receiveRegistered 's/\.announce(\.register), //'
mutant "a first acquirer takes an available shard for open" receiveAvailable '/case \.acquire:/{n;s/opening(job: number)/open/;}'
mutant "one that comes back takes an available shard for open" receiveAvailable '/case \.retry:/{n;s/opening(job: number)/open/;}'
mutant "an available shard is destroyed under old leases" receiveAvailable '/guard leases == 0/d'
mutant "a lost source leaves the shard available" receiveAvailable '/state = \.failed/d'
mutant "an opened shard is not open" receiveOpening 's/state = \.open$/state = .available/'
mutant "any opening counts" receiveOpening 's/case \.opened(job):/case .opened:/'
mutant "those who wait for an opening are destroyed" receiveOpening 's/return \[\.reject(\.inUse)\]/return destroyIdle()/'
mutant "an open shard in use is destroyed" receiveOpen '/case \.destroy:/{n;d;}'
mutant "an open shard in use is evicted" receiveOpen '/case \.evict:/{n;d;}'
mutant "a lost source leaves its bytes in memory" receiveOpen 's/\[\.close, \.commit(\.update)/[.commit(.update)/'
mutant "one that comes back is announced again" receiveOpen 's/return \[\.grant\]/return [.announce(.acquire), .grant]/'
mutant "a shard in recovery is destroyed under its leases" receiveRecovering '/guard leases == 0/d'
mutant "an abandoned recovery is available" receiveRecovering 's/state = \.failed/state = .available/'
mutant "an acquirer recovers a failed shard each time" receiveFailed '/recoversOnAcquire = false/d'
mutant "an acquirer always recovers" receiveFailed '/guard recoversOnAcquire/d'
mutant "an interrupted recovery is not resumed" receiveFailed '/case \.resume(recovering: true):/s/true/false/'
mutant "an index is published without a commit" publish 's/\.commit(\.publish), //'
mutant "those who wait for a failure wait on" failWaiting 's/, \.failParked(\.failed)//'
mutant "a destroyed shard's job is not cancelled" destroyBusy 's/\.cancel(job: job), //'
mutant "a destroyed shard's record stays" destroyIdle 's/\.commit(\.remove), //'

echo "$count mutants, $bad of them bad"
[ "$bad" -eq 0 ]
