import Foundation
import Testing

@testable import BenchReport

/// Flame graphs of the output of perf.
@Suite("Flame graph")
struct FlameGraphTests {
    private let samples = """
        bench 12 100.1:  1 cpu-clock:
        \tffff1 inner<Int>+0x12 (/usr/bin/bench)
        \t          ff2 outer+0x4 (/usr/bin/bench)

        bench 12 100.2:  1 cpu-clock:
        \tffff3 other (with space)+0x9 (/usr/bin/bench)
        \tffff2 outer+0x8 (/usr/bin/bench)

        bench 12 100.3:  1 cpu-clock:
        \tffff4 [unknown] ([kernel.kallsyms])
        """

    @Test("each stack counts once, and a caller is as wide as its callees")
    func counts() {
        let graph = FlameGraph(samples: samples)
        #expect(graph.sampleCount == 3)
        let svg = graph.svg(title: "a & b")
        #expect(svg.contains("outer: 2 samples, 66.7 %"))
        #expect(svg.contains("inner&lt;Int&gt;: 1 samples, 33.3 %"))
        #expect(svg.contains("other (with space): 1 samples"))
        #expect(svg.contains("[unknown]: 1 samples"))
        #expect(svg.contains("a &amp; b, 3 samples"))
        #expect(
            svg.components(separatedBy: "<g>").count == svg.components(separatedBy: "</g>").count
        )
    }

    @Test("without a sample there is a title and no box")
    func empty() {
        let svg = FlameGraph(samples: "").svg(title: "nothing")
        #expect(!svg.contains("<rect"))
        #expect(svg.contains("nothing, 0 samples"))
    }
}
