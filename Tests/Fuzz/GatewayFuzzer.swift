internal import FuzzChecks
internal import FuzzDriver

/// Requests to the gateway.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    FuzzDriver.check(.gateway, start, size)
}

@main
enum GatewayFuzzer {
    static func main() { FuzzDriver.run(fuzz) }
}
