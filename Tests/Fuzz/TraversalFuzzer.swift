internal import FuzzChecks
internal import FuzzDriver

/// Walks of DAGs whose blocks are the input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    FuzzDriver.check(.traversal, start, size)
}

@main
enum TraversalFuzzer {
    static func main() { FuzzDriver.run(fuzz) }
}
