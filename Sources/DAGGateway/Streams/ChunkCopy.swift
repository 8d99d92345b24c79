#if Node
    internal import DAGBytes
    internal import DAGMounts
    internal import DAGStorage
    internal import DAGSystem
    internal import NIOCore

    extension ByteBuffer {
        /// Appends a part of a block, for which the buffer has room.
        ///
        /// Bytes of a mapped file are copied under the guard: NIO and TLS, which get the buffer, would die of a file
        /// that becomes shorter.
        ///
        /// - Throws: `sourceChanged` if another process made the mapped file shorter.
        mutating func append(_ content: BlockBytes, _ range: Range<Int>) throws(DAGStoreError) {
            let part = content.view[range]
            var isCopied = true
            // SAFETY: NIO gives `part.count` bytes at least, and the copy writes only inside them.
            unsafe writeWithUnsafeMutableBytes(minimumWritableBytes: part.count) { room in
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: room[..<part.count])
                if content.isMapped {
                    isCopied = unsafe GuardedCopy.copy(part, into: room)
                } else {
                    unsafe room.copyMemory(from: part.buffer)
                }
                // What was not copied is not sent.
                return isCopied ? part.count : 0
            }
            withExtendedLifetime(content.owner) {}
            guard isCopied else { throw BlockBytes.areGone }
        }

        /// Appends bytes of a source, for which the buffer has room.
        ///
        /// - Throws: `MountError`; `.changed` if the bytes end earlier.
        mutating func append(
            from source: any ByteSource,
            at offset: UInt64,
            count: Int
        ) throws(MountError) {
            var outcome = Result<Int, MountError>.success(0)
            // SAFETY: NIO gives `count` bytes at least, and the source writes only inside them.
            unsafe writeWithUnsafeMutableBytes(minimumWritableBytes: count) { room in
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: room[..<count])
                do throws(MountError) {
                    outcome = .success(try unsafe source.read(at: offset, into: room))
                } catch {
                    outcome = .failure(error)
                }
                return (try? outcome.get()) ?? 0
            }
            guard try outcome.get() == count else {
                throw MountError(.changed, "\(source.name): became shorter")
            }
        }
    }

    extension BlockBytes {
        /// Returns whether a copy of a part waits for no disk, as far as the system knows.
        func isResident(_ part: Range<Int>) -> Bool {
            guard isMapped else { return true }
            // SAFETY: the view is valid during the call, and its bytes are not touched.
            return unsafe MemoryResidency.isResident(view[part].buffer)
        }
    }
#endif
