package import DAGCAR
package import DAGCARFiles
package import DAGCatalog
package import DAGIPLD
package import DAGMounts
package import DAGMultiformats
package import ShardIndex

extension DAGStoreError {
    @inline(never)
    package init(_ error: CARError) {
        let code: Code.Known =
            switch error.code {
            case .truncated: .truncated
            case .unsupportedVersion: .unsupportedVersion
            case .limitExceeded: .limitExceeded
            case .malformedIndex: .malformedIndex
            default: .malformedCAR
            }
        self.init(Code(code), error.description, offset: error.offset)
    }

    @inline(never)
    package init(_ error: MountError) {
        let code: Code.Known =
            switch error.code {
            case .gone: .mountGone
            case .changed: .sourceChanged
            case .unknownScheme: .unknownScheme
            case .malformedURL, .exists: .invalidArgument
            case .full: .catalogFull
            case .cancelled: .cancelled
            case .shortRead: .fetchFailed
            case .timedOut: .fetchTimedOut
            case .quota: .quotaExceeded
            case .outOfResources: .outOfResources
            default: .mountUnreachable
            }
        self.init(Code(code), error.detail)
    }

    @inline(never)
    package init(_ error: CatalogError) {
        let code: Code.Known =
            switch error.code {
            case .missing: .invalidArgument
            case .corrupt: .catalogCorrupt
            case .full: .catalogFull
            case .locked: .catalogLocked
            case .tooNew: .catalogTooNew
            case .readOnly, .io: .readOnly
            case .exists: .shardExists
            case .outOfResources: .outOfResources
            case .tooManyReaders: .tooManyReaders
            case .reopenNeeded: .reopenNeeded
            }
        self.init(Code(code), error.detail)
    }

    @inline(never)
    package init(_ error: ShardIndexError) {
        switch (error.code, error.underlying) {
        case (.storage, let underlying?): self = DAGStoreError(any: underlying)
        case (.limitExceeded, _): self.init(.limitExceeded, error.detail)
        case (.unsupportedVersion, _): self.init(.catalogTooNew, error.detail)
        default: self.init(.catalogCorrupt, error.description)
        }
    }

    @inline(never)
    package init(_ error: MultiformatsError) {
        self.init(.invalidCID, error.description, offset: UInt64(error.offset))
    }

    @inline(never)
    package init(_ error: IPLDError) {
        let code: Code.Known =
            switch error.code.value {
            case .malformedBlock: .malformedBlock
            case .unsupportedCodec: .unsupportedCodec
            case .pathNotFound: .pathNotFound
            case .pathNotALink: .pathNotALink
            case .limitExceeded: .limitExceeded
            }
        self.init(Code(code), (error.cid.map { "\($0.briefText): " } ?? "") + error.message)
    }

    /// Converts any error; keeps a `DAGStoreError`.
    ///
    /// An error of an unknown type comes from a mount, and becomes `mountUnreachable`.
    @inline(never)
    package init(any error: any Error) {
        switch error {
        case let error as DAGStoreError: self = error
        case let error as CARError: self.init(error)
        case let error as MountError: self.init(error)
        case let error as CatalogError: self.init(error)
        case let error as ShardIndexError: self.init(error)
        case let error as MultiformatsError: self.init(error)
        case let error as IPLDError: self.init(error)
        case is CancellationError: self.init(.cancelled, "cancelled")
        default: self.init(.mountUnreachable, "\(error)")
        }
    }
}

/// Runs `body`, and turns its error into a `DAGStoreError`.
func translating<R>(_ body: () throws -> R) throws(DAGStoreError) -> R {
    do {
        return try body()
    } catch {
        throw DAGStoreError(any: error)
    }
}

extension CARVerification {
    /// The first fault that a reader of the file meets; nil if the file is sound.
    package var firstError: DAGStoreError? {
        if let mismatch = firstMismatch {
            return DAGStoreError(
                .hashMismatch,
                "the block of the section at byte \(mismatch.offset) is not what its CID says: "
                    + mismatch.cid.description,
                offset: mismatch.offset
            )
        }
        return (malformation ?? indexFault).map { DAGStoreError($0) }
    }
}

extension CARCompleteness {
    /// Why a reader of the file does not get all of the DAG; nil if it does.
    package var firstError: DAGStoreError? {
        if let fault { return DAGStoreError(fault) }
        guard let first = missing.first else { return nil }
        return DAGStoreError(
            .truncated,
            "the CAR lacks \(missingCount) blocks below its roots; the first is \(first.briefText)"
        )
    }
}

/// Runs `body`, and turns its error into a `DAGStoreError` about a shard.
func translating<R>(for key: ShardKey, _ body: () throws -> R) throws(DAGStoreError) -> R {
    do {
        return try body()
    } catch {
        throw DAGStoreError(any: error).about(key)
    }
}
