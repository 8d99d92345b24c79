// swift-tools-version: 6.3

import PackageDescription

// A separate package, so that users of the library do not resolve the harness's dependencies.

let arguments = Target.Dependency.product(
    name: "ArgumentParser",
    package: "swift-argument-parser"
)

/// A product of the library.
func dagstore(_ name: String) -> Target.Dependency {
    .product(name: name, package: "swift-dagstore")
}

let package = Package(
    name: "dagstore-benchmarks",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(name: "swift-dagstore", path: "..", traits: ["Cluster"]),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/google/swift-benchmark", from: "0.1.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        // Peers. LevelDB has no pkg-config file; RocksDB is looked for when it is measured.
        .systemLibrary(
            name: "CLevelDBPeer",
            path: "CModules/CLevelDBPeer",
            providers: [.apt(["libleveldb-dev"]), .brew(["leveldb"])]
        ),
        .systemLibrary(
            name: "CLMDBPeer",
            path: "CModules/CLMDBPeer",
            pkgConfig: "lmdb",
            providers: [.apt(["liblmdb-dev"]), .brew(["lmdb"])]
        ),
        .systemLibrary(
            name: "CDigestPeer",
            path: "CModules/CDigestPeer",
            pkgConfig: "libcrypto",
            providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]
        ),
        .target(name: "Peers", dependencies: ["CLevelDBPeer", "CLMDBPeer", "CDigestPeer"]),
        .testTarget(name: "PeersTests", dependencies: ["Peers", "CDigestPeer"]),

        // Turns figures into reports.
        .target(name: "BenchReport"),
        .testTarget(name: "BenchReportTests", dependencies: ["BenchReport"]),

        .executableTarget(
            name: "dagstore-bench",
            dependencies: [
                "BenchReport", "CLevelDBPeer", "Peers", dagstore("DAGStorage"),
                dagstore("DAGMeasurement"), dagstore("DAGCAR"), dagstore("DAGMultiformats"),
                arguments,
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        // The HTTP library alone, beside which the gateway is measured.
        .executableTarget(
            name: "http-baseline",
            dependencies: [
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ]
        ),
        // Single steps: their times, and a program for a tool that counts instructions.
        .executableTarget(
            name: "dagstore-micro",
            dependencies: [
                dagstore("DAGMeasurement"), .product(name: "Benchmark", package: "swift-benchmark"),
            ]
        ),
        .executableTarget(
            name: "dagstore-steps",
            dependencies: [dagstore("DAGMeasurement")]
        ),
    ]
)
