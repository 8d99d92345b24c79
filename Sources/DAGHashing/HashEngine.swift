internal import CDAGDigest

/// The library that computes most hash functions.
package enum HashEngine {
    /// The name and version of the library that this process has loaded.
    package static var version: String { text(OPENSSL_VERSION) }

    /// Whether the library computes SHA-2 with instructions of the processor; nil if it does not tell.
    ///
    /// The library's choice may differ from the processor's abilities: `OPENSSL_ia32cap` turns instructions off.
    ///
    /// ```
    /// CPUINFO: OPENSSL_ia32cap=0xfffa3203578bffff:0x40000000029c67af    bit 29 of the second number: SHA
    /// CPUINFO: OPENSSL_armcap=0x7d                                      bit 4: SHA-256
    /// ```
    ///
    /// Source: OPENSSL_ia32cap(3), and `arm_arch.h` of OpenSSL.
    package static var usesInstructions: Bool? {
        let text = text(OPENSSL_CPU_INFO)
        guard let start = text.firstIndex(of: "=") else { return nil }
        let words = text[text.index(after: start)...].split(whereSeparator: { ": ".contains($0) })
            .map { UInt64($0.dropFirst(2), radix: 16) }
        if text.contains("armcap"), let flags = words.first ?? nil { return flags & 1 << 4 != 0 }
        guard text.contains("ia32cap"), words.count > 1, let flags = words[1] else { return nil }
        return flags & 1 << 29 != 0
    }

    private static func text(_ kind: Int32) -> String {
        // SAFETY: the library returns a constant string for every number.
        guard let start = unsafe OpenSSL_version(kind) else { return "" }
        return unsafe String(cString: start)
    }
}
