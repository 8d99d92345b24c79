import Glibc

/// A connection that is kept alive, which reads whole bodies and throws their bytes away.
final class HTTPClient {
    /// A finished answer.
    struct Answer {
        let status: Int
        let bodySize: Int
        /// Nanoseconds from the request to the first byte of the body.
        let firstByte: UInt64
    }

    private let socket: Int32
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
    private var start = 0
    private var end = 0

    /// Connects.
    ///
    /// - Throws: `BenchmarkError` if the server does not answer.
    init(port: UInt16) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw BenchmarkError("connect to \(port): errno \(errno)") }
        var isOn: Int32 = 1
        setsockopt(
            socket,
            Int32(IPPROTO_TCP),
            TCP_NODELAY,
            &isOn,
            socklen_t(MemoryLayout<Int32>.size)
        )
    }

    deinit {
        close(socket)
        buffer.deallocate()
    }

    /// Requests a path and reads the answer to its end.
    ///
    /// - Throws: `BenchmarkError` if the answer is cut or malformed.
    func get(_ target: String, accept: String = "*/*", fields: String = "") throws -> Answer {
        let request = Array(
            "GET \(target) HTTP/1.1\r\nHost: localhost\r\nAccept: \(accept)\r\n\(fields)\r\n".utf8
        )
        let begin = now()
        guard send(socket, request, request.count, Int32(MSG_NOSIGNAL)) == request.count
        else {
            throw BenchmarkError("send: errno \(errno)")
        }
        let status = Int(try line().split(separator: " ").dropFirst().first ?? "") ?? 0
        var length: Int?
        while true {
            let header = try line().lowercased()
            if header.isEmpty { break }
            if header.hasPrefix("content-length:") {
                length = Int(header.dropFirst(15).drop { $0 == " " })
            }
        }
        if let length {
            if length > 0 && start == end { try fill() }
            let first = now() - begin
            try skip(length)
            return Answer(status: status, bodySize: length, firstByte: first)
        }
        var size = 0
        var first: UInt64 = 0
        while true {
            guard let chunk = Int(try line(), radix: 16) else {
                throw BenchmarkError("\(target): a chunk without a size")
            }
            if first == 0 { first = now() - begin }
            try skip(chunk)
            _ = try line()
            if chunk == 0 { break }
            size += chunk
        }
        return Answer(status: status, bodySize: size, firstByte: first)
    }

    /// Reads a line and its end.
    private func line() throws -> String {
        var bytes: [UInt8] = []
        while true {
            if start == end { try fill() }
            let byte = buffer[start]
            start += 1
            if byte == UInt8(ascii: "\n") { break }
            if byte != UInt8(ascii: "\r") { bytes.append(byte) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func skip(_ count: Int) throws {
        var left = count
        while true {
            let part = min(left, end - start)
            start += part
            left -= part
            if left == 0 { return }
            try fill()
        }
    }

    private func fill() throws {
        let count = recv(socket, buffer.baseAddress, buffer.count, 0)
        guard count > 0 else { throw BenchmarkError("the server closed the connection") }
        (start, end) = (0, count)
    }
}
