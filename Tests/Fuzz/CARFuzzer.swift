internal import FuzzChecks
internal import FuzzDriver

/// CAR headers and sections, through windows of all kinds.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    FuzzDriver.check(.car, start, size)
}

@main
enum CARFuzzer {
    static func main() { FuzzDriver.run(fuzz) }
}
