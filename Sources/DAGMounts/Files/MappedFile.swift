package import DAGBytes
internal import DAGSystem
package import SystemPackage

/// A read-only mapping of a file, which lives as long as the object.
///
/// The kernel reads a page at its first use. If the file becomes shorter, a read of the lost bytes raises SIGBUS;
/// shards check the file's identity before they use it.
///
/// *Concurrency*: immutable.
@safe package final class MappedFile: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: the mapping is read-only and lives as long as the object.
    private let memory: UnsafeRawBufferPointer
    /// The identity of the file at the time of mapping.
    package let identity: FileIdentity
    /// The path of the file.
    package let path: FilePath

    /// The order in which the bytes are read.
    package enum Access: Sendable {
        /// In any order: the kernel reads nothing ahead.
        case random
        /// From the beginning to the end.
        case sequential
    }

    /// Maps all of `file`; the file may be closed afterwards.
    ///
    /// - Throws: `.unreachable` if the system refuses.
    package init(_ file: LocalFile, access: Access) throws(MountError) {
        identity = file.identity
        path = file.path
        let size = Int(file.size)
        guard size > 0 else {
            unsafe memory = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        // SAFETY: a new mapping at an address of the system's choice overlaps no other memory.
        let address = unsafe mmap(nil, size, PROT_READ, MAP_SHARED, file.descriptor.rawValue, 0)
        guard let address = unsafe address, unsafe address != MAP_FAILED else {
            throw MountError(.last, path: file.path)
        }
        unsafe memory = UnsafeRawBufferPointer(start: address, count: size)
        let advice: MemoryAdvice = access == .random ? .random : .sequential
        // SAFETY: the advice is about this object's own mapping, and is not `dropPages`.
        unsafe advice.apply(to: memory)
    }

    deinit {
        guard let address = unsafe memory.baseAddress else { return }
        // SAFETY: `mmap` made the mapping with this size, and views of it do not outlive the object.
        _ = unsafe munmap(UnsafeMutableRawPointer(mutating: address), memory.count)
    }

    /// The bytes; valid while the object lives.
    package var bytes: ByteView {
        // SAFETY: the mapping lives as long as the object, and the caller holds the object.
        unsafe ByteView(memory)
    }
}
