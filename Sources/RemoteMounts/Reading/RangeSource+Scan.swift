#if Node
    internal import DAGMounts
    internal import ObjectStorage

    extension RangeSource: ScannableSource {
        func scan(_ places: ScanPlaces) -> any HeaderScan {
            var first = Assembly(0..<min(UInt64(RemoteObject.firstReadSize), size))
            object.remote.memory.read(key, into: &first)
            return RemoteScan(object, stat, places, first: first.gaps.isEmpty ? first.bytes : [])
        }

        func checkVersion() async throws {
            let now = try await MountError.translating {
                try await object.remote.client.stat(object.target, .index)
            }
            guard !stat.version.contradicts(now.version), (now.size ?? size) == size else {
                throw MountError(.changed, "scan: \(object.url): changed while it was read")
            }
        }
    }
#endif
