// swift-tools-version: 6.3

import PackageDescription

/// Fuzzers over the readers of bytes that come from outside; `run.sh` builds and runs them.
///
/// A package of its own, because its modules are built with another instrumentation, and because only a
/// toolchain that has libFuzzer can link them. `run.sh` lays it out in a folder where `Sources`, `CModules`
/// and `Tests` are links to the ones of the package, so that the modules are those that ship. It needs no
/// network: what depends on a crypto library is left out.
let sanitizer = ["-sanitize=fuzzer,address"]

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableExperimentalFeature("Lifetimes"),
    .unsafeFlags(sanitizer),
]

let fuzzers = [
    "CARFuzzer", "CARIndexFuzzer", "PageFuzzer", "RootFuzzer", "SegmentFuzzer", "InverseFuzzer",
    "DagPBFuzzer", "DagCBORFuzzer", "DagJSONFuzzer", "UnixFSFuzzer", "TraversalFuzzer",
    "GatewayFuzzer", "ChunkDirectoryFuzzer",
]

/// A fuzzer is one file, with the entry point that libFuzzer calls.
func fuzzer(_ name: String) -> Target {
    .executableTarget(
        name: name,
        dependencies: ["FuzzChecks", "FuzzDriver"],
        path: "Tests/Fuzz",
        exclude: ["CLibFuzzer", "Checks", "Driver", "Package.swift", "corpus", "run.sh"]
            + fuzzers.filter { $0 != name }.map { "\($0).swift" },
        sources: ["\(name).swift"],
        swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])],
        linkerSettings: [.unsafeFlags(sanitizer)]
    )
}

let package = Package(
    name: "swift-dagstore",
    platforms: [.macOS(.v26)],
    targets: [
        .systemLibrary(name: "CDAGZstd", path: "CModules/CDAGZstd", pkgConfig: "libzstd"),
        .target(name: "CDAGSystem", path: "CModules/CDAGSystem"),
        .target(name: "DAGBytes", dependencies: ["CDAGSystem"], swiftSettings: settings),
        .target(name: "DAGMultiformats", dependencies: ["DAGBytes"], swiftSettings: settings),
        // Without the calls that name the errors of swift-system.
        .target(
            name: "DAGSystem",
            exclude: ["FileDescriptor+Calls.swift", "FileSystem.swift"],
            swiftSettings: settings
        ),
        .target(
            name: "SharedReads",
            dependencies: ["CDAGSystem", "DAGSystem"],
            swiftSettings: settings
        ),
        .target(
            name: "DAGZstd",
            dependencies: ["CDAGZstd", "DAGBytes", "SharedReads"],
            swiftSettings: settings
        ),
        .target(
            name: "DAGHashing",
            dependencies: ["DAGBytes"],
            exclude: ["BlockHash.swift"],
            swiftSettings: settings
        ),
        .target(
            name: "DAGCAR",
            dependencies: ["DAGBytes", "DAGMultiformats"],
            swiftSettings: settings
        ),
        .target(
            name: "DAGIPLD",
            dependencies: ["DAGBytes", "DAGHashing", "DAGMultiformats"],
            swiftSettings: settings
        ),
        .target(
            name: "ShardIndex",
            dependencies: [
                "DAGBytes", "DAGMultiformats", "DAGHashing", "DAGSystem", "DAGZstd", "SharedReads",
            ],
            swiftSettings: settings
        ),
        .target(
            name: "GatewayRequests",
            dependencies: ["DAGBytes", "DAGHashing", "DAGIPLD", "DAGMultiformats"],
            swiftSettings: settings
        ),
        .target(
            name: "FuzzChecks",
            dependencies: [
                "DAGBytes", "DAGCAR", "DAGHashing", "DAGIPLD", "DAGMultiformats", "GatewayRequests",
                "ShardIndex",
            ],
            path: "Tests/Fuzz/Checks",
            swiftSettings: settings
        ),
        .systemLibrary(name: "CLibFuzzer", path: "Tests/Fuzz/CLibFuzzer"),
        .target(
            name: "FuzzDriver",
            dependencies: ["DAGBytes", "CLibFuzzer", "FuzzChecks"],
            path: "Tests/Fuzz/Driver",
            swiftSettings: settings
        ),
    ] + fuzzers.map(fuzzer)
)
