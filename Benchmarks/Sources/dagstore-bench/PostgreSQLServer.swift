import Glibc
import SystemPackage

/// A PostgreSQL server of the benchmark's own, with its usual durability.
final class PostgreSQLServer {
    private let programs: String
    private let folder: String
    private let port: UInt16
    private var databaseCount = 0
    /// The command words that give up root's rights, which the server refuses.
    private let user: String

    /// The folder of the server's programs; nil if none is installed.
    private static var programs: String? {
        let found = Machine.output(
            "ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1"
        )
        return found.isEmpty ? nil : found
    }

    /// Starts a server; nil if none is installed.
    ///
    /// - Parameter bench: The folders.
    /// - Throws: `BenchmarkError`.
    init?(_ bench: Bench) throws {
        guard let programs = Self.programs else { return nil }
        self.programs = programs
        folder = bench.folder.appending("postgres").string
        port = try freePort()
        system("rm -rf '\(folder)' && mkdir -p '\(folder)'")
        var user = ""
        if getuid() == 0 {
            user = "setpriv --reuid=nobody --regid=nogroup --clear-groups"
            system("chown nobody '\(folder)'")
        }
        self.user = user
        // The server writes this one as its own user.
        let log = "'\(folder)/log'"
        let made = system(
            "\(user) \(programs)/initdb -D '\(folder)/data' -U dag -A trust -E UTF8 --locale=C "
                + ">'\(folder)/init.log' 2>&1"
        )
        guard made == 0 else { throw BenchmarkError("initdb failed; see \(folder)/init.log") }
        let started = system(
            "\(user) \(programs)/pg_ctl -D '\(folder)/data' -w -t 60 -l \(log) -o "
                + "\"-c listen_addresses=127.0.0.1 -c port=\(port) -c unix_socket_directories='' "
                + "-c max_wal_size=4GB -c shared_buffers=256MB\" start >/dev/null"
        )
        guard started == 0 else {
            throw BenchmarkError("postgres does not start; see \(folder)/log")
        }
    }

    /// Ends the server, and removes its data.
    deinit {
        system("\(user) \(programs)/pg_ctl -D '\(folder)/data' -m immediate stop >/dev/null")
        system("rm -rf '\(folder)'")
    }

    /// Creates an empty database.
    ///
    /// - Returns: Its address.
    func makeDatabase() throws -> String {
        databaseCount += 1
        let name = "bench\(databaseCount)"
        _ = try query("CREATE DATABASE \(name)", in: "postgresql://dag@127.0.0.1:\(port)/postgres")
        return "postgresql://dag@127.0.0.1:\(port)/\(name)"
    }

    /// Runs SQL, and returns the first row's columns.
    func query(_ sql: String, in address: String) throws -> [String] {
        let file = folder + "-query.sql"
        try writeFile(Array(sql.utf8), to: FilePath(file))
        defer { unlink(file) }
        let text = Machine.output(
            "\(programs)/psql -X -q -A -t -v ON_ERROR_STOP=1 -f '\(file)' '\(address)' && echo done"
        )
        guard text.hasSuffix("done") else {
            throw BenchmarkError("psql failed: \(sql.prefix(200))")
        }
        return text.split(separator: "\n").dropLast().first?.split(separator: "|").map(String.init)
            ?? []
    }
}
