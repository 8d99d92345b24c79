internal import SystemPackage

extension MigrationSource {
    /// The records of a planned shard, in any layout; nil if it has none.
    ///
    /// - Parameters:
    ///   - shard: The shard.
    ///   - dataOffset: Where its payload begins, if the layout counts from the start of the piece.
    /// - Returns: The records, which are read when they are asked for.
    /// - Throws: `.sourceUnreadable`, `.truncated`, `.malformedIndex`.
    func records(
        of shard: PlannedShard,
        dataOffset: UInt64
    ) throws(MigrationError) -> (any MigrationRecords)? {
        guard shard.entries != nil else { return nil }
        #if LevelDB
            if let pieces, let cursor = shard.cursor {
                return BoostRecords(
                    path: root,
                    reader: pieces.reader,
                    cursor: cursor,
                    dataOffset: dataOffset
                )
            }
        #endif
        guard let path = shard.indexPath else { return nil }
        return try IndexFile(at: path)
    }

    /// The URL of a shard whose mount the source does not know.
    func placeholderURL(of key: String) -> String {
        let escaped = key.utf8.map { byte -> String in
            let isPlain =
                UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte
                || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
                || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
            return isPlain
                ? String(UnicodeScalar(byte))
                : "%" + String(0x100 + Int(byte), radix: 16, uppercase: true).dropFirst()
        }
        return Self.placeholderScheme + "://" + escaped.joined()
    }

    /// The CAR that lies beside an index file: `a.car` for `a.car.full.idx` and for `a.full.idx`; nil if none does.
    func carPath(beside key: String) -> FilePath? {
        let names = key.hasSuffix(".car") ? [key, key + ".car"] : [key + ".car"]
        return names.map { root.appending($0) }.first(where: Self.isFile)
    }

    /// Where the reference keeps the index of a key; nil if that is outside of the source.
    ///
    /// Keys become file names as they are, so that `../x` leads out of the folder of the indexes.
    func indexPath(of key: String) -> FilePath? {
        guard let indexes, !key.utf8.contains(0) else { return nil }
        var inner = FilePath()
        inner.components.append(contentsOf: indexes.components.dropFirst(root.components.count))
        inner.components.append(contentsOf: FilePath(key + Self.indexSuffix).components)
        inner.lexicallyNormalize()
        guard inner.components.first?.kind == .regular else { return nil }
        // Only these elements are normalized: where `..` leads in the root's own path, the system knows.
        var path = root
        path.components.append(contentsOf: inner.components)
        return path
    }
}
