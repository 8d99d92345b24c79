#if Cluster
    internal import DAGStorage
    internal import PostgreSQL

    extension DAGStoreError {
        /// Creates an error with the next step for the caller.
        init(_ code: Code, _ message: String, shard: ShardKey? = nil, advice: String) {
            self.init(code, message, shard: shard)
            self.advice = advice
        }

        /// Converts an error of the database.
        init(_ error: PostgreSQLError) {
            switch error.code {
            case .noLibrary:
                self.init(.invalidConfiguration, "a cluster needs libpq: \(error)")
                advice = "install it, on Debian and Ubuntu with 'apt-get install libpq5'"
            case .malformedAddress: self.init(.invalidArgument, error.detail)
            case .denied: self.init(.invalidConfiguration, "\(error)")
            case .missing:
                self.init(.invalidArgument, "the database has no cluster: \(error)")
                advice = "make one with 'dagstore cluster init', or give --cluster another database"
            case .unknownOutcome:
                self.init(.catalogUnreachable, "the outcome is unknown: \(error)")
            case .unreachable, .busy, .connectionLost, .deadlineExceeded, .conflict:
                self.init(.catalogUnreachable, "\(error)")
            case .readOnly:
                self.init(.readOnly, "the database takes no changes: \(error)")
                advice = "give --cluster the address of the primary server"
            case .full: self.init(.catalogFull, "the database is full: \(error)")
            case .duplicate, .violation, .malformedRow, .rejected:
                self.init(.catalogCorrupt, "the database refused a change: \(error)")
                advice = "see the server's log; the tables of the cluster may be damaged"
            }
        }
    }
#endif
