internal import DAGLMDB

extension Catalog {
    /// The number of the last committed transaction.
    ///
    /// A transaction without changes does not count.
    package var lastTransaction: UInt64 {
        get throws(CatalogError) {
            do {
                return UInt64(try environment.usage().lastTransaction)
            } catch {
                throw CatalogError(error)
            }
        }
    }

    /// Removes the map's pages from this process's memory; see `Environment.giveBackMemory()`.
    package func giveBackMemory() throws(CatalogError) {
        do {
            try environment.giveBackMemory()
        } catch {
            throw CatalogError(error)
        }
    }

    /// Refuses additions to the room that removals and failures need.
    ///
    /// LMDB writes a changed page to a new place before it frees the old one, so nothing can be removed from a full
    /// map. The next transaction cannot reuse the pages of the last one yet. So additions leave 40 to 128 pages free.
    ///
    /// *Cost*: reads the map's size, and near its end also the list of free pages.
    ///
    /// - Parameter size: The size of the addition in bytes.
    /// - Throws: `.full`.
    func checkRoom(for size: Int) throws(CatalogError) {
        let usage = try usage()
        let pageSize = UInt64(usage.pageSize)
        let reserve = min(128, max(40, usage.mapSize / pageSize / 64)) * pageSize
        let needed = reserve + UInt64(size) + UInt64(size) / 16
        let untouched = usage.mapSize - min(usage.mapSize, usage.bytesInUse)
        guard untouched < needed else { return }
        let free = try read { (reader) throws(LMDBError) in try reader.freePageCount() }
        guard untouched + UInt64(free) * pageSize < needed else { return }
        throw CatalogError(LMDBError(.mapFull))
    }

    /// Returns the size of all free pages in bytes.
    ///
    /// *Cost*: reads the list of free pages: one page for some 500 of them.
    package func freeBytes() throws(CatalogError) -> UInt64 {
        let pages = try read { (reader) throws(LMDBError) in try reader.freePageCount() }
        return UInt64(pages) * UInt64(pageSize)
    }

    /// Checks the pages of the data file before LMDB follows them.
    ///
    /// - Parameter limit: The number of findings after which the check stops; at least 1.
    /// - Returns: The findings, for people.
    /// - Throws: `.corrupt`, `.io`.
    ///
    /// *Cost*: reads every page of rows, and the header of every larger value.
    package func damagedPages(limit: Int) throws(CatalogError) -> [String] {
        do {
            return try environment.damagedPages(limit: limit)
        } catch {
            throw CatalogError(error)
        }
    }

    /// The space in use, and the space reserved.
    package func usage() throws(CatalogError) -> CatalogUsage {
        do {
            let usage = try environment.usage()
            return CatalogUsage(
                fileSize: UInt64(usage.fileSize),
                bytesInUse: UInt64(usage.bytesInUse),
                mapSize: UInt64(usage.mapSize),
                pageSize: usage.pageSize
            )
        } catch {
            throw CatalogError(error)
        }
    }
}

/// The room that a catalog uses, in bytes.
package struct CatalogUsage: Sendable {
    /// The size of the data file.
    package let fileSize: UInt64
    /// The part of the data file that was ever used.
    package let bytesInUse: UInt64
    /// The address space that it may grow into.
    package let mapSize: UInt64
    /// The size of a database page.
    package let pageSize: Int
}
