internal import DAGSystem
internal import SystemPackage

/// What a backup says about itself; its presence makes a folder a backup.
///
/// ```
/// dagstore backup 1
/// taken 1764285600000         milliseconds since 1970
/// shards 12
/// size 1048576                bytes of catalog/data.mdb
/// checksum 0123456789abcdef   of these bytes: a `ContentChecksum`
/// ```
struct BackupManifest: Equatable {
    static let name = "BACKUP"
    private static let firstLine = "dagstore backup "
    private static let version = 1
    private static let sizeMax = 4 << 10

    let taken: UInt64
    let shards: UInt64
    let size: UInt64
    let checksum: UInt64

    /// The text of the file.
    var text: String {
        let digits = String(checksum, radix: 16)
        let padding = String(repeating: "0", count: 16 - digits.count)
        return """
            \(Self.firstLine)\(Self.version)
            taken \(taken)
            shards \(shards)
            size \(size)
            checksum \(padding)\(digits)

            """
    }

    init(taken: UInt64, shards: UInt64, size: UInt64, checksum: UInt64) {
        self.taken = taken
        self.shards = shards
        self.size = size
        self.checksum = checksum
    }

    /// Reads the manifest of a backup.
    ///
    /// - Throws: `invalidArgument` if the folder is no backup; `catalogTooNew`; `catalogCorrupt` if the manifest is
    ///   damaged; `readOnly` if it cannot be read.
    init(in folder: FilePath) throws(DAGStoreError) {
        let path = folder.appending(Self.name)
        let bytes: [UInt8]?
        do {
            let file = try FileDescriptor.opening(path)
            defer { try? file.close() }
            bytes = try file.readToEnd(atMost: Self.sizeMax)
        } catch {
            guard error == .noSuchFileOrDirectory || error == .notDirectory else {
                throw DAGStoreError(.readOnly, "\(path): \(error)")
            }
            var missing = DAGStoreError(.invalidArgument, "there is no backup in \(folder)")
            missing.advice = "name a folder that 'dagstore backup' made"
            throw missing
        }
        let lines = String(decoding: bytes ?? [], as: UTF8.self).split(separator: "\n")
        guard let first = lines.first, first.hasPrefix(Self.firstLine) else {
            throw DAGStoreError(.catalogCorrupt, "\(path): is damaged")
        }
        let version = first.dropFirst(Self.firstLine.count)
        guard version == "\(Self.version)" else {
            throw DAGStoreError(
                .catalogTooNew,
                "\(path): the backup has version \(version), but this program reads version \(Self.version)"
            )
        }
        func number(_ name: String, radix: Int = 10) -> UInt64? {
            let line = lines.first { $0.hasPrefix(name + " ") }
            return line.flatMap { UInt64($0.dropFirst(name.count + 1), radix: radix) }
        }
        guard let taken = number("taken"), let shards = number("shards"),
            let size = number("size"), let checksum = number("checksum", radix: 16)
        else { throw DAGStoreError(.catalogCorrupt, "\(path): is damaged") }
        self.init(taken: taken, shards: shards, size: size, checksum: checksum)
    }

    /// Writes the manifest, and waits until the disk has it.
    ///
    /// - Throws: The error of the system.
    func write(in folder: FilePath) throws(Errno) {
        let file = try FileDescriptor.opening(
            folder.appending(Self.name),
            .writeOnly,
            options: [.create, .exclusiveCreate],
            permissions: [.ownerReadWrite, .groupRead, .otherRead]
        )
        defer { try? file.close() }
        let bytes = Array(text.utf8)
        try file.writeAll(bytes, 0..<bytes.count)
        try file.synchronize()
    }
}
