internal import FuzzChecks
internal import FuzzDriver

/// Segments of runs of the inverse index, and searches in them.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    FuzzDriver.check(.inverse, start, size)
}

@main
enum InverseFuzzer {
    static func main() { FuzzDriver.run(fuzz) }
}
