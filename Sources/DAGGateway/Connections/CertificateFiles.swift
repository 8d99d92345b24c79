#if Node
    internal import DAGStorage
    internal import DAGSystem
    internal import Logging
    internal import NIOCore
    internal import NIOSSL
    internal import SharedReads
    internal import SystemPackage

    /// A gateway's certificate and key, which are read again when their files change.
    ///
    /// A handshake looks at the files, at most once a second. While they cannot be used, as when only one of them is
    /// replaced yet, the gateway goes on with the pair that it has, and the log has the reason.
    ///
    /// *Concurrency*: any thread.
    final class CertificateFiles: Sendable {
        /// The largest file, in bytes.
        private static let sizeMax = 1 << 20
        /// The least time between two looks at the files.
        private static let interval: Duration = .seconds(1)

        /// What the two files contain.
        private struct Contents: Equatable {
            let certificate: [UInt8]
            let key: [UInt8]
        }

        private struct State {
            /// What is in use.
            var contents: Contents
            var pair: NIOSSLContextConfigurationOverride
            /// Why the last look found nothing to use; nil if it did.
            var problem: String?
            var lookedAt: ContinuousClock.Instant
            var isLooking = false
        }

        private let certificatePath: FilePath
        private let keyPath: FilePath
        private let blocking: Blocking
        private let logger: Logger
        private let state: Lock<State>

        /// Reads the two files.
        ///
        /// - Throws: `invalidConfiguration` if they are no certificate and its key.
        init(
            _ certificatePath: String,
            _ keyPath: String,
            _ blocking: Blocking,
            _ logger: Logger
        ) throws(DAGStoreError) {
            self.certificatePath = FilePath(certificatePath)
            self.keyPath = FilePath(keyPath)
            self.blocking = blocking
            self.logger = logger
            let contents = try Self.read(self.certificatePath, self.keyPath)
            let pair = try Self.pair(of: contents, self.certificatePath, self.keyPath)
            state = Lock(State(contents: contents, pair: pair, lookedAt: .now))
        }

        /// The settings of a server whose handshakes use the files.
        var configuration: TLSConfiguration {
            var configuration = Self.configuration(of: state.withLock { $0.pair })
            configuration.sslContextCallback = { [self] _, promise in
                guard mayLook() else { return promise.succeed(state.withLock { $0.pair }) }
                promise.completeWithTask { [self] in
                    try await blocking.call { [self] in look() }
                    return state.withLock { $0.pair }
                }
            }
            return configuration
        }

        /// Whether the caller is to look at the files now.
        private func mayLook() -> Bool {
            state.withLock { state in
                // One that waits for a disk keeps no other handshake waiting.
                guard !state.isLooking, state.lookedAt.duration(to: .now) >= Self.interval else {
                    return false
                }
                state.isLooking = true
                return true
            }
        }

        /// Takes what the files contain now, if it can be used.
        private func look() {
            let known = state.withLock { $0.contents }
            let result = Result<State?, DAGStoreError> { () throws(DAGStoreError) in
                let contents = try Self.read(certificatePath, keyPath)
                guard contents != known else { return nil }
                let pair = try Self.pair(of: contents, certificatePath, keyPath)
                return State(contents: contents, pair: pair, lookedAt: .now)
            }
            let (isNew, problem) = state.withLock { state -> (Bool, String?) in
                state.isLooking = false
                state.lookedAt = .now
                switch result {
                case .success(nil):
                    state.problem = nil
                    return (false, nil)
                case .success(let next?):
                    state = next
                    return (true, nil)
                case .failure(let error):
                    defer { state.problem = error.message }
                    return (false, error.message == state.problem ? nil : error.message)
                }
            }
            if isNew {
                let path = "\(certificatePath)"
                logger.notice("The certificate was replaced", metadata: ["path": "\(path)"])
            }
            if let problem {
                let metadata: Logger.Metadata = ["error": "\(problem)"]
                logger.error("The new certificate cannot be used", metadata: metadata)
            }
        }

        // MARK: Files

        private static func read(
            _ certificatePath: FilePath,
            _ keyPath: FilePath
        ) throws(DAGStoreError) -> Contents {
            func bytes(_ path: FilePath) throws(DAGStoreError) -> [UInt8] {
                do {
                    return try FileSystem.contents(of: path, sizeMax: sizeMax)
                } catch {
                    throw problem("\(path): \(error)")
                }
            }
            return Contents(certificate: try bytes(certificatePath), key: try bytes(keyPath))
        }

        private static func pair(
            of contents: Contents,
            _ certificatePath: FilePath,
            _ keyPath: FilePath
        ) throws(DAGStoreError) -> NIOSSLContextConfigurationOverride {
            guard let chain = try? NIOSSLCertificate.fromPEMBytes(contents.certificate),
                !chain.isEmpty
            else { throw problem("\(certificatePath) contains no certificate in PEM") }
            guard let key = try? NIOSSLPrivateKey(bytes: contents.key, format: .pem) else {
                throw problem("\(keyPath) contains no private key in PEM without a passphrase")
            }
            var pair = NIOSSLContextConfigurationOverride()
            pair.certificateChain = chain.map { .certificate($0) }
            pair.privateKey = .privateKey(key)
            do {
                _ = try NIOSSLContext(configuration: configuration(of: pair))
            } catch {
                throw problem("\(keyPath) is not the key of the certificate in \(certificatePath)")
            }
            return pair
        }

        private static func configuration(
            of pair: NIOSSLContextConfigurationOverride
        ) -> TLSConfiguration {
            guard let chain = pair.certificateChain, let key = pair.privateKey else {
                preconditionFailure("a pair has a chain and a key")
            }
            return .makeServerConfiguration(certificateChain: chain, privateKey: key)
        }

        private static func problem(_ text: String) -> DAGStoreError {
            DAGStoreError(.invalidConfiguration, "TLS: \(text)")
        }
    }
#endif
