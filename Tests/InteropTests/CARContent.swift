import DAGBytes
import DAGCAR
import DAGCARFiles
import DAGMounts
import DAGMultiformats
import DAGStorage
import Foundation
import FuzzChecks
import SystemPackage
import TestSupport

/// What a reader finds in a CAR, in the words of the vectors.
struct CARContent: Equatable {
    /// One section.
    struct Row: Equatable {
        var offset: UInt64
        var dataOffset: UInt64
        var dataSize: UInt64
        var cid: CID
    }

    var rows: [Row] = []
    /// What ended the walk before the end of the data.
    var error: CARError?
    var end: UInt64 = 0

    /// The sections of a file in memory, at once or through windows.
    init(
        of file: ByteView,
        _ layout: CARLayout,
        limits: CARLimits = CARLimits(),
        windowSize: Int? = nil
    ) throws {
        let start = Int(layout.dataOffset)
        let payload = file[start..<start + Int(layout.dataSize)]
        let list: SectionList
        if let windowSize {
            list = SectionList(of: payload, from: layout.headerSize, limits: limits) { windowSize }
        } else {
            list = SectionList(of: payload, from: layout.headerSize, limits: limits)
        }
        rows = try list.sections.map { try Row($0, payload) }
        error = list.error
        end = list.end
    }

    /// The sections of a file on disk.
    ///
    /// A walk shows digests only; the CIDs are taken from the mapping.
    init(walking file: CARFile) throws {
        var walk = file.walk()
        let start = Int(file.layout.dataOffset)
        let payload = file.mapped.bytes[start..<start + Int(file.layout.dataSize)]
        var rows: [Row] = []
        var digests = 0
        do {
            try walk.forEach { section, digest in
                let row = try Row(section, payload)
                if row.cid.withDigest({ $0.elementsEqual(digest) }) { digests += 1 }
                rows.append(row)
            }
        } catch let error as CARError {
            self.error = error
        }
        precondition(digests == rows.count, "a walk shows other digests than the mapping")
        self.rows = rows
        end = walk.position
    }

    static func == (one: Self, other: Self) -> Bool {
        one.rows == other.rows && one.end == other.end && one.error == other.error
            && one.error?.offset == other.error?.offset
    }
}

extension CARContent.Row {
    init(_ section: borrowing Section, _ payload: ByteView) throws {
        self.init(
            offset: section.offset,
            dataOffset: section.dataOffset,
            dataSize: section.dataSize,
            cid: try CID(payload[Int(section.cidOffset)..<Int(section.dataOffset)])
        )
    }
}

extension CARFile {
    convenience init(_ url: URL, limits: CARLimits = CARLimits()) throws {
        try self.init(opening: FilePath(url.path), limits: limits)
    }
}

/// The index of `content` in go-car's format.
func carIndex(of content: CARContent, codec: UInt64, storesIdentity: Bool) -> [UInt8] {
    var builder = CARIndexBuilder(storesIdentity: storesIdentity)
    for row in content.rows {
        row.cid.withDigest {
            builder.append(hashCode: row.cid.hashCode, digest: $0, offset: row.offset)
        }
    }
    return builder.encoded(codec: codec)
}
