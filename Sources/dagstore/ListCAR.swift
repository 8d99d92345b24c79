internal import AdminMessages
internal import ArgumentParser
internal import DAGBytes
internal import DAGCAR
internal import DAGCARFiles
internal import DAGMounts
internal import DAGMultiformats
internal import DAGStorage

/// `car list`: lists the sections of a CAR file.
struct ListCAR: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the sections of a CAR file in file order, one a line."
    )

    @OptionGroup var car: CARArgument
    @OptionGroup var format: FormatOptions

    func run() throws {
        try Output.run(format.format) { output in
            try car.open { file in
                switch format.format {
                case .text: try Self.listAsText(file, &output)
                case .json: try Self.listAsJSON(file, &output)
                }
            }
        }
    }

    private static func listAsJSON(_ file: CARFile, _ output: inout Output) throws {
        var cid = SectionCID()
        var walk = file.walk()
        try walk.forEach { section, digest in
            cid.read(section.cid, digest)
            let text = CID(bytes: cid.bytes, layout: section.cid).description
            try output.object { json in
                json.member("cid", text)
                json.member("offset", section.offset)
                json.member("blockOffset", file.layout.dataOffset + section.dataOffset)
                json.member("size", section.dataSize)
            }
        }
    }

    private static func listAsText(_ file: CARFile, _ output: inout Output) throws {
        let width = String(file.source.size).count
        let table = Table([
            .number("OFFSET", width: width), .number("BLOCK", width: width),
            .number("SIZE", width: 7), .text("CID"),
        ])
        try output.heading(of: table)
        var cid = SectionCID()
        var walk = file.walk()
        try walk.forEach { section, digest in
            cid.read(section.cid, digest)
            try output.line(
                table.line([
                    String(section.offset),
                    String(file.layout.dataOffset + section.dataOffset),
                    String(section.dataSize),
                    CID(bytes: cid.bytes, layout: section.cid).description,
                ])
            )
        }
    }
}
