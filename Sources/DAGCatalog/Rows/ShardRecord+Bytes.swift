package import DAGBytes
internal import DAGHashing

extension ShardRecord {
    private static let isLazyFlag: UInt8 = 1
    private static let isIncompleteFlag: UInt8 = 2
    private static let originShift: UInt8 = 2
    private static let hasIdentityFlag: UInt8 = 16

    /// Returns the record's bytes, in version 4 if the shard has a policy, else in version 3.
    ///
    /// A long error text is cut between two characters.
    ///
    /// *Cost*: one allocation.
    package func encoded() -> [UInt8] {
        precondition(key.utf8.count <= Self.keySizeMax, "a key is too long")
        precondition(mountURL.utf8.count <= Self.urlSizeMax, "a mount URL is too long")
        precondition(validator.utf8.count <= Self.validatorSizeMax, "a validator is too long")
        precondition(transientPath.count <= Self.transientPathSizeMax, "a path is too long")
        let errorText = errorText.utf8.prefixOfCharacters(sizeMax: Self.errorTextSizeMax)
        let sizes = [
            key.utf8.count, mountURL.utf8.count, errorText.count, validator.utf8.count,
            transientPath.count,
        ]
        var bytes: [UInt8] = []
        bytes.reserveCapacity(sizes.reduce(Self.headerSize + Self.checksumSize, +))
        bytes.append(policy == .automatic ? 3 : Self.version)
        bytes.append(state.rawValue)
        bytes.append(flags)
        bytes.append(identity.rawValue)
        bytes.append(littleEndian: errorCode)
        bytes.append(littleEndian: generation)
        bytes.append(littleEndian: registered)
        bytes.append(littleEndian: stateSince)
        bytes.append(littleEndian: sectionCount)
        bytes.append(littleEndian: payloadSize)
        bytes.append(littleEndian: indexSize)
        bytes.append(littleEndian: fileSize)
        bytes.append(littleEndian: fileModified)
        bytes.append(littleEndian: fileInode)
        bytes.append(littleEndian: fileDevice)
        bytes.append(littleEndian: UInt16(sizes[0]))
        bytes.append(policy.rawValue)
        bytes.append(0)
        bytes.append(littleEndian: UInt32(sizes[1]))
        bytes.append(littleEndian: UInt32(sizes[2]))
        bytes.append(littleEndian: UInt16(sizes[3]))
        bytes.append(littleEndian: UInt16(sizes[4]))
        bytes.append(littleEndian: contentChecksum)
        bytes.append(littleEndian: sectionSizeMax)
        bytes.append(littleEndian: headerSizeMax)
        assert(bytes.count == Self.headerSize)
        bytes.append(contentsOf: key.utf8)
        bytes.append(contentsOf: mountURL.utf8)
        bytes.append(contentsOf: errorText)
        bytes.append(contentsOf: validator.utf8)
        bytes.append(contentsOf: transientPath)
        bytes.append(littleEndian: bytes.withView { Checksum.xxh64($0) })
        return bytes
    }

    /// Reads a record of any version up to this one.
    ///
    /// - Throws: `.corrupt` if the bytes are no record; `.tooNew` if a newer version wrote it.
    package init(number: UInt32, reading bytes: ByteView) throws(CatalogError) {
        guard let version = bytes.isEmpty ? nil : bytes[0], version >= 1 else {
            throw Self.damage(number)
        }
        guard version <= Self.version else {
            throw CatalogError(.tooNew, "the record of shard \(number) has version \(version)")
        }
        guard
            bytes.count >= Self.headerSize(ofVersion: version)
                + Self.checksumSize(ofVersion: version),
            Self.isAsWritten(bytes, version: version),
            let fields = Fields(bytes, version: version),
            let state = State(rawValue: bytes[1])
        else { throw Self.damage(number) }
        self.init(
            number: number,
            key: String(decoding: bytes[fields.key].copied, as: UTF8.self),
            mountURL: String(decoding: bytes[fields.url].copied, as: UTF8.self),
            state: state
        )
        readFlags(bytes[2])
        if !fields.errorText.isEmpty {
            errorText = String(decoding: bytes[fields.errorText].copied, as: UTF8.self)
        }
        readNumbers(bytes)
        guard version > 1 else { return }
        guard let identity = Identity(rawValue: bytes[3]) else { throw Self.damage(number) }
        self.identity = identity
        contentChecksum = bytes.loadUInt64(at: 104)
        if !fields.validator.isEmpty {
            validator = String(decoding: bytes[fields.validator].copied, as: UTF8.self)
        }
        transientPath = bytes[fields.transientPath].copied
        guard version > 2 else { return }
        sectionSizeMax = bytes.loadUInt64(at: 112)
        headerSizeMax = bytes.loadUInt64(at: 120)
        guard version > 3 else { return }
        guard let policy = Policy(rawValue: bytes[90]), policy != .automatic else {
            throw Self.damage(number)
        }
        self.policy = policy
    }

    /// Returns whether the checksum is right; versions without checksum pass.
    private static func isAsWritten(_ bytes: ByteView, version: UInt8) -> Bool {
        guard version > 2 else { return true }
        let end = bytes.count - checksumSize
        return Checksum.xxh64(bytes[0..<end]) == bytes.loadUInt64(at: end)
    }

    private mutating func readNumbers(_ bytes: ByteView) {
        errorCode = Int32(bitPattern: bytes.loadUInt32(at: 4))
        generation = bytes.loadUInt64(at: 8)
        registered = bytes.loadUInt64(at: 16)
        stateSince = bytes.loadUInt64(at: 24)
        sectionCount = bytes.loadUInt64(at: 32)
        payloadSize = bytes.loadUInt64(at: 40)
        indexSize = bytes.loadUInt64(at: 48)
        fileSize = bytes.loadUInt64(at: 56)
        fileModified = Int64(bitPattern: bytes.loadUInt64(at: 64))
        fileInode = bytes.loadUInt64(at: 72)
        fileDevice = bytes.loadUInt64(at: 80)
    }

    private var flags: UInt8 {
        let codec: UInt8 = origin.map { $0.codec == 0x0400 ? 1 : 2 } ?? 0
        return (isLazy ? Self.isLazyFlag : 0) | (isIncomplete ? Self.isIncompleteFlag : 0)
            | codec << Self.originShift
            | (origin?.hasIdentity == true ? Self.hasIdentityFlag : 0)
    }

    private mutating func readFlags(_ flags: UInt8) {
        isLazy = flags & Self.isLazyFlag != 0
        isIncomplete = flags & Self.isIncompleteFlag != 0
        let codec = flags >> Self.originShift & 3
        guard codec != 0 else { return }
        origin = Origin(
            codec: codec == 1 ? 0x0400 : 0x0401,
            hasIdentity: flags & Self.hasIdentityFlag != 0
        )
    }

    /// Returns whether a version from 2 on may have written these flags.
    private static func areFlags(_ flags: UInt8) -> Bool {
        let codec = flags >> originShift & 3
        guard flags < 32, codec != 3 else { return false }
        return codec != 0 || flags <= isLazyFlag | isIncompleteFlag
    }

    private static func headerSize(ofVersion version: UInt8) -> Int {
        switch version {
        case 1: 100
        case 2: 112
        default: headerSize
        }
    }

    private static func checksumSize(ofVersion version: UInt8) -> Int {
        version > 2 ? checksumSize : 0
    }

    private static func damage(_ number: UInt32) -> CatalogError {
        CatalogError(.corrupt, "the record of shard \(number) is damaged")
    }

    /// The ranges of the fields with variable size.
    private struct Fields {
        let key, url, errorText, validator, transientPath: Range<Int>

        /// Finds the fields of a record whose header is whole.
        ///
        /// - Returns: Nil if the fields do not end at the record's end, or if one is too long. Version 1 had no
        ///   limits, so only its fields with a limit that keys and URLs need are checked.
        init?(_ bytes: ByteView, version: UInt8) {
            let header = ShardRecord.headerSize(ofVersion: version)
            let keySize = Int(bytes.loadUInt16(at: 88))
            let urlSize = Int(bytes.loadUInt32(at: 92))
            let textSize = Int(bytes.loadUInt32(at: 96))
            let validatorSize = version == 1 ? 0 : Int(bytes.loadUInt16(at: 100))
            let pathSize = version == 1 ? 0 : Int(bytes.loadUInt16(at: 102))
            key = header..<header + keySize
            url = key.upperBound..<key.upperBound + urlSize
            errorText = url.upperBound..<url.upperBound + textSize
            validator = errorText.upperBound..<errorText.upperBound + validatorSize
            transientPath = validator.upperBound..<validator.upperBound + pathSize
            let end = bytes.count - ShardRecord.checksumSize(ofVersion: version)
            guard transientPath.upperBound == end,
                keySize <= ShardRecord.keySizeMax,
                urlSize <= ShardRecord.urlSizeMax
            else { return nil }
            guard version > 1 else { return }
            guard textSize <= ShardRecord.errorTextSizeMax,
                validatorSize <= ShardRecord.validatorSizeMax,
                pathSize <= ShardRecord.transientPathSizeMax,
                ShardRecord.areFlags(bytes[2]),
                version > 3 || bytes[90] == 0, bytes[91] == 0
            else { return nil }
        }
    }
}

extension String.UTF8View {
    /// Returns the longest prefix of at most `sizeMax` bytes that ends between two characters.
    fileprivate func prefixOfCharacters(sizeMax: Int) -> SubSequence {
        guard count > sizeMax else { return self[...] }
        var end = index(startIndex, offsetBy: sizeMax)
        while end > startIndex, self[end] & 0xc0 == 0x80 { end = index(before: end) }
        return self[..<end]
    }
}
