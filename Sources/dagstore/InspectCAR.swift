internal import ArgumentParser
internal import Bytes
internal import CAR
internal import DAGStorage
internal import Hashing
internal import Mounts
internal import Multiformats

/// `car inspect`: what a CAR file is made of.
struct InspectCAR: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show the header and count the sections; nothing is hashed."
    )

    @OptionGroup var car: CARArgument
    @OptionGroup var format: FormatOptions
    @OptionGroup var progress: ProgressOptions

    func run() throws {
        try Output.run(format.format) { output in
            try car.open { file in
                let bar = ProgressBar(progress.progress, car.file)
                let report = try CARReport(of: file, bar)
                switch format.format {
                case .text: try output.fields(report.fields(car.file))
                case .json: try output.object(report.write)
                }
            }
        }
    }
}

/// What `car inspect` finds.
private struct CARReport {
    private let layout: CARLayout
    private let indexCodec: UInt64?
    private var sections = 0
    private var identitySections = 0
    private var duplicateSections = 0
    private var minBlock = UInt64.max
    private var maxBlock: UInt64 = 0
    private var codecs: [UInt64: Int] = [:]
    private var hashes: [UInt64: Int] = [:]
    private var nullPadding: UInt64 = 0

    /// Walks over `file`.
    ///
    /// *Cost*: one walk over the section headers, and 16 bytes of memory a section.
    init(of file: CARFile, _ bar: ProgressBar) throws {
        layout = file.layout
        indexCodec = file.indexCodec
        // Hashed under a key that nobody knows: 128 equal bits are equal CIDs.
        let hash = KeyedHash(key: (.random(in: 0...UInt64.max), .random(in: 0...UInt64.max)))
        var seen: [KeyedHash.Hash128] = []
        var cid = SectionCID()
        let end = try CARArgument.walk(file, bar) { section, digest in
            cid.read(section.cid, digest)
            seen.append(cid.bytes.withView { hash.hash($0) })
            count(section)
        }
        nullPadding = layout.dataSize - end
        sections = seen.count
        seen.sort { $0.high == $1.high ? $0.low < $1.low : $0.high < $1.high }
        duplicateSections = zip(seen, seen.dropFirst()).count { $0 == $1 }
        if sections == 0 { minBlock = 0 }
    }

    private mutating func count(_ section: borrowing Section) {
        let size = section.dataSize
        minBlock = min(minBlock, size)
        maxBlock = max(maxBlock, size)
        codecs[section.cid.codec, default: 0] += 1
        hashes[section.cid.hashCode, default: 0] += 1
        if section.cid.isIdentity { identitySections += 1 }
    }

    private var codecNames: [(name: String, count: Int)] {
        codecs.map { (Codec.name(of: $0), $1) }.sorted { $0.name < $1.name }
    }

    private var hashNames: [(name: String, count: Int)] {
        hashes.map { (HashCode.name(of: $0), $1) }.sorted { $0.name < $1.name }
    }

    private var indexCodecText: String? {
        indexCodec.map { codec in
            let digits = String(codec, radix: 16)
            return "0x" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        }
    }

    /// Writes the members of the JSON object.
    func write(_ json: inout JSONWriter) {
        json.member("version", layout.version)
        json.member("roots", layout.roots.map(\.description))
        json.member("sections", sections)
        json.member("dataOffset", layout.dataOffset)
        json.member("dataSize", layout.dataSize)
        json.member("indexOffset", layout.indexOffset ?? 0)
        json.member("indexCodec", indexCodecText)
        json.member("fullyIndexed", layout.isFullyIndexed)
        json.member("identitySections", identitySections)
        json.member("duplicateSections", duplicateSections)
        json.member("minBlock", minBlock)
        json.member("maxBlock", maxBlock)
        json.member("codecs") { json in
            for (name, count) in codecNames { json.member(name, count) }
        }
        json.member("hashes") { json in
            for (name, count) in hashNames { json.member(name, count) }
        }
        json.member("nullPadding", nullPadding)
    }

    /// The same for people.
    func fields(_ file: String) -> [(name: String, value: String)] {
        var fields = [("file", file.printable), ("version", "CARv\(layout.version)")]
        fields += Self.list("roots", layout.roots.map(\.description))
        let parts = "\(identitySections.grouped) identity, \(duplicateSections.grouped) repeated"
        fields.append(("sections", "\(sections.grouped)  (\(parts))"))
        if sections > 0 {
            let range = minBlock == maxBlock ? "all" : "\(minBlock.asSize) to"
            fields.append(("blocks", "\(range) \(maxBlock.asSize)"))
        }
        fields += Self.list("codecs", Self.counts(codecNames))
        fields += Self.list("hashes", Self.counts(hashNames))
        fields.append(
            ("payload", "\(layout.dataSize.asSize), from byte \(layout.dataOffset.grouped)")
        )
        if nullPadding > 0 {
            fields.append(("padding", "\(nullPadding.asSize) after the first zero length"))
        }
        fields.append(("index", indexText))
        return fields
    }

    private var indexText: String {
        guard let offset = layout.indexOffset else { return "none" }
        let codec = indexCodecText ?? "unreadable"
        let extent = layout.isFullyIndexed ? ", said to list every section" : ""
        return "\(codec), from byte \(offset.grouped)\(extent)"
    }

    /// The name before the first value only.
    private static func list(_ name: String, _ values: [String]) -> [(String, String)] {
        guard !values.isEmpty else { return [(name, "none")] }
        return values.enumerated().map { ($0 == 0 ? name : "", $1) }
    }

    private static func counts(_ counts: [(name: String, count: Int)]) -> [String] {
        var table = Table([.text(""), .number("")])
        let rows = counts.map { [$0.name, $0.count.grouped] }
        for row in rows { table.measure(row) }
        return rows.map(table.line)
    }
}
