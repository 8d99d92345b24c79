import Benchmark
import DAGMeasurement

// Times single steps, a thousand at a time.
for step in MeasuredStep.all {
    let run = try step.prepared()
    var sum: UInt64 = 0
    benchmark("\(step.name) x 1000") {
        sum &+= try run(1000)
    }
}

Benchmark.main()
