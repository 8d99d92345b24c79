#if Node
    public import DAGIPLD
    public import DAGMultiformats
    package import DAGStorage

    /// What a request that this gateway cannot answer is for.
    public enum GatewayContent: Sendable, Equatable {
        /// A block, or a DAG that begins with it.
        case block(CID)
        /// The CAR of the shard with a key.
        case piece(String)
    }

    /// How a gateway listens, and how much it serves at once.
    public struct GatewayConfiguration: Sendable {
        /// The name or number of the interface to listen on.
        public var host = "127.0.0.1"
        /// The port; 0 lets the system choose one.
        public var port = 8080
        /// The PEM file with the certificate and those of its issuers; nil serves HTTP/1.1 in the clear.
        ///
        /// With a certificate, the gateway serves HTTP/2 and HTTP/1.1 over TLS. It reads both files again when they
        /// change.
        public var certificatePath: String?
        /// The PEM file with the certificate's private key.
        public var keyPath: String?

        /// The most CARs and pieces that are sent at once; further requests get status 429.
        public var streamsMax = 256
        /// The most bytes of content in one answer; nil is no limit.
        ///
        /// An answer whose size is known is refused with status 413; a CAR ends early, and the client can tell.
        public var requestBytesMax: UInt64?
        /// The most bytes of content in all answers of a period; nil is no limit.
        ///
        /// Requests that begin after these bytes get status 429 until the period ends. Answers that began go on.
        public var totalBytesMax: UInt64?
        /// The period of `totalBytesMax`.
        public var totalBytesPeriod: Duration = .seconds(3600)
        /// The `Retry-After` of status 429 where too many answers are sent at once.
        public var retryAfter: Duration = .seconds(5)

        /// Finds another server that has what this gateway lacks; nil to answer with status 404.
        ///
        /// The function returns the URL of the server, or nil if none has the content. The client gets status 307. An
        /// error becomes status 503, because the content may exist.
        public var elsewhere: (@Sendable (GatewayContent) async throws -> String?)?
        /// Returns blocks that the store lacks, so that this gateway answers with them; nil if it does not.
        package var blocksElsewhere: BlocksElsewhere?

        /// How long a client may take for 256 KiB of an answer before the gateway closes its connection.
        public var slowClientTimeout: Duration = .seconds(30)
        /// How long a connection may be open without a request.
        public var idleTimeout: Duration = .seconds(75)
        /// The most connections; further ones wait until the system turns them away.
        public var connectionsMax = 16384
        /// How long the store may take to fetch what is not on this machine.
        public var fetchTimeout: Duration = .seconds(60)

        /// Whether every block is hashed before it is sent.
        public var verifiesBlocks = false
        /// The bounds of every walk.
        public var limits = DAGLimits()

        /// Creates a configuration with the usual values.
        public init() {}
    }

#endif
