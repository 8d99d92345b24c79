internal import DAGCatalog
internal import DAGHashing
internal import DAGSystem
internal import DAGZstd
internal import SystemPackage

/// Facts about the machine, the process and the store's place; the verdicts follow from them alone.
struct EnvironmentFacts: Sendable {
    /// The folder that the facts about files are of: the store's, or the nearest one above it that exists.
    var place: String?
    var fileSystem: FileSystemKind?
    /// The free space of the file system in bytes.
    var freeSpace: UInt64?
    /// The largest file that the process may write, in bytes.
    var fileSizeMax = UInt64.max
    /// The address space that the configuration asks for, in bytes.
    var mapSize = 1 << 40
    /// Whether the address space has room for `mapSize`, and for the smallest map.
    var hasRoomForMap = true
    var hasRoomForSmallestMap = true
    var addressSpace = UInt64.max
    /// The part of the catalog's file that was ever used, in bytes; nil without a store.
    var catalogSize: UInt64?
    /// The error of opening the store; nil if it was opened, or if there is none.
    var storeFault: DAGStoreError?
    /// Why the process may not write in `place`; nil if it may.
    var writeFault: String?
    /// The newest time in the records, in milliseconds since 1970; nil without records.
    var newestRecord: UInt64?
    var descriptors: (soft: UInt64, hard: UInt64) = (.max, .max)
    var mappings: UInt64?
    var watches: UInt64?
    var watchQueues: UInt64?
    /// Milliseconds since 1970.
    var clock: UInt64 = 0
    var lmdb = ""
    var zstd = ""
    var openSSL = ""
    /// Whether libcrypto computes SHA-2 with instructions of the processor; nil if it does not tell.
    var usesHashInstructions: Bool?
    /// Whether the processor has such instructions.
    var hasHashInstructions = false

    /// The smallest map that an opening tries, in bytes.
    static let mapSizeMin = 32 << 30

    init() {}

    /// Gathers the facts.
    ///
    /// - Parameters:
    ///   - directory: The store's folder, which may be missing.
    ///   - mapSize: The address space that the configuration asks for, in bytes.
    init(of directory: FilePath, mapSize: Int) {
        self.mapSize = mapSize
        if let (path, folder) = Self.nearestFolder(directory) {
            defer { try? folder.close() }
            place = path.string
            do {
                try FileSystem.checkWritable(path)
            } catch {
                writeFault = "\(path): \(error)"
            }
            fileSystem = FileSystemKind(of: folder)
            freeSpace = folder.freeSpace
        }
        fileSizeMax = ThisProcess.fileSizeMax
        hasRoomForMap = SystemLimits.canReserve(mapSize)
        hasRoomForSmallestMap = SystemLimits.canReserve(min(mapSize, Self.mapSizeMin))
        addressSpace = SystemLimits.addressSpace
        descriptors = SystemLimits.descriptors
        mappings = SystemLimits.mappings
        watches = SystemLimits.watches
        watchQueues = SystemLimits.watchQueues
        clock = WallClock.milliseconds
        lmdb = Catalog.engineVersion
        zstd = Zstd.engineVersion
        openSSL = HashEngine.version
        usesHashInstructions = HashEngine.usesInstructions
        hasHashInstructions = !SystemLimits.processorFlags.isDisjoint(with: ["sha_ni", "sha2"])
    }

    /// Opens the nearest folder that exists, from `path` upward.
    private static func nearestFolder(_ path: FilePath) -> (FilePath, FileDescriptor)? {
        var path = ((try? FileSystem.workingDirectory()) ?? "/").pushing(path)
        while true {
            if let folder = try? FileDescriptor.opening(path, options: .directory) {
                return (path, folder)
            }
            guard path.removeLastComponent() else { return nil }
        }
    }

    /// Adds the facts about an open catalog.
    mutating func add(_ catalog: Catalog) throws {
        catalogSize = try catalog.usage().bytesInUse
        var last: UInt32?
        while true {
            let records = try catalog.records(after: last, limit: 256)
            guard let end = records.last else { return }
            last = end.number
            let newest = records.map { max($0.registered, $0.stateSince) }.max() ?? 0
            newestRecord = max(newestRecord ?? 0, newest)
        }
    }
}
