internal import SystemPackage

extension Environment {
    /// Opens the environment in `directory`, which exists.
    ///
    /// If the address space has no room for the map, the map is halved until there is, down to 32 GiB;
    /// `mapSize` and `wasMapReduced` say so. Who only reads gets a map as large as the last writer's, if there is room.
    ///
    /// - Throws:
    ///   - `.alreadyOpen` if this process has the environment open, by any path;
    ///   - `.missing` if the directory is missing or, read-only, the file or a table that is not newer;
    ///   - `.permission` if the files may not be opened this way;
    ///   - `.corrupted` or `.versionMismatch` if the file is none of this LMDB's, was cut short or, if that is looked
    ///     for, has damaged pages;
    ///   - `.mapFull` or `.diskFull` if there is no room to create the tables;
    ///   - `.io` for anything else the system refuses.
    ///
    /// *Cost*: a few system calls; waits for a running writer unless read-only.
    package static func open(
        at directory: String,
        options asked: Options
    ) throws(LMDBError) -> Environment {
        asked.checkInvariants()
        if let identity = FileClaim.identity(ofFileAt: directory + "/data.mdb"),
            let environment = try SharedEnvironments.join(identity, asked)
        {
            return environment
        }
        var claims = [try FileClaim.claim(path: directory)]
        let dataPath = directory + "/data.mdb"
        if let claim = try claimUnlessMissing(path: dataPath) {
            try PageFile(claim.descriptor).refuseDamagedMetaPages()
            claims.append(claim)
        }
        var options = asked
        if options.isReadOnly {
            options.mapSize = try mapSizeToRead(dataPath, atLeast: options.mapSize)
        }
        let floor = min(asked.mapSize, mapSizeFloor)
        let (handle, mapSize) = try openReducing(directory, options, floor: floor)
        do throws(LMDBError) {
            // A file that was not there before can be claimed only now.
            if claims.count == 1 { claims.append(try .claim(path: dataPath)) }
            try clearDeadReaders(of: handle, options)
            try handle.refuseDamage(isThorough: options.checksPages)
            return Environment(
                handle,
                claims: claims,
                tables: try openTables(of: handle, options),
                mapSize: mapSize,
                wasMapReduced: mapSize < options.mapSize,
                isReadOnly: options.isReadOnly
            )
        } catch {
            handle.close()
            throw error
        }
    }

    /// The size of the map for one who only reads: no smaller than that of the last writer, who may grow into it.
    private static func mapSizeToRead(
        _ path: String,
        atLeast size: Int
    ) throws(LMDBError) -> Int {
        let file = try EnvironmentFiles.open(path)
        defer { try? file.close() }
        let metas = try PageFile(file).metaPages()
        return max(size, metas.first?.mapSize ?? 0)
    }

    private static func claimUnlessMissing(path: String) throws(LMDBError) -> FileClaim? {
        do {
            return try FileClaim.claim(path: path)
        } catch  where error.code == .missing {
            return nil
        }
    }

    /// Opens the environment with the largest map there is room for.
    private static func openReducing(
        _ directory: String,
        _ options: Options,
        floor: Int
    ) throws(LMDBError) -> (EnvironmentHandle, mapSize: Int) {
        var mapSize = options.mapSize
        while true {
            do {
                return (try EnvironmentHandle.open(directory, options, mapSize: mapSize), mapSize)
            } catch  where error.errno == .noMemory || error.errno == .invalidArgument {
                guard mapSize > floor else { throw error }
                mapSize = max(mapSize / 2, floor)
            }
        }
    }

    /// Frees the slots that dead processes left in the lock file.
    ///
    /// A read-only environment may lie where no slot can be freed; it does without.
    private static func clearDeadReaders(
        of handle: EnvironmentHandle,
        _ options: Options
    ) throws(LMDBError) {
        do {
            _ = try handle.clearDeadReaders()
        } catch  where options.isReadOnly {
            return
        }
    }

    /// Opens a table.
    ///
    /// One that is missing beside others was lost, unless an earlier format did not have it: making it anew would hide that.
    private static func openTable(
        _ name: String,
        _ transaction: TransactionHandle,
        isNew: Bool,
        _ options: Options
    ) throws(LMDBError) -> Table {
        let isOptional = options.newerTables.contains(name)
        do throws(LMDBError) {
            let creates = !options.isReadOnly && (isNew || isOptional)
            return try transaction.openTable(name, creates: creates)
        } catch {
            guard error.code == .missing, !isNew else { throw error }
            if isOptional { return .absent }
            throw LMDBError(.corrupted, words: "table \(name) is missing")
        }
    }

    private static func openTables(
        of handle: EnvironmentHandle,
        _ options: Options
    ) throws(LMDBError) -> [String: Table] {
        let transaction = try TransactionHandle.begin(in: handle, isReadOnly: options.isReadOnly)
        var tables: [String: Table] = [:]
        do throws(LMDBError) {
            let isNew = try transaction.statistics(of: .main).entries == 0
            for name in options.tables {
                tables[name] = try openTable(name, transaction, isNew: isNew, options)
            }
        } catch {
            transaction.abort()
            throw error
        }
        // A commit, also of a read transaction, is what makes the tables outlive it.
        try transaction.commit()
        return tables
    }
}
