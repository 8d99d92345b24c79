internal import DAGMounts
internal import DAGSystem
internal import SystemPackage

/// An open folder that is being read; the last reference closes it.
///
/// *Concurrency*: immutable; any thread may open its entries.
final class SourceFolder: Sendable {
    /// The open folder.
    let descriptor: FileDescriptor
    private let parent: SourceFolder?
    /// The name in the folder above; of the first folder, the caller's path.
    private let name: [UInt8]

    init(_ descriptor: FileDescriptor, name: [UInt8], in parent: SourceFolder?) {
        self.descriptor = descriptor
        self.name = name
        self.parent = parent
    }

    deinit { try? descriptor.close() }

    /// The path for errors.
    var path: FilePath {
        var names: [[UInt8]] = []
        var folder: SourceFolder? = self
        while let next = folder {
            names.append(next.name)
            folder = next.parent
        }
        return FilePath(bytes: Array(names.reversed().joined(separator: [0x2f])))
    }

    /// Returns the path of an entry, for errors.
    func path(of name: [UInt8]) -> FilePath {
        FilePath(bytes: path.bytes + [0x2f] + name)
    }
}

/// A file that is being read; the last reference closes it.
///
/// *Concurrency*: immutable; any thread may read.
final class SourceFile: Sendable {
    private let descriptor: FileDescriptor
    private let identity: SourceIdentity
    private let path: @Sendable () -> FilePath

    /// Takes over an open file, and checks that it is the one that was found.
    ///
    /// - Throws: `.changed` of `MountError` if it is another file, or has changed.
    init(
        _ descriptor: FileDescriptor,
        _ identity: SourceIdentity,
        path: @escaping @Sendable () -> FilePath
    ) throws {
        self.descriptor = descriptor
        self.identity = identity
        self.path = path
        try checkUnchanged()
    }

    deinit { try? descriptor.close() }

    /// Reads a part of the file into a part of an array.
    ///
    /// - Throws: `.changed` of `MountError` if the file ends earlier; `.unreachable`.
    func read(at offset: UInt64, into bytes: inout [UInt8], _ range: Range<Int>) throws {
        let count: Int
        do {
            count = try descriptor.read(at: offset, into: &bytes, range)
        } catch {
            throw MountError(error, path: path())
        }
        guard count == range.count else { throw hasChanged }
    }

    /// Checks that the file is as it was found, and has no byte more than its size.
    ///
    /// Some files of the system claim no size and have bytes.
    ///
    /// - Throws: `.changed` of `MountError`; `.unreachable`.
    func checkUnchanged() throws {
        var byte: [UInt8] = [0]
        let (found, count): (SourceIdentity, Int)
        do {
            found = SourceIdentity(try Stat(descriptor))
            count = try descriptor.read(at: identity.size, into: &byte, 0..<1)
        } catch {
            throw MountError(error, path: path())
        }
        guard found == identity, count == 0 else { throw hasChanged }
    }

    private var hasChanged: MountError {
        MountError(.changed, "\(path()): changed while it was read")
    }
}

/// What must stay the same while a file is read.
struct SourceIdentity: Equatable, Sendable {
    let size: UInt64
    private let modified: Int64
    private let inode: UInt64
    private let device: UInt64

    init(_ status: Stat) {
        size = UInt64(max(0, status.size))
        modified = status.modifiedNanoseconds
        inode = UInt64(status.inode.rawValue)
        device = UInt64(status.deviceID.rawValue)
    }

    /// Whether both are one file or folder, whatever changed in it.
    func isSameFile(as other: SourceIdentity) -> Bool {
        inode == other.inode && device == other.device
    }
}
