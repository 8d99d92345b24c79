internal import FoundationEssentials

/// The record that the reference writes for a shard.
///
/// ```
/// {"k":key,"u":mount URL,"t":transient path or "","s":state,"l":lazy,"e":error or ""}
/// ```
struct GoRecord: Equatable, Sendable, Codable {
    /// The states of the reference.
    enum State {
        static let new: UInt8 = 0
        static let initializing: UInt8 = 1
        static let available: UInt8 = 2
        static let serving: UInt8 = 3
        static let recovering: UInt8 = 0x80
        static let errored: UInt8 = 0xf0
    }

    /// The prefix of the records' keys in the datastore.
    static let prefix = Array("/dagstore/".utf8)

    var key: String
    var mountURL: String
    var transientPath: String
    var state: UInt8
    var isLazy: Bool
    var error: String

    enum CodingKeys: String, CodingKey {
        case key = "k"
        case mountURL = "u"
        case transientPath = "t"
        case state = "s"
        case isLazy = "l"
        case error = "e"
    }

    /// Decodes a record; returns nil if it is malformed.
    static func decode(_ bytes: [UInt8]) -> GoRecord? {
        try? JSONDecoder().decode(GoRecord.self, from: Data(bytes))
    }
}
