internal import SystemPackage

extension Environment {
    /// Opens the environment in `directory`, which must exist.
    ///
    /// If the address space has no room for the map, the call halves the map until there is room, down to 32 GiB;
    /// `mapSize` reports it. A reader gets a map as large as the last writer's, if there is room.
    ///
    /// - Throws:
    ///   - `.alreadyOpen` if this process has the environment open, by any path;
    ///   - `.missing` if the directory is missing; in a read-only environment also if the file or a table is missing,
    ///     except for `newerTables`;
    ///   - `.permission` if this process may not open the files this way;
    ///   - `.corrupted` or `.versionMismatch` if the file belongs to another program or version, is cut short or,
    ///     with `checksPages`, has damaged pages;
    ///   - `.mapFull` or `.diskFull` if there is no room for the tables;
    ///   - `.io` for all other errors of the system.
    ///
    /// *Cost*: a few system calls; waits for a running writer unless read-only.
    package static func open(
        at directory: String,
        options asked: Options
    ) throws(LMDBError) -> Environment {
        asked.checkInvariants()
        if let identity = FileClaim.identity(ofFileAt: directory + "/data.mdb"),
            let environment = try SharedEnvironments.addOwner(identity, asked)
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
            // A new file can be claimed only now, after LMDB has made it.
            if claims.count == 1 { claims.append(try .claim(path: dataPath)) }
            try clearDeadReaders(of: handle, options)
            try handle.refuseDamage(isThorough: options.checksPages)
            return Environment(
                handle,
                claims: claims,
                tables: try openTables(of: handle, options),
                mapSize: mapSize,
                isReadOnly: options.isReadOnly
            )
        } catch {
            handle.close()
            throw error
        }
    }

    /// Returns the map's size for a reader: at least that of the last writer, because the writer may fill its map.
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

    /// Opens the environment with the largest map that the address space has room for.
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
    /// In a read-only environment, the lock file may be read-only too; its slots stay.
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
    /// A table that is missing beside others was lost, and a new one would hide that. Only a newer format's table may
    /// be missing.
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
        // The tables outlive the transaction only after a commit, even if it is a read transaction.
        try transaction.commit()
        return tables
    }
}
