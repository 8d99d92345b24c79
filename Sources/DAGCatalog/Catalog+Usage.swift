internal import DAGLMDB

extension Catalog {
    /// The number of the last transaction that was committed.
    ///
    /// One that changed nothing is not counted.
    package var lastTransaction: UInt64 {
        get throws(CatalogError) {
            do {
                return UInt64(try environment.usage().lastTransaction)
            } catch {
                throw CatalogError(error)
            }
        }
    }

    /// Takes the pages of the map out of this process's memory; see `Environment.giveBackMemory()`.
    package func giveBackMemory() throws(CatalogError) {
        do {
            try environment.giveBackMemory()
        } catch {
            throw CatalogError(error)
        }
    }

    /// Refuses what would take the room that removals and failures need.
    ///
    /// LMDB writes changed pages anew before it gives the old ones back, so that a map that is full to the
    /// brim cannot be emptied either; and what one transaction gave back, the next one cannot use yet. What
    /// adds to the catalogue leaves 40 to 128 pages.
    ///
    /// *Cost*: a look at the map's size; near its end also at the list of free pages.
    ///
    /// - Parameter size: What is added, in bytes.
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

    /// The bytes of pages that hold nothing and wait to be used again.
    ///
    /// *Cost*: the list of free pages is read: a page for some 500 of them.
    package func freeBytes() throws(CatalogError) -> UInt64 {
        let pages = try read { (reader) throws(LMDBError) in try reader.freePageCount() }
        return UInt64(pages) * UInt64(pageSize)
    }

    /// What is wrong with the pages of the data file, looked at before LMDB follows them.
    ///
    /// - Parameter limit: How many findings are enough; at least 1.
    /// - Returns: What was found, for people.
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

    /// Space in use and space reserved.
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

/// The room that a catalogue takes, in bytes.
package struct CatalogUsage: Sendable {
    /// The size of the data file.
    package let fileSize: UInt64
    /// What of it was ever used.
    package let bytesInUse: UInt64
    /// The address space it may grow into.
    package let mapSize: UInt64
    /// The size of a database page.
    package let pageSize: Int
}
