// swift-tools-version: 6.2

import PackageDescription

// A package of its own, so that nobody who uses the library resolves what the harness needs.

let package = Package(
    name: "dagstore-benchmarks",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(name: "swift-dagstore", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        // A peer, and how Boost keeps its index. It has no pkg-config file.
        .systemLibrary(
            name: "CLevelDBPeer",
            path: "CModules/CLevelDBPeer",
            providers: [.apt(["libleveldb-dev"]), .brew(["leveldb"])]
        ),
        .executableTarget(
            name: "dagstore-bench",
            dependencies: [
                "CLevelDBPeer",
                .product(name: "DAGStorage", package: "swift-dagstore"),
                .product(name: "CAR", package: "swift-dagstore"),
                .product(name: "Multiformats", package: "swift-dagstore"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .executableTarget(
            name: "dagstore-steps",
            dependencies: [.product(name: "DAGStorage", package: "swift-dagstore")]
        ),
    ]
)
