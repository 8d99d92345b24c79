// swift-tools-version: 6.3

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

/// A product of a package that only the trait Node fetches and builds.
func node(_ product: String, _ package: String) -> Target.Dependency {
    .product(name: product, package: package, condition: .when(traits: ["Node"]))
}

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
        .library(name: "DAGCAR", targets: ["DAGCAR", "DAGMultiformats", "DAGBytes"]),
        .library(name: "DAGMultiformats", targets: ["DAGMultiformats", "DAGBytes"]),
        // Empty without the trait Cluster.
        .library(name: "DAGCluster", targets: ["DAGCluster"]),
        // Parts of the store that the benchmarks measure; only they link it.
        .library(name: "DAGMeasurement", targets: ["DAGMeasurement"]),
        .executable(name: "dagstore", targets: ["dagstore"]),
        // What `make libdagstore` links into libdagstore.so.
        .library(name: "dagstore-objects", type: .static, targets: ["DAGStoreC"]),
    ],
    traits: [
        .trait(
            name: "LevelDB",
            description:
                "Reads and writes the LevelDB datastores of Go nodes; needs libleveldb-dev."
        ),
        .trait(
            name: "Node",
            description:
                "Serves a store over HTTP: `dagstore serve`; needs a web server's packages."
        ),
        .trait(
            name: "Cluster",
            description: "Many nodes with one catalog in PostgreSQL; needs libpq-dev."
        ),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        // Only the trait Node uses these.
        // Without its traits: its reader of JSON needs all of Foundation, 60 MB in the linked program.
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // Ground: C.
        .systemLibrary(
            name: "CDAGLMDB",
            path: "CModules/CDAGLMDB",
            pkgConfig: "lmdb",
            providers: [.apt(["liblmdb-dev"]), .brew(["lmdb"])]
        ),
        .systemLibrary(
            name: "CDAGZstd",
            path: "CModules/CDAGZstd",
            pkgConfig: "libzstd",
            providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]
        ),

        .systemLibrary(
            name: "CDAGDigest",
            path: "CModules/CDAGDigest",
            pkgConfig: "libcrypto",
            providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]
        ),

        // Only Migration uses it, and only where the trait is enabled. It has no pkg-config file.
        .systemLibrary(
            name: "CDAGLevelDB",
            path: "CModules/CDAGLevelDB",
            providers: [.apt(["libleveldb-dev"]), .brew(["leveldb"])]
        ),

        // Loads libpq when a program first needs it; empty where its header is missing. Only PostgreSQL uses it.
        .target(name: "CDAGPQ", path: "CModules/CDAGPQ"),

        // Where LevelDB is not there, it says so; see its header.
        .target(
            name: "CDAGLevelDBView",
            path: "CModules/CDAGLevelDBView",
            linkerSettings: [.linkedLibrary("leveldb", .when(traits: ["LevelDB"]))]
        ),

        // The C interface: its header is the source of truth, which DAGStoreC implements.
        .systemLibrary(name: "CDAGStore", path: "CModules/CDAGStore"),

        // Below the floors: the one view of bytes that all of them pass around.
        .target(name: "CDAGSystem", path: "CModules/CDAGSystem"),
        .target(name: "DAGBytes", dependencies: ["CDAGSystem"], swiftSettings: house),
        // The system calls of the package, and the one place that knows which C library there is.
        .target(name: "DAGSystem", dependencies: ["CDAGSystem", system], swiftSettings: house),
        // How threads read what may go, without meeting.
        .target(
            name: "SharedReads",
            dependencies: ["CDAGSystem", "DAGSystem"],
            swiftSettings: house
        ),

        // Floor 0: one concern each; no floor-mates.
        .target(name: "DAGMultiformats", dependencies: ["DAGBytes"], swiftSettings: house),
        .target(
            name: "DAGLMDB",
            dependencies: ["CDAGLMDB", "DAGBytes", "DAGSystem", "SharedReads", system],
            swiftSettings: house
        ),
        .target(
            name: "DAGZstd",
            dependencies: ["CDAGZstd", "DAGBytes", "SharedReads"],
            swiftSettings: house
        ),
        .target(
            name: "DAGHashing",
            dependencies: ["DAGBytes", "CDAGDigest"],
            swiftSettings: house
        ),

        // Sessions and transactions; empty without the trait Cluster.
        .target(
            name: "PostgreSQL",
            dependencies: [
                "DAGSystem", "SharedReads",
                .target(name: "CDAGPQ", condition: .when(traits: ["Cluster"])),
            ],
            swiftSettings: house
        ),

        .target(name: "DAGFailpoints", dependencies: ["DAGSystem"], swiftSettings: house),
        .target(name: "ShardLifecycle", swiftSettings: house),

        // Floor 1: formats. Bytes become values here; no file is opened.
        .target(
            name: "DAGCAR",
            dependencies: ["DAGBytes", "DAGMultiformats"],
            swiftSettings: house
        ),
        .target(
            name: "ShardIndex",
            dependencies: [
                "DAGBytes", "DAGMultiformats", "DAGHashing", "DAGSystem", "DAGZstd", "SharedReads",
            ],
            swiftSettings: house
        ),

        // Links, files and folders that the bytes of blocks describe; blocks come through the caller.
        .target(
            name: "DAGIPLD",
            dependencies: ["DAGBytes", "DAGHashing", "DAGMultiformats"],
            swiftSettings: house
        ),

        // Floor 2: state.
        .target(
            name: "DAGCatalog",
            dependencies: [
                "DAGBytes", "DAGFailpoints", "DAGHashing", "DAGLMDB", "DAGSystem", "ShardIndex",
                "SharedReads", system,
            ],
            swiftSettings: house
        ),
        .target(
            name: "DAGMounts",
            dependencies: [
                "DAGBytes", "CDAGSystem", "DAGFailpoints", "DAGHashing", "DAGSystem", "SharedReads",
                system,
            ],
            swiftSettings: house
        ),

        // What a gateway request asks for, and what the answer says: a value, without a socket.
        .target(
            name: "GatewayRequests",
            dependencies: ["DAGBytes", "DAGHashing", "DAGIPLD", "DAGMultiformats"],
            swiftSettings: house
        ),

        // Objects behind HTTP and S3, by ranges; without the trait Node, only the formats.
        .target(
            name: "ObjectStorage",
            dependencies: [
                "DAGBytes", "DAGHashing", "DAGSystem", "SharedReads", system,
                node("AsyncHTTPClient", "async-http-client"), node("HTTPTypes", "swift-http-types"),
                node("Logging", "swift-log"), node("NIOCore", "swift-nio"),
                node("NIOHTTP1", "swift-nio"),
            ],
            swiftSettings: house
        ),

        // Floor 3: files.
        .target(
            name: "DAGCARFiles",
            dependencies: [
                "DAGBytes", "DAGCAR", "DAGHashing", "DAGIPLD", "DAGMounts", "DAGMultiformats",
                "ShardIndex", "SharedReads", system,
            ],
            swiftSettings: house
        ),

        // Floor 4: the store.
        .target(
            name: "DAGStorage",
            dependencies: [
                "DAGBytes", "DAGCAR", "DAGCARFiles", "DAGCatalog", "DAGFailpoints", "DAGHashing",
                "DAGIPLD", "DAGMounts",
                "DAGMultiformats", "DAGSystem",
                "SharedReads", "ShardIndex", "ShardLifecycle", "DAGZstd", system,
            ],
            swiftSettings: house
        ),
        // Folders into CARs and back.
        .target(
            name: "UnixFSFiles",
            dependencies: [
                "DAGBytes", "DAGCAR", "DAGCARFiles", "DAGHashing", "DAGIPLD", "DAGMounts",
                "DAGMultiformats", "DAGSystem", "ShardIndex", system,
            ],
            swiftSettings: house
        ),

        // Floor 5: services.
        .target(
            name: "DAGMigration",
            dependencies: [
                "DAGBytes", "DAGCAR", "DAGCARFiles", "DAGStorage", "DAGHashing", "DAGMounts",
                "DAGMultiformats", "DAGSystem",
                system,
                .target(name: "CDAGLevelDB", condition: .when(traits: ["LevelDB"])),
                .target(name: "CDAGLevelDBView", condition: .when(traits: ["LevelDB"])),
            ],
            swiftSettings: house
        ),

        // The trustless HTTP gateway; empty without the trait Node.
        .target(
            name: "DAGGateway",
            dependencies: [
                "DAGBytes", "DAGCAR", "DAGIPLD", "DAGMounts", "DAGMultiformats", "DAGStorage",
                "DAGSystem", "GatewayRequests", "SharedReads", system,
                node("HTTPTypes", "swift-http-types"), node("HummingbirdCore", "hummingbird"),
                node("HummingbirdHTTP2", "hummingbird"), node("Logging", "swift-log"),
                node("NIOCore", "swift-nio"), node("NIOHTTP1", "swift-nio"),
                node("NIOPosix", "swift-nio"), node("NIOTLS", "swift-nio"),
                node("NIOSSL", "swift-nio-ssl"),
                node("ServiceLifecycle", "swift-service-lifecycle"),
            ],
            swiftSettings: house
        ),

        // Shards behind HTTP and S3; empty without the trait Node.
        .target(
            name: "RemoteMounts",
            dependencies: [
                "DAGBytes", "DAGCAR", "DAGCARFiles", "DAGFailpoints", "DAGHashing", "DAGMounts",
                "DAGMultiformats",
                "DAGStorage", "DAGSystem", "ObjectStorage", "ShardIndex", system,
            ],
            swiftSettings: house
        ),

        // Many nodes with one catalog in PostgreSQL; empty without the trait Cluster.
        .target(
            name: "DAGCluster",
            dependencies: [
                "DAGBytes", "DAGCatalog", "DAGHashing", "DAGMounts", "DAGMultiformats",
                "DAGStorage", "DAGSystem", "ObjectStorage",
                "PostgreSQL", "ShardIndex", "SharedReads", system,
            ],
            swiftSettings: house
        ),

        // What a node and its clients tell each other: JSON of shards, the frames of a verb's output.
        .target(
            name: "AdminMessages",
            dependencies: [
                "DAGBytes", "DAGHashing", "DAGMounts", "DAGStorage", "DAGSystem", system,
            ],
            swiftSettings: house
        ),

        // The admin interface of a node and its metrics; without the trait Node, only formats and rules.
        .target(
            name: "DAGAdmin",
            dependencies: [
                "AdminMessages", "DAGBytes", "DAGGateway", "DAGHashing", "DAGMounts", "DAGStorage",
                "DAGSystem", "GatewayRequests", "SharedReads", system,
                node("CoreMetrics", "swift-metrics"), node("HTTPTypes", "swift-http-types"),
                node("HummingbirdCore", "hummingbird"), node("Logging", "swift-log"),
                node("NIOCore", "swift-nio"), node("NIOPosix", "swift-nio"),
                node("ServiceLifecycle", "swift-service-lifecycle"),
            ],
            resources: [
                .embedInCode("Page/status.html"), .embedInCode("API/openapi.json"),
            ],
            swiftSettings: house
        ),

        // Only the benchmarks link it.
        .target(
            name: "DAGMeasurement",
            dependencies: [
                "DAGBytes", "DAGCAR", "DAGCARFiles", "DAGCatalog", "DAGCluster", "DAGHashing",
                "DAGMounts", "DAGMultiformats", "DAGStorage", "ShardIndex", "ShardLifecycle",
                system,
            ],
            swiftSettings: house
        ),

        // Floor 6: a whole node; empty without the trait Node.
        .target(
            name: "DAGNode",
            dependencies: [
                "AdminMessages", "DAGAdmin", "DAGCluster", "DAGGateway", "DAGIPLD", "DAGMounts",
                "DAGMultiformats",
                "DAGStorage", "DAGSystem", "SharedReads", system,
                node("Configuration", "swift-configuration"), node("Logging", "swift-log"),
                node("NIOCore", "swift-nio"),
                node("ServiceLifecycle", "swift-service-lifecycle"),
                node("UnixSignals", "swift-service-lifecycle"),
            ],
            swiftSettings: house
        ),

        // Floor 7: doors.
        .target(
            name: "DAGStoreC",
            dependencies: [
                "DAGBytes", "DAGCAR", "DAGCARFiles", "CDAGStore", "CDAGSystem", "DAGStorage",
                "DAGMounts",
                "DAGMultiformats", "RemoteMounts",
                "DAGSystem", "SharedReads", system,
            ],
            swiftSettings: house
        ),
        .executableTarget(
            name: "dagstore",
            dependencies: [
                "AdminMessages", "DAGBytes", "DAGCAR", "DAGCARFiles", "DAGCluster", "DAGIPLD",
                "DAGNode", "DAGStorage",
                "DAGHashing",
                "DAGMigration", "DAGMounts",
                "DAGMultiformats", "ObjectStorage", "RemoteMounts",
                "DAGSystem", "ShardIndex", "UnixFSFiles", arguments, system,
            ],
            swiftSettings: house
        ),
        // Writes the pages of the manual from what the program's parser says.
        .executableTarget(name: "dagstore-manual", swiftSettings: house),

        // Suites, one beside each module, and those that look at the whole.
        .target(
            name: "TestSupport",
            dependencies: [
                "DAGBytes", "DAGCAR", "DAGHashing", "DAGMounts", "DAGMultiformats", "DAGSystem",
                system,
                node("NIOCore", "swift-nio"), node("NIOHTTP1", "swift-nio"),
                node("NIOPosix", "swift-nio"),
            ],
            path: "Tests/TestSupport",
            swiftSettings: house
        ),
        // What the fuzzers check, so that `make test` can replay what they found.
        .target(
            name: "FuzzChecks",
            dependencies: [
                "DAGBytes", "DAGCAR", "DAGHashing", "DAGIPLD", "DAGMultiformats", "GatewayRequests",
                "ShardIndex",
            ],
            path: "Tests/Fuzz/Checks",
            swiftSettings: house
        ),
        tests("DAGSystem", also: [system]),
        tests("SharedReads"),
        tests("PostgreSQL"),
        tests(
            "DAGCluster",
            also: [
                "DAGBytes", "DAGCAR", "DAGCatalog", "DAGHashing", "DAGMounts", "DAGMultiformats",
                "DAGStorage", "PostgreSQL", "ShardIndex", system,
            ]
        ),
        // Clusters of processes; no module of its own.
        .testTarget(
            name: "ClusterSoakTests",
            dependencies: [
                "DAGCluster", "DAGMounts", "DAGMultiformats", "DAGStorage", "PostgreSQL",
                "TestSupport", "dagstore", system,
                node("AsyncHTTPClient", "async-http-client"), node("NIOCore", "swift-nio"),
                node("NIOHTTP1", "swift-nio"), node("NIOPosix", "swift-nio"),
            ],
            swiftSettings: house
        ),
        tests("DAGMultiformats", also: ["DAGBytes"]),
        tests("DAGHashing", also: ["DAGBytes", "DAGMultiformats"]),
        tests("DAGLMDB", also: ["DAGBytes"]),
        tests("DAGZstd", also: ["DAGBytes"]),
        tests(
            "DAGCAR",
            also: ["DAGBytes", "FuzzChecks", "DAGHashing", "DAGMultiformats", "ShardIndex"]
        ),
        tests(
            "DAGIPLD",
            also: ["DAGBytes", "DAGCAR", "DAGHashing", "DAGMultiformats", "FuzzChecks"]
        ),
        tests("GatewayRequests", also: ["DAGBytes", "DAGIPLD", "DAGMultiformats", "FuzzChecks"]),
        tests(
            "UnixFSFiles",
            also: [
                "DAGBytes", "DAGCAR", "DAGCARFiles", "DAGHashing", "DAGIPLD", "DAGMultiformats",
                system,
            ]
        ),
        tests(
            "DAGGateway",
            also: [
                "DAGBytes", "DAGCAR", "DAGHashing", "DAGIPLD", "DAGMounts", "DAGMultiformats",
                "DAGStorage", "GatewayRequests", "SharedReads", "UnixFSFiles", system,
                node("AsyncHTTPClient", "async-http-client"), node("Logging", "swift-log"),
                node("NIOCore", "swift-nio"), node("NIOEmbedded", "swift-nio"),
                node("NIOHTTP1", "swift-nio"),
                node("NIOPosix", "swift-nio"), node("NIOSSL", "swift-nio-ssl"),
                node("ServiceLifecycle", "swift-service-lifecycle"),
            ]
        ),
        tests(
            "ObjectStorage",
            also: [
                "DAGBytes", "DAGHashing", "DAGSystem", system, node("NIOCore", "swift-nio"),
                node("NIOHTTP1", "swift-nio"), node("NIOPosix", "swift-nio"),
            ]
        ),
        tests(
            "RemoteMounts",
            also: [
                "DAGBytes", "DAGCAR", "DAGCARFiles", "DAGFailpoints", "DAGHashing", "DAGMounts",
                "DAGMultiformats", "DAGStorage", "DAGSystem", "dagstore", "ObjectStorage",
                "ShardIndex", system, node("NIOCore", "swift-nio"),
                node("NIOHTTP1", "swift-nio"), node("NIOPosix", "swift-nio"),
            ]
        ),
        tests(
            "DAGNode",
            also: [
                "DAGCluster", "DAGGateway", "DAGIPLD", "DAGMounts", "DAGMultiformats",
                "DAGStorage", "DAGSystem",
                "UnixFSFiles", "dagstore", system,
                node("AsyncHTTPClient", "async-http-client"),
                node("Logging", "swift-log"), node("NIOCore", "swift-nio"),
                node("NIOHTTP1", "swift-nio"),
            ]
        ),
        tests("AdminMessages", also: ["DAGSystem", system]),
        tests(
            "DAGAdmin",
            also: [
                "AdminMessages", "DAGGateway", "DAGMounts", "DAGStorage", "SharedReads", system,
                node("CoreMetrics", "swift-metrics"), node("HTTPTypes", "swift-http-types"),
                node("Logging", "swift-log"),
            ]
        ),
        tests("ShardIndex", also: ["DAGBytes", "DAGHashing", "DAGMultiformats", "DAGZstd"]),
        tests("ShardLifecycle", exclude: ["mutants.sh"]),
        tests(
            "DAGCatalog",
            also: ["DAGBytes", "DAGHashing", "DAGLMDB", "DAGMultiformats", "ShardIndex", system]
        ),
        tests("DAGMounts", also: ["DAGBytes", "DAGHashing", system]),
        tests(
            "DAGStorage",
            also: [
                "DAGBytes", "DAGCAR", "DAGCatalog", "DAGFailpoints", "DAGHashing", "DAGIPLD",
                "DAGLMDB", "DAGMeasurement", "DAGMounts",
                "DAGMultiformats", "DAGSystem", "ShardIndex", "ShardLifecycle", "dagstore", system,
            ]
        ),
        tests(
            "DAGMigration",
            also: ["DAGBytes", "DAGStorage", "DAGMounts", "DAGMultiformats", system]
        ),
        .testTarget(
            name: "InteropTests",
            dependencies: [
                "DAGBytes", "DAGCAR", "DAGCARFiles", "DAGStorage", "FuzzChecks", "DAGHashing",
                "DAGMounts",
                "DAGMultiformats",
                "ShardIndex", "TestSupport", "DAGZstd", system,
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "DAGBytes", "DAGCAR", "DAGMultiformats", "TestSupport", "dagstore",
                "dagstore-manual",
                system,
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "DAGStoreCTests",
            dependencies: [
                "CDAGStore", "DAGStorage", "DAGStoreC", "DAGCAR", "DAGMultiformats", "TestSupport",
            ],
            swiftSettings: house
        ),
        .testTarget(name: "TidyTests", dependencies: ["TestSupport"], swiftSettings: house),
    ]
)
