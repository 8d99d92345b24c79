internal import DAGSystem
internal import SystemPackage

/// Watches the free space of file systems while a copy runs.
final class CopyRoom: Sendable {
    private struct Place {
        let path: FilePath
        let descriptor: FileDescriptor
        /// Whether the copy takes its space here.
        let isTarget: Bool
    }

    private let places: [Place]
    private let freeBytesMin: UInt64

    /// Opens the folders of the copy and of the original.
    ///
    /// - Throws: The error of the system.
    init(
        for target: FilePath,
        besides source: FilePath,
        _ options: BackupOptions
    ) throws(Errno) {
        let first = try FileDescriptor.opening(target)
        let second: FileDescriptor
        do {
            second = try FileDescriptor.opening(source)
        } catch {
            try? first.close()
            throw error
        }
        places = [
            Place(path: target, descriptor: first, isTarget: true),
            Place(path: source, descriptor: second, isTarget: false),
        ]
        freeBytesMin = options.freeBytesMin
    }

    deinit {
        for place in places { try? place.descriptor.close() }
    }

    /// Checks the free space.
    ///
    /// - Parameter missing: The number of bytes that the copy still needs.
    /// - Throws: `catalogFull` if a file system has too little.
    func check(missing: UInt64) throws(DAGStoreError) {
        for place in places {
            guard let free = place.descriptor.freeSpace else { continue }
            let needed = place.isTarget ? missing : 0
            let (wanted, overflow) = freeBytesMin.addingReportingOverflow(needed)
            guard overflow || free < wanted else { continue }
            let need = needed > 0 ? "the copy needs \(needed) more and must leave" : "it must have"
            throw DAGStoreError(
                .catalogFull,
                "\(place.path): the file system has \(free) bytes free; \(need) \(freeBytesMin)"
            )
        }
    }
}
