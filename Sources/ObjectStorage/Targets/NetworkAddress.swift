/// An IPv4 or IPv6 address, and the network it belongs to.
package struct NetworkAddress: Hashable, Sendable {
    /// The networks that the policy tells apart.
    package enum Network: Sendable {
        /// A host of the Internet.
        case global
        /// This machine, or an organization's own network.
        case local
        /// The link, where the metadata service of a cloud answers; also multicast and reserved addresses.
        case link
    }

    /// 4 or 16 bytes.
    package let bytes: [UInt8]

    /// Parses an address; nil if `text` is none.
    ///
    /// *Shape*: four decimal numbers without leading zeros, or the groups of RFC 4291. A zone behind `%` is ignored.
    package init?(_ text: String) {
        let text = text.utf8.prefix { $0 != UInt8(ascii: "%") }
        guard text.count <= 45 else { return nil }
        if let bytes = Self.fourNumbers(text) {
            self.bytes = bytes
        } else if let bytes = Self.groups(text) {
            self.bytes = bytes
        } else {
            return nil
        }
    }

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The network of the address; an IPv6 address that embeds an IPv4 address has that one's network.
    ///
    /// Source: the IANA special-purpose address registries; RFC 4193, 4291, 6052, 3056.
    package var network: Network { bytes.count == 4 ? networkOfFour : networkOfSixteen }

    private var networkOfFour: Network {
        switch (bytes[0], bytes[1]) {
        case (127, _), (10, _), (172, 16...31), (192, 168), (100, 64...127), (198, 18...19): .local
        case (0, _), (169, 254), (224..., _): .link
        case (192, 0) where bytes[2] == 0 || bytes[2] == 2: .link
        case (198, 51) where bytes[2] == 100: .link
        case (203, 0) where bytes[2] == 113: .link
        default: .global
        }
    }

    private var networkOfSixteen: Network {
        let isZero = bytes.prefix(10).allSatisfy { $0 == 0 }
        if isZero, bytes[10] == 0xff, bytes[11] == 0xff { return embedded(at: 12) }
        if isZero, bytes[10] == 0, bytes[11] == 0 {
            if bytes[12..<15].allSatisfy({ $0 == 0 }) { return bytes[15] == 1 ? .local : .link }
            return embedded(at: 12)
        }
        // The metadata service of EC2 has an address of its own among the local ones.
        if bytes.starts(with: [0xfd, 0x00, 0x0e, 0xc2]) { return .link }
        switch (bytes[0], bytes[1]) {
        case (0xfc...0xfd, _): return .local
        case (0xfe, 0xc0...): return .local
        case (0xfe, 0x80...), (0xff, _): return .link
        case (0x00, 0x64) where bytes[2] == 0xff && bytes[3] == 0x9b:
            // The prefixes of a site's own choice hold the IPv4 address at other places.
            return bytes[4..<12].allSatisfy { $0 == 0 } ? embedded(at: 12) : .link
        case (0x20, 0x02): return embedded(at: 2)
        case (0x20, 0x01) where bytes[2] == 0 && bytes[3] == 0: return .link
        case (0x20, 0x01) where bytes[2] == 0x0d && bytes[3] == 0xb8: return .link
        case (0x20...0x3f, _): return .global
        default: return .link
        }
    }

    private func embedded(at start: Int) -> Network {
        NetworkAddress(Array(bytes[start..<start + 4])).network
    }

    private static func fourNumbers(_ text: Substring.UTF8View) -> [UInt8]? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy({ $0.isDigit }),
                part.count == 1 || part.first != UInt8(ascii: "0"),
                let number = UInt8(String(decoding: part, as: UTF8.self))
            else { return nil }
            bytes.append(number)
        }
        return bytes
    }

    private static func groups(_ text: Substring.UTF8View) -> [UInt8]? {
        let colon = UInt8(ascii: ":")
        let all = Array(text)
        let gaps = all.indices.dropLast().filter { all[$0] == colon && all[$0 + 1] == colon }
        guard gaps.count <= 1 else { return nil }
        guard let gap = gaps.first else {
            let bytes = groupBytes(all[...])
            return bytes?.count == 16 ? bytes : nil
        }
        let behind = all[(gap + 2)...]
        guard let head = gap == 0 ? [] : groupBytes(all[..<gap], isLast: false),
            let tail = behind.isEmpty ? [] : groupBytes(behind), head.count + tail.count <= 14
        else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    private static func groupBytes(_ text: ArraySlice<UInt8>, isLast: Bool = true) -> [UInt8]? {
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count <= 8 else { return nil }
        var bytes: [UInt8] = []
        for (index, part) in parts.enumerated() {
            let group = String(decoding: part, as: UTF8.self)
            if isLast, index == parts.count - 1, let four = fourNumbers(group[...].utf8) {
                bytes += four
                continue
            }
            guard (1...4).contains(part.count), part.allSatisfy({ $0.isHexadecimalDigit }),
                let number = UInt16(group, radix: 16)
            else { return nil }
            bytes += [UInt8(number >> 8), UInt8(number & 0xff)]
        }
        return bytes
    }
}
