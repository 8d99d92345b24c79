internal import DAGCatalog
internal import DAGMounts
internal import Dispatch

/// Deletes indexes and runs, a part at a time, so that other commits can run between the parts.
///
/// A generation that it fails to delete stays on `pending`, and the next open deletes it.
///
/// *Concurrency*: any thread.
final class GenerationDeleter: Sendable {
    private let access: CatalogAccess
    private let writer: DispatchQueue
    private let pool: JobPool

    /// Creates a deleter.
    ///
    /// - Parameters:
    ///   - access: The catalog.
    ///   - writer: The queue of all write transactions.
    ///   - pool: Threads that may wait.
    init(_ access: CatalogAccess, _ writer: DispatchQueue, _ pool: JobPool) {
        self.access = access
        self.writer = writer
        self.pool = pool
    }

    /// Deletes an index that no thread reads.
    ///
    /// - Throws: `.full`, `.readOnly`, `.io`.
    func deleteIndex(_ generation: UInt64) throws {
        try access.catalog.deleteGeneration(generation, on: writer)
    }

    /// Deletes a run of the inverse index that no thread reads.
    ///
    /// - Throws: `.full`, `.readOnly`, `.io`.
    func deleteRun(_ generation: UInt64) throws {
        let catalog = access.catalog
        while try !writer.sync(execute: { try catalog.deletePart(ofRun: generation) }) {}
    }

    /// Deletes an index on a thread of the store, unless the store has ended.
    func deleteIndexLater(_ generation: UInt64) { deleteLater { try $0.deleteIndex(generation) } }

    /// Deletes a run on a thread of the store, unless the store has ended.
    func deleteRunLater(_ generation: UInt64) { deleteLater { try $0.deleteRun(generation) } }

    private func deleteLater(_ delete: @escaping @Sendable (GenerationDeleter) throws -> Void) {
        guard access.beginWork() else { return }
        pool.submit { [self] in
            try? delete(self)
            access.endUse()
        }
    }
}

extension Catalog {
    /// Deletes an index, a part at a time, so that other commits can run between the parts.
    ///
    /// - Parameters:
    ///   - generation: The index; no thread reads it.
    ///   - writer: The queue of all write transactions.
    /// - Throws: `.full`, `.readOnly`, `.io`; the rest stays on `pending`.
    func deleteGeneration(_ generation: UInt64, on writer: DispatchQueue) throws {
        while try !writer.sync(execute: { try deletePart(of: generation) }) {}
    }
}
