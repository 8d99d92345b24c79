package import DAGBytes
internal import DAGSystem
package import SystemPackage

/// A file in memory, read-only, for as long as the object lives.
///
/// The pages are the kernel's: nothing is read before it is touched. If somebody makes the file shorter,
/// touching what is gone raises SIGBUS; shards check the file's identity before they use it.
///
/// *Concurrency*: immutable.
@safe package final class MappedFile: @unchecked Sendable {
    // SAFETY: `@unchecked Sendable`: the mapping is read-only and lives as long as the object.
    private let memory: UnsafeRawBufferPointer
    /// What the file was when it was mapped.
    package let identity: FileIdentity
    /// Where it was found.
    package let path: FilePath

    /// How the bytes will be touched.
    package enum Access: Sendable {
        /// Here and there: the kernel reads nothing ahead.
        case random
        /// From the beginning to the end.
        case sequential
    }

    /// Maps the whole of `file`; the file may be closed afterwards.
    ///
    /// - Throws: `.unreachable` if the system will not map it.
    package init(_ file: LocalFile, access: Access) throws(MountError) {
        identity = file.identity
        path = file.path
        let size = Int(file.size)
        guard size > 0 else {
            unsafe memory = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        // SAFETY: a new mapping at an address of the system's choice touches nobody's memory.
        let address = unsafe mmap(nil, size, PROT_READ, MAP_SHARED, file.descriptor.rawValue, 0)
        guard let address = unsafe address, unsafe address != MAP_FAILED else {
            throw MountError(.last, path: file.path)
        }
        unsafe memory = UnsafeRawBufferPointer(start: address, count: size)
        let advice: MemoryAdvice = access == .random ? .random : .sequential
        // SAFETY: advice about this object's own mapping.
        unsafe advice.give(for: memory)
    }

    deinit {
        guard let address = unsafe memory.baseAddress else { return }
        // SAFETY: made by `mmap` with this size, and views of it do not outlive the object.
        _ = unsafe munmap(UnsafeMutableRawPointer(mutating: address), memory.count)
    }

    /// The bytes; valid while the object lives.
    package var bytes: ByteView {
        // SAFETY: the mapping lives as long as the object, which the caller holds.
        unsafe ByteView(memory)
    }
}
