import Benchmark
@_spi(Measurement) import DAGStorage

// How long single steps take, a thousand at a time.
for step in MeasuredStep.all {
    let run = try step.prepared()
    var sum: UInt64 = 0
    benchmark("\(step.name) x 1000") {
        sum &+= try run(1000)
    }
}

Benchmark.main()
