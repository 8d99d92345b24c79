internal import DAGSystem

extension EnvironmentFacts {
    /// The findings that follow from the facts.
    var findings: [EnvironmentFinding] {
        var findings: [EnvironmentFinding] = []
        if let storeFault {
            let advice = Self.advice(for: storeFault.code)
            findings.append(EnvironmentFinding("store", storeFault.message, .problem, advice))
        }
        if let writeFault {
            let advice = "give this user the right to write there, and mount the disk for writing"
            findings.append(EnvironmentFinding("writing", writeFault, .problem, advice))
        }
        if let finding = fileSystemFinding { findings.append(finding) }
        if let finding = freeSpaceFinding { findings.append(finding) }
        findings.append(fileSizeFinding)
        findings.append(mapFinding)
        findings.append(roomFinding)
        findings.append(descriptorFinding)
        findings += [
            atLeast("maps", mappings, 65_530, "set vm.max_map_count to 65530 or more"),
            atLeast(
                "watches",
                watches,
                8192,
                "set fs.inotify.max_user_watches to the number of folders below --mount-dir, or more"
            ),
            atLeast("watchQueues", watchQueues, 16, "set fs.inotify.max_user_instances to 128"),
        ].compactMap(\.self)
        findings.append(clockFinding)
        findings += [
            EnvironmentFinding("lmdb", lmdb), EnvironmentFinding("zstd", zstd),
            EnvironmentFinding("openssl", openSSL),
        ]
        findings.append(hashFinding)
        return findings
    }

    private static func advice(for code: DAGStoreError.Code) -> String {
        switch code {
        case .readOnly: "give this user the rights to the folder, and check the disk"
        case .catalogTooNew: "use the release that wrote the store, or a later one"
        case .outOfResources, .tooManyReaders: "end other programs, or raise their limits"
        default: "run 'dagstore check', or restore a backup"
        }
    }

    private func atLeast(
        _ name: String,
        _ value: UInt64?,
        _ least: UInt64,
        _ advice: String
    ) -> EnvironmentFinding? {
        guard let value else { return nil }
        let isEnough = value >= least
        return EnvironmentFinding(
            name,
            "\(value)",
            isEnough ? .ok : .warning,
            isEnough ? nil : advice
        )
    }

    private var fileSystemFinding: EnvironmentFinding? {
        guard let fileSystem, let place else { return nil }
        let value = "\(fileSystem.name) at \(place)"
        switch fileSystem.place {
        case .disk, .unknown: return EnvironmentFinding("fileSystem", value)
        case .memory:
            let advice = "a restart of the machine loses the store; move it to a disk"
            return EnvironmentFinding("fileSystem", value, .warning, advice)
        case .container:
            let advice = "the end of the container loses the store; move it to a volume"
            return EnvironmentFinding("fileSystem", value, .warning, advice)
        case .program:
            let advice =
                "if the file system uses a network, move the store to a disk of this machine"
            return EnvironmentFinding("fileSystem", value, .warning, advice)
        case .network:
            let advice =
                "LMDB's locks do not work over a network; move the store to a disk of this machine"
            return EnvironmentFinding("fileSystem", value, .problem, advice)
        }
    }

    private static let bytesFew: UInt64 = 1 << 30
    private static let bytesNone: UInt64 = 64 << 20

    private static func verdict(ofFree bytes: UInt64) -> EnvironmentFinding.Verdict {
        bytes < bytesNone ? .problem : bytes < bytesFew ? .warning : .ok
    }

    private var freeSpaceFinding: EnvironmentFinding? {
        guard let freeSpace else { return nil }
        let verdict = Self.verdict(ofFree: freeSpace)
        let advice = verdict == .ok ? nil : "free disk space"
        return EnvironmentFinding("freeSpace", "\(freeSpace)", verdict, advice)
    }

    /// How much the catalog can grow: until its map, the disk or the limit of file sizes is full.
    private var roomFinding: EnvironmentFinding {
        let used = catalogSize ?? 0
        let limits: [(bytes: UInt64, advice: String)] = [
            (
                UInt64(mapSize) - min(UInt64(mapSize), used),
                "set DAGSTORE_MAP_SIZE to a larger size"
            ),
            (freeSpace ?? .max, "free disk space"),
            (fileSizeMax - min(fileSizeMax, used), "run 'ulimit -f unlimited'"),
        ]
        let tightest = limits.min { $0.bytes < $1.bytes } ?? limits[0]
        let verdict = Self.verdict(ofFree: tightest.bytes)
        let advice = verdict == .ok ? nil : "the catalog can hardly grow: \(tightest.advice)"
        return EnvironmentFinding("room", "\(tightest.bytes)", verdict, advice)
    }

    private var fileSizeFinding: EnvironmentFinding {
        guard fileSizeMax < mapSize else { return EnvironmentFinding("fileSize", "unlimited") }
        let advice = "the catalog cannot grow beyond this limit: run 'ulimit -f unlimited'"
        return EnvironmentFinding("fileSize", "\(fileSizeMax)", .warning, advice)
    }

    /// The map beside the address space.
    private var mapFinding: EnvironmentFinding {
        func finding(_ verdict: EnvironmentFinding.Verdict, _ advice: String?) -> EnvironmentFinding
        {
            EnvironmentFinding("mapSize", "\(mapSize)", verdict, advice)
        }
        guard hasRoomForSmallestMap else {
            let limit = addressSpace == .max ? "" : ", which is \(addressSpace) bytes,"
            return finding(
                .problem,
                "the address space\(limit) is too small: run 'ulimit -v unlimited'"
            )
        }
        guard hasRoomForMap else {
            return finding(
                .warning,
                "the address space has no room for it, so the store takes less: run 'ulimit -v unlimited'"
            )
        }
        return finding(.ok, nil)
    }

    private static let descriptorsFew: UInt64 = 4096
    private static let descriptorsNone: UInt64 = 256

    private var descriptorFinding: EnvironmentFinding {
        let (soft, hard) = descriptors
        let verdict: EnvironmentFinding.Verdict =
            soft < Self.descriptorsNone ? .problem : soft < Self.descriptorsFew ? .warning : .ok
        let advice =
            verdict == .ok
            ? nil : "raise the limit with 'ulimit -n', or LimitNOFILE= of systemd, to 65536"
        return EnvironmentFinding("descriptors", "\(soft) of \(hard)", verdict, advice)
    }

    /// 2025 and 2100, in milliseconds since 1970.
    private static let clockRange: Range<UInt64> = 1_735_689_600_000..<4_102_444_800_000
    /// How far two clocks may differ, in milliseconds.
    private static let clockTolerance: UInt64 = 60_000

    private var clockFinding: EnvironmentFinding {
        let value = "\(clock)"
        guard Self.clockRange.contains(clock) else {
            let advice = "set the clock, because TLS and the times of records need it"
            return EnvironmentFinding("clock", value, .problem, advice)
        }
        if let newestRecord, newestRecord > clock + Self.clockTolerance {
            let seconds = (newestRecord - clock) / 1000
            let advice = "a record is \(seconds) s newer than the clock; set the clock"
            return EnvironmentFinding("clock", value, .problem, advice)
        }
        return EnvironmentFinding("clock", value)
    }

    private var hashFinding: EnvironmentFinding {
        switch (usesHashInstructions, hasHashInstructions) {
        case (true?, _): EnvironmentFinding("sha", "instructions of the processor")
        case (false?, true):
            EnvironmentFinding(
                "sha",
                "in software",
                .warning,
                "OpenSSL does not use the processor's SHA instructions: unset OPENSSL_ia32cap"
            )
        case (false?, false):
            EnvironmentFinding("sha", "in software, because the processor has no instructions")
        case (nil, _): EnvironmentFinding("sha", "unknown")
        }
    }
}
