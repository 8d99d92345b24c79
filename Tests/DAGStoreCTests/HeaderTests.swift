import CDAGStore
import DAGStorage
import Foundation
import TestSupport
import Testing

@Suite("The header")
struct HeaderTests {
    static let header = PackageFolder.url.appending(path: "CModules/CDAGStore/include/dagstore.h")
    static let list = PackageFolder.url.appending(path: "CModules/CDAGStore/dagstore.abi")

    /// The header without comments.
    static func code() throws -> String {
        var text = try String(contentsOf: header, encoding: .utf8)
        while let start = text.range(of: "/*"), let end = text.range(of: "*/") {
            text.removeSubrange(start.lowerBound..<end.upperBound)
        }
        return text
    }

    @Test("declares the functions of the ABI list, which the linker exports")
    func functions() throws {
        let declared = try Self.code().split(separator: "\n").compactMap { line -> String? in
            guard line.first?.isLetter == true, !line.hasPrefix("typedef"),
                let open = line.firstIndex(of: "(")
            else { return nil }
            let name = line[..<open].split { $0 == " " || $0 == "*" }.last
            return name.map { String($0) }
        }
        let listed = try String(contentsOf: Self.list, encoding: .utf8).split(separator: "\n")
            .map { String($0) }
        #expect(listed.count > 70)
        #expect(declared.sorted() == listed.sorted())
        #expect(Set(declared).count == declared.count)
    }

    @Test("has a comment for every function")
    func comments() throws {
        var before = ""
        for line in try String(contentsOf: Self.header, encoding: .utf8).split(separator: "\n") {
            if line.first?.isLetter == true, line.contains("("), !line.hasPrefix("typedef"),
                line.contains("dagstore_")
            {
                #expect(before.hasSuffix("*/"), "\(line)")
            }
            before = String(line)
        }
    }

    @Test("has the numbers of the store's error codes", arguments: DAGStoreError.Code.allCases)
    func codes(code: DAGStoreError.Code) throws {
        #expect(name(code.rawValue) == code.name)
        // shardUnknown -> DAGSTORE_SHARD_UNKNOWN, invalidCID -> INVALID_CID, pathNotALink -> PATH_NOT_A_LINK
        var constant = "DAGSTORE_"
        let name = Array(code.name)
        for (index, character) in name.enumerated() {
            let isInside = index > 0 && name[index - 1].isUppercase
            let isLast = index + 1 == name.count || name[index + 1].isUppercase
            if character.isUppercase, !isInside || !isLast { constant += "_" }
            constant += character.uppercased()
        }
        let text = try Self.code().replacing(" ", with: "")
        #expect(text.contains("\(constant)=\(code.rawValue)"), "\(constant)")
    }

    @Test("the library reports its ABI version and release")
    func versions() {
        #expect(dagstore_abi_version() == UInt32(DAGSTORE_ABI_VERSION))
        #expect(unsafe String(cString: dagstore_version()) == "0.1.0")
        #expect(name(-999) == "unknown")
        #expect(name(dagstore_status_t(DAGSTORE_DONE)) == "done")
        #expect(name(dagstore_status_t(DAGSTORE_BUFFER_TOO_SMALL)) == "bufferTooSmall")
    }

    @Test("a program compiled with an earlier header works")
    func earlierStructs() throws {
        let folder = try TemporaryFolder()
        let size = 136
        // As large as the first version's, with a guard behind it.
        var bytes = [UInt8](repeating: 0xaa, count: size + 64)
        var store: OpaquePointer?
        try unsafe bytes.withUnsafeMutableBytes { buffer in
            // SAFETY: the array is larger than the size that the call gets.
            let start = unsafe buffer.baseAddress?.assumingMemoryBound(to: dagstore_config_t.self)
            try expectOK(unsafe dagstore_config_init(start, size, nil))
            try expectOK(unsafe dagstore_open(folder.path(of: "store"), start, &store, nil))
        }
        #expect(bytes.suffix(64).allSatisfy { $0 == 0xaa })
        var counts = [UInt8](repeating: 0xaa, count: 176 + 8)
        try unsafe counts.withUnsafeMutableBytes { buffer in
            unsafe buffer.storeBytes(of: UInt32(176), as: UInt32.self)
            // SAFETY: the array is as large as the struct says, and more.
            let start = unsafe buffer.baseAddress?.assumingMemoryBound(
                to: dagstore_statistics_t.self
            )
            try expectOK(unsafe dagstore_statistics(store, start, nil))
        }
        #expect(counts.suffix(8).allSatisfy { $0 == 0xaa })
        unsafe dagstore_close(store)
    }

    @Test("an unknown field is rejected unless it is zero")
    func laterStructs() throws {
        let folder = try TemporaryFolder()
        let known = MemoryLayout<dagstore_config_t>.size
        var bytes = [UInt8](repeating: 0, count: known + 16)
        for value: UInt8 in [1, 0] {
            bytes[known + 9] = 0
            var store: OpaquePointer?
            let status = unsafe bytes.withUnsafeMutableBytes { buffer in
                // SAFETY: the array has the size that the call gets.
                let start = unsafe buffer.baseAddress?.assumingMemoryBound(
                    to: dagstore_config_t.self
                )
                _ = unsafe dagstore_config_init(start, buffer.count, nil)
                unsafe buffer[known + 9] = value
                return unsafe dagstore_open(folder.path(of: "store"), start, &store, nil)
            }
            #expect(name(status) == (value == 0 ? "ok" : "invalidArgument"))
            unsafe dagstore_close(store)
        }
    }

    @Test("dagstore_config_init sets the store's defaults")
    func defaults() throws {
        var config = dagstore_config_t()
        let size = MemoryLayout<dagstore_config_t>.size
        try expectOK(unsafe dagstore_config_init(&config, size, nil))
        let standard = Configuration()
        #expect(config.size == UInt32(size))
        #expect(config.map_size == UInt64(standard.mapSize))
        #expect(config.idle_shards_max == UInt32(standard.idleShardsMax))
        #expect(config.transient_quota == .max)
        #expect(config.transient_high_watermark == standard.transientHighWatermark)
        // A program that knows less has less written.
        #expect(unsafe name(dagstore_config_init(&config, 8, nil)) == "invalidArgument")
    }
}
