@testable import BenchReport

/// Lines of runs, made up for tests.
enum Fixtures {
    static func runLine(date: String = "2026-11-26T11:00:00Z", isQuick: Bool = false) -> String {
        #"{"kind":"run","version":1,"date":"\#(date)","commit":"c0ffee","isDirty":false,"#
            + #""machine":"A <fast> | machine","cores":2,"memoryBytes":25000000000,"#
            + #""os":"An OS","kernel":"A kernel","toolchain":"Swift 6.3.1","#
            + #""isQuick":\#(isQuick),"runs":5,"command":"dagstore-bench run","load":0.05}"#
    }

    static let endLine = #"{"kind":"end","date":"2026-11-26T11:09:00Z","seconds":512.2}"#

    /// A figure whose range is its median give or take `spread`, as a part of it.
    static func figure(
        _ name: String,
        _ median: Double,
        _ unit: String = "ns",
        of system: String = "dagstore",
        better: String = "lower",
        spread: Double = 0.01,
        x: Double? = nil,
        workload: String = "work",
        extra: String = ""
    ) -> String {
        let place = x.map { #","x":\#($0),"axis":"entries""# } ?? ""
        return #"{"kind":"figure","workload":"\#(workload)","name":"\#(name)","#
            + #""system":"\#(system)","unit":"\#(unit)","better":"\#(better)","runs":5,"#
            + #""value":\#(median),"min":\#(median * (1 - spread)),"median":\#(median),"#
            + #""max":\#(median * (1 + spread))\#(place)\#(extra)}"#
    }

    static func run(
        _ lines: [String],
        date: String = "2026-11-26T11:00:00Z",
        isQuick: Bool = false,
        isComplete: Bool = true
    ) throws -> BenchRun {
        let all = [runLine(date: date, isQuick: isQuick)] + lines + (isComplete ? [endLine] : [])
        return try BenchRun(lines: all.joined(separator: "\n") + "\n")
    }

    /// Lines that keep every bar, each by a quarter, except for those that `change` gives.
    static func allBars(_ change: [String: Double] = [:]) -> [String] {
        Bars.rows.flatMap(\.bars).map { bar in
            let isLower = bar.comparison == .atMost
            let value = change[bar.figure] ?? (bar.target * (isLower ? 0.75 : 1.25))
            return figure(bar.figure, value, bar.unit, better: isLower ? "lower" : "higher")
        }
    }

    /// Lines with every kind of plot, and with names that need to be escaped.
    static let everything: [String] =
        allBars(["build.n1m": 0.3]) + [
            figure("peers.lookup.hit", 252),
            figure("peers.lookup.hit", 4100, of: "leveldb"),
            figure("peers.lookup.hit", 126, of: "lmdb"),
            figure("peers.size", 43.9, "B/entry"),
            figure("peers.size", 118, "B/entry", of: "lmdb"),
            figure("odd <&> | name", 1, of: "a <b> & 'c'"),
            figure("odd <&> | name", 0),
            figure("curve.lookup", 110, x: 1000),
            figure("curve.lookup", 130, x: 100_000),
            figure("curve.lookup", 0, x: 10_000_000),
            figure("curve.lookup", 90, of: "flat", x: 1000),
            figure("curve.ingest", 0.2, "s", x: 1000),
            figure("curve.size", 38_200, "B", x: 1000),
            figure("curve.shards.find", 0, x: 1),
            figure("lonely", 5),
            figure("threads.get.own.1", 1.5, "M/s", better: "higher"),
            figure("threads.get.own.1.processes", 1.75, "M/s", better: "higher"),
            figure("threads.get.own.1.ratio", 0.857, "x", better: "higher"),
            figure("threads.get.own.16", 2.25, "M/s", better: "higher"),
            figure("threads.get.own.16.processes", 3.25, "M/s", better: "higher"),
            figure("threads.get.own.16.ratio", 0.692, "x", better: "higher"),
            figure("threads.get.own.16.to-2", 0.777, "x", better: "higher"),
            #"{"kind":"skipped","workload":"w","system":"rocksdb","reason":"a | <b>"}"#,
            #"{"kind":"busy","workload":"w","detail":"others used 0.4 cores"}"#,
        ]
}
