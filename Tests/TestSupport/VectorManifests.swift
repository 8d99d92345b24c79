/// One file of the public vectors.
package struct PublicVector: Decodable, Sendable, CustomStringConvertible {
    /// What another reader found in a CAR.
    package struct Findings: Decodable, Sendable {
        /// The CARv2 header.
        package struct VersionTwo: Decodable, Sendable {
            package var dataOffset: UInt64
            package var dataSize: UInt64
            package var indexOffset: UInt64
            package var isFullyIndexed: Bool?

            enum CodingKeys: String, CodingKey {
                case dataOffset = "data_offset"
                case dataSize = "data_size"
                case indexOffset = "index_offset"
                case isFullyIndexed = "fully_indexed"
            }
        }

        package var headerSize: UInt64?
        package var roots: [String]?
        package var blocks: Int?
        package var versionZeroBlocks: Int?
        package var identityBlocks: Int?
        package var duplicates: Int?
        package var blockBytes: UInt64?
        package var largestBlock: UInt64?
        package var codecs: [String: Int]?
        package var multihashes: [String: Int]?
        package var areRootsPresent: Bool?
        package var versionTwo: VersionTwo?
        package var index: IndexFindings?
        package var openError: String?
        package var sectionError: String?
        package var indexError: String?
        package var hashMismatches: Int?

        enum CodingKeys: String, CodingKey {
            case headerSize = "header_bytes"
            case roots, blocks, codecs, multihashes, index
            case versionZeroBlocks = "cid_v0_blocks"
            case identityBlocks = "identity_blocks"
            case duplicates = "duplicate_cids"
            case blockBytes = "block_bytes"
            case largestBlock = "max_block"
            case areRootsPresent = "roots_present"
            case versionTwo = "v2"
            case openError = "open_error"
            case sectionError = "section_error"
            case indexError = "index_error"
            case hashMismatches = "hash_mismatch_count"
        }
    }

    /// What another reader found in an index.
    package struct IndexFindings: Decodable, Sendable {
        /// The records of one width.
        package struct Bucket: Decodable, Sendable {
            package var width: Int
            package var records: Int
        }

        /// The buckets of one hash function.
        package struct Code: Decodable, Sendable {
            package var hashCode: String
            package var buckets: [Bucket]

            enum CodingKeys: String, CodingKey {
                case hashCode = "mh_code"
                case buckets
            }
        }

        package var codec: String?
        package var buckets: [Bucket]?
        package var codes: [Code]?
        package var recordCount: Int?
        package var offsetMin: UInt64?
        package var offsetMax: UInt64?

        enum CodingKeys: String, CodingKey {
            case codec, buckets, codes
            case recordCount = "record_count"
            case offsetMin = "min_offset"
            case offsetMax = "max_offset"
        }
    }

    /// The file, below `public-repos`.
    package var file: String
    package var size: Int
    package var kind: String
    /// The outcome to reach.
    package var expect: String
    /// What was found in a CAR.
    package var findings: Findings?
    /// What was found in an index file.
    package var indexFindings: IndexFindings?
    /// What was found in the CAR that a compressed file holds.
    package var decompressed: Findings?

    enum CodingKeys: String, CodingKey {
        case file, size, kind, expect
        case findings = "computed"
        case decompressed = "computed_decompressed"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        file = try container.decode(String.self, forKey: .file)
        size = try container.decode(Int.self, forKey: .size)
        kind = try container.decode(String.self, forKey: .kind)
        expect = try container.decode(String.self, forKey: .expect)
        // An index file has the findings of an index in the place of a CAR's.
        if kind == "carindex" {
            indexFindings = try container.decodeIfPresent(IndexFindings.self, forKey: .findings)
        } else {
            findings = try container.decodeIfPresent(Findings.self, forKey: .findings)
        }
        decompressed = try container.decodeIfPresent(Findings.self, forKey: .decompressed)
    }

    /// The file's path from the vectors' folder.
    package var path: String { "public-repos/" + file }
    package var description: String { file }
}

/// The sections of one CAR of the public vectors.
package struct PublicSections: Decodable, Sendable, CustomStringConvertible {
    /// One section: where its length stands, the size of length and CID, that of the data, and the CID.
    package struct Row: Decodable, Equatable, Sendable {
        package var offset: UInt64
        package var headSize: UInt64
        package var dataSize: UInt64
        package var cid: String

        package init(offset: UInt64, headSize: UInt64, dataSize: UInt64, cid: String) {
            self.offset = offset
            self.headSize = headSize
            self.dataSize = dataSize
            self.cid = cid
        }

        package init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            offset = try container.decode(UInt64.self)
            headSize = try container.decode(UInt64.self)
            dataSize = try container.decode(UInt64.self)
            cid = try container.decode(String.self)
        }
    }

    package var file: String
    package var dataOffset: UInt64
    package var sections: [Row]

    enum CodingKeys: String, CodingKey {
        case file, sections
        case dataOffset = "data_offset"
    }

    /// The file's path from the vectors' folder.
    package var path: String { "public-repos/" + file }
    package var description: String { file }
}

/// One CAR that the reference implementation wrote.
package struct ReferenceCAR: Decodable, Sendable, CustomStringConvertible {
    /// One section.
    package struct Block: Decodable, Sendable {
        package var cid: String
        package var multihash: String
        package var sectionOffset: UInt64
        package var sectionSize: UInt64
        package var dataOffset: UInt64
        package var fileOffset: UInt64
        package var dataSize: UInt64
        package var isSound: Bool

        enum CodingKeys: String, CodingKey {
            case cid, multihash
            case sectionOffset = "section_offset"
            case sectionSize = "section_len"
            case dataOffset = "payload_offset"
            case fileOffset = "file_payload_offset"
            case dataSize = "payload_len"
            case isSound = "hash_ok"
        }
    }

    /// The header of a CARv2.
    package struct VersionTwo: Decodable, Sendable {
        package var dataOffset: UInt64
        package var dataSize: UInt64
        package var indexOffset: UInt64
        package var isFullyIndexed: Bool

        enum CodingKeys: String, CodingKey {
            case dataOffset = "data_offset"
            case dataSize = "data_size"
            case indexOffset = "index_offset"
            case isFullyIndexed = "fully_indexed"
        }
    }

    /// What an index answers.
    package struct Index: Decodable, Sendable {
        /// One record.
        package struct Record: Decodable, Hashable, Sendable {
            package var multihash: String
            package var offset: UInt64

            enum CodingKeys: String, CodingKey {
                case multihash = "mh"
                case offset
            }

            package init(multihash: String, offset: UInt64) {
                self.multihash = multihash
                self.offset = offset
            }
        }

        /// The answer for one CID; nil if it was not found.
        package struct Answer: Decodable, Sendable {
            package var cid: String
            package var offsets: [UInt64]?
        }

        package var size: Int
        package var codec: String
        package var records: [Record]?
        package var answers: [Answer]?

        enum CodingKeys: String, CodingKey {
            case codec
            case size = "bytes"
            case records = "foreach"
            case answers = "getall"
        }
    }

    /// An index file, or why there is none.
    package struct GeneratedIndex: Decodable, Sendable {
        package var file: String?
        package var index: Index?
        package var error: String?

        enum CodingKeys: String, CodingKey { case file, index }

        package init(from decoder: any Decoder) throws {
            if let error = try? decoder.singleValueContainer().decode(String.self) {
                self.error = error
                return
            }
            let container = try decoder.container(keyedBy: CodingKeys.self)
            file = try container.decodeIfPresent(String.self, forKey: .file)
            index = try container.decodeIfPresent(Index.self, forKey: .index)
        }
    }

    /// The file, below `go-dagstore`.
    package var file: String
    package var size: Int
    package var version: UInt64?
    package var roots: [String]?
    package var versionTwo: VersionTwo?
    package var blocks: [Block]?
    package var openError: String?
    package var skipError: String?
    package var verifyError: String?
    /// What the Go store keeps as this CAR's index.
    package var storedIndex: Index?
    package var storedIndexError: String?
    /// By `0400` or `0401`, with `.noident` where identity CIDs are left out.
    package var indices: [String: GeneratedIndex]

    enum CodingKeys: String, CodingKey {
        case file = "path"
        case size = "bytes"
        case version, roots, blocks
        case versionTwo = "v2header"
        case openError = "open_error"
        case skipError = "skip_error"
        case verifyError = "verify_error"
        case storedIndex = "dagstore_index"
        case storedIndexError = "dagstore_index_error"
        case indices = "generated_indices"
    }

    /// The file's path from the vectors' folder.
    package var path: String { "go-dagstore/" + file }
    package var description: String { file }
}

struct PublicManifest: Decodable {
    var vectors: [PublicVector]
}

struct ReferenceManifest: Decodable {
    var cars: [ReferenceCAR]
}
