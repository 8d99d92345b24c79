// swift-tools-version: 6.2

import PackageDescription

/// Settings every Swift target shares.
///
/// A target that needs less says so where it is declared.
let house: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableExperimentalFeature("Lifetimes"),
    // Places where a test may end the process; see `Failpoint`.
    .define("DAGSTORE_FAILPOINTS", .when(configuration: .debug)),
]

let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

/// A suite beside the module it tests.
func tests(
    _ module: String,
    also others: [Target.Dependency] = [],
    exclude: [String] = []
) -> Target {
    .testTarget(
        name: "\(module)Tests",
        dependencies: [.target(name: module), "TestSupport"] + others,
        exclude: exclude,
        swiftSettings: house
    )
}

let package = Package(
    name: "swift-dagstore",
    platforms: [.macOS(.v26)],
    products: [
        .library(name: "DAGStorage", targets: ["DAGStorage"]),
        .library(name: "CAR", targets: ["CAR", "Multiformats", "Bytes"]),
        .library(name: "Multiformats", targets: ["Multiformats", "Bytes"]),
        .executable(name: "dagstore", targets: ["dagstore"]),
        // What `make libdagstore` links into libdagstore.so.
        .library(name: "dagstore-objects", type: .static, targets: ["DAGStoreC"]),
    ],
    traits: [
        .trait(
            name: "LevelDB",
            description:
                "Reads and writes the LevelDB datastores of Go nodes; needs libleveldb-dev."
        )
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    ],
    targets: [
        // Ground: C.
        .systemLibrary(
            name: "CLMDB",
            path: "CModules/CLMDB",
            pkgConfig: "lmdb",
            providers: [.apt(["liblmdb-dev"]), .brew(["lmdb"])]
        ),
        .systemLibrary(
            name: "CZstd",
            path: "CModules/CZstd",
            pkgConfig: "libzstd",
            providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]
        ),

        .systemLibrary(
            name: "CDigest",
            path: "CModules/CDigest",
            pkgConfig: "libcrypto",
            providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]
        ),

        // Only Migration uses it, and only where the trait is enabled. It has no pkg-config file.
        .systemLibrary(
            name: "CLevelDB",
            path: "CModules/CLevelDB",
            providers: [.apt(["libleveldb-dev"]), .brew(["leveldb"])]
        ),

        // Where LevelDB is not there, it says so; see its header.
        .target(
            name: "CLevelDBView",
            path: "CModules/CLevelDBView",
            linkerSettings: [.linkedLibrary("leveldb", .when(traits: ["LevelDB"]))]
        ),

        // The C interface: its header is the source of truth, which DAGStoreC implements.
        .systemLibrary(name: "CDAGStore", path: "CModules/CDAGStore"),

        // Below the floors: the one view of bytes that all of them pass around.
        .target(name: "CDAGSystem", path: "CModules/CDAGSystem"),
        .target(name: "Bytes", dependencies: ["CDAGSystem"], swiftSettings: house),
        // How threads read what may go, without meeting.
        .target(name: "SharedReads", dependencies: ["CDAGSystem"], swiftSettings: house),

        // Floor 0: one concern each; no floor-mates.
        .target(name: "Multiformats", dependencies: ["Bytes"], swiftSettings: house),
        .target(
            name: "LMDB",
            dependencies: ["CLMDB", "Bytes", "SharedReads"],
            swiftSettings: house
        ),
        .target(
            name: "Zstd",
            dependencies: ["CZstd", "Bytes", "SharedReads"],
            swiftSettings: house
        ),
        .target(
            name: "Hashing",
            dependencies: ["Bytes", "CDigest"],
            swiftSettings: house
        ),

        .target(name: "Failpoints", swiftSettings: house),
        .target(name: "ShardLifecycle", swiftSettings: house),

        // Floor 1: formats. Bytes become values here; no file is opened.
        .target(name: "CAR", dependencies: ["Bytes", "Multiformats"], swiftSettings: house),
        .target(
            name: "ShardIndex",
            dependencies: ["Bytes", "Multiformats", "Hashing", "SharedReads", "Zstd"],
            swiftSettings: house
        ),

        // Floor 2: state.
        .target(
            name: "Catalog",
            dependencies: [
                "Bytes", "Failpoints", "Hashing", "LMDB", "ShardIndex", "SharedReads", system,
            ],
            swiftSettings: house
        ),
        .target(
            name: "Mounts",
            dependencies: ["Bytes", "CDAGSystem", "Failpoints", "Hashing", "SharedReads", system],
            swiftSettings: house
        ),

        // Floor 3: the store.
        .target(
            name: "DAGStorage",
            dependencies: [
                "Bytes", "CAR", "Catalog", "Failpoints", "Hashing", "Mounts", "Multiformats",
                "SharedReads", "ShardIndex", "ShardLifecycle", "Zstd", system,
            ],
            swiftSettings: house
        ),

        // Floor 4: services.
        .target(
            name: "Migration",
            dependencies: [
                "Bytes", "CAR", "DAGStorage", "Hashing", "Mounts", "Multiformats", system,
                .target(name: "CLevelDB", condition: .when(traits: ["LevelDB"])),
                .target(name: "CLevelDBView", condition: .when(traits: ["LevelDB"])),
            ],
            swiftSettings: house
        ),

        // Floor 5: doors.
        .target(
            name: "DAGStoreC",
            dependencies: [
                "Bytes", "CAR", "CDAGStore", "CDAGSystem", "DAGStorage", "Mounts", "Multiformats",
                "SharedReads", system,
            ],
            swiftSettings: house
        ),
        .executableTarget(
            name: "dagstore",
            dependencies: [
                "Bytes", "CAR", "DAGStorage", "Hashing", "Migration", "Mounts", "Multiformats",
                "ShardIndex", arguments, system,
            ],
            swiftSettings: house
        ),
        // Writes the pages of the manual from what the program's parser says.
        .executableTarget(name: "dagstore-manual", swiftSettings: house),
        .executableTarget(
            name: "dagstore-demo",
            dependencies: ["Bytes", "CAR", "Hashing", "Mounts", "Multiformats", system],
            swiftSettings: house
        ),

        // Suites, one beside each module, and those that look at the whole.
        .target(
            name: "TestSupport",
            dependencies: ["Bytes", "CAR", "Hashing", "Mounts", "Multiformats", system],
            path: "Tests/TestSupport",
            swiftSettings: house
        ),
        // What the fuzzers check, so that `make test` can replay what they found.
        .target(
            name: "FuzzChecks",
            dependencies: ["Bytes", "CAR", "Hashing", "Multiformats", "ShardIndex"],
            path: "Tests/Fuzz/Checks",
            swiftSettings: house
        ),
        tests("SharedReads"),
        tests("Multiformats", also: ["Bytes"]),
        tests("Hashing", also: ["Bytes", "Multiformats"]),
        tests("LMDB", also: ["Bytes"]),
        tests("Zstd", also: ["Bytes"]),
        tests("CAR", also: ["Bytes", "FuzzChecks", "Hashing", "Multiformats", "ShardIndex"]),
        tests("ShardIndex", also: ["Bytes", "Hashing", "Multiformats", "Zstd"]),
        tests("ShardLifecycle", exclude: ["mutants.sh"]),
        tests("Catalog", also: ["Bytes", "Hashing", "LMDB", "Multiformats", "ShardIndex", system]),
        tests("Mounts", also: ["Bytes", "Hashing", system]),
        tests(
            "DAGStorage",
            also: [
                "Bytes", "CAR", "Catalog", "Failpoints", "Hashing", "LMDB", "Mounts",
                "Multiformats", "ShardIndex", "ShardLifecycle", "dagstore", system,
            ]
        ),
        tests("Migration", also: ["Bytes", "DAGStorage", "Mounts", "Multiformats", system]),
        .testTarget(
            name: "InteropTests",
            dependencies: [
                "Bytes", "CAR", "DAGStorage", "FuzzChecks", "Hashing", "Mounts", "Multiformats",
                "ShardIndex", "TestSupport", "Zstd", system,
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "Bytes", "CAR", "Multiformats", "TestSupport", "dagstore", "dagstore-manual",
                system,
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "DAGStoreCTests",
            dependencies: [
                "CDAGStore", "DAGStorage", "DAGStoreC", "Multiformats", "TestSupport",
            ],
            swiftSettings: house
        ),
        .testTarget(name: "TidyTests", dependencies: ["TestSupport"], swiftSettings: house),
    ]
)
