internal import FuzzChecks
internal import FuzzDriver

/// CAR indexes in both formats, and lookups in them.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    FuzzDriver.check(.carIndex, start, size)
}

@main
enum CARIndexFuzzer {
    static func main() { FuzzDriver.run(fuzz) }
}
