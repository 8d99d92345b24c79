internal import AdminMessages
internal import ArgumentParser
internal import DAGBytes
internal import DAGCAR
internal import DAGCARFiles
internal import DAGHashing
internal import DAGMounts
internal import DAGMultiformats
internal import DAGStorage

/// `car inspect`: shows the parts of a CAR file.
struct InspectCAR: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show the header of a CAR file and count its sections, without hashing."
    )

    @OptionGroup var car: CARArgument
    @OptionGroup var format: FormatOptions
    @OptionGroup var progress: ProgressOptions

    func run() throws {
        try Output.run(format.format) { output in
            try car.open { file in
                let bar = ProgressBar(progress.progress, car.name)
                defer { bar.finish() }
                let size = file.layout.dataSize
                let report = CARReport(found: try file.inspect { bar.update($0, of: size) })
                switch format.format {
                case .text: try output.fields(report.fields(car.name))
                case .json: try output.object(report.write)
                }
            }
        }
    }
}

/// The report of `car inspect`.
private struct CARReport {
    let found: CARInspection

    private var layout: CARLayout { found.layout }

    private var codecNames: [(name: String, count: UInt64)] {
        found.codecs.map { (Codec.name(of: $0), $1) }.sorted { $0.name < $1.name }
    }

    private var hashNames: [(name: String, count: UInt64)] {
        found.hashes.map { (HashCode.name(of: $0), $1) }.sorted { $0.name < $1.name }
    }

    private var indexCodecText: String? {
        found.indexCodec.map(\.asCodec)
    }

    /// Writes the members of the JSON object.
    func write(_ json: inout JSONWriter) {
        json.member("version", layout.version)
        json.member("roots", layout.roots.map(\.description))
        json.member("sections", found.sections)
        json.member("dataOffset", layout.dataOffset)
        json.member("dataSize", layout.dataSize)
        json.member("indexOffset", layout.indexOffset ?? 0)
        json.member("indexCodec", indexCodecText)
        json.member("fullyIndexed", layout.isFullyIndexed)
        json.member("identitySections", found.identitySections)
        json.member("duplicateSections", found.duplicateSections)
        json.member("minBlock", found.minBlock)
        json.member("maxBlock", found.maxBlock)
        json.member("codecs") { json in
            for (name, count) in codecNames { json.member(name, count) }
        }
        json.member("hashes") { json in
            for (name, count) in hashNames { json.member(name, count) }
        }
        json.member("nullPadding", found.nullPadding)
        json.member("missingRoots", found.missingRoots.map(\.description))
    }

    /// The fields for people.
    func fields(_ file: String) -> [(name: String, value: String)] {
        var fields = [("file", file.printable), ("version", "CARv\(layout.version)")]
        let missing = Set(found.missingRoots)
        fields += Self.list(
            "roots",
            layout.roots.map { "\($0)" + (missing.contains($0) ? "  (no section has it)" : "") }
        )
        let parts =
            "\(found.identitySections.grouped) identity, \(found.duplicateSections.grouped) repeated"
        fields.append(("sections", "\(found.sections.grouped)  (\(parts))"))
        if found.sections > 0 {
            let range = found.minBlock == found.maxBlock ? "all" : "\(found.minBlock.asSize) to"
            fields.append(("blocks", "\(range) \(found.maxBlock.asSize)"))
        }
        fields += Self.list("codecs", Self.counts(codecNames))
        fields += Self.list("hashes", Self.counts(hashNames))
        fields.append(
            ("payload", "\(layout.dataSize.asSize), from byte \(layout.dataOffset.grouped)")
        )
        if found.nullPadding > 0 {
            fields.append(("padding", "\(found.nullPadding.asSize) after the first zero length"))
        }
        fields.append(("index", indexText))
        return fields
    }

    private var indexText: String {
        guard let offset = layout.indexOffset else { return "none" }
        let codec = indexCodecText ?? "unreadable"
        let extent = layout.isFullyIndexed ? ", claims to list every section" : ""
        return "\(codec), from byte \(offset.grouped)\(extent)"
    }

    /// Puts the name before the first value only.
    private static func list(_ name: String, _ values: [String]) -> [(String, String)] {
        guard !values.isEmpty else { return [(name, "none")] }
        return values.enumerated().map { ($0 == 0 ? name : "", $1) }
    }

    private static func counts(_ counts: [(name: String, count: UInt64)]) -> [String] {
        var table = Table([.text(""), .number("")])
        let rows = counts.map { [$0.name, $0.count.grouped] }
        for row in rows { table.measure(row) }
        return rows.map(table.line)
    }
}
