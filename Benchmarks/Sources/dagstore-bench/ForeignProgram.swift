import Glibc
import SystemPackage

/// A program of another language, compiled against an installed libdagstore.
struct ForeignProgram {
    /// The prefix of the installed libdagstore; `nil` if `DAGSTORE_PREFIX` is not set.
    static var prefix: String? { getenv("DAGSTORE_PREFIX").map { String(cString: $0) } }

    /// Why a workload that needs libdagstore was skipped.
    static let unavailability = "DAGSTORE_PREFIX does not name an installed libdagstore"

    /// The folder of the sources.
    static var sources: FilePath {
        FilePath(#filePath).removingLastComponent().removingLastComponent()
            .removingLastComponent().appending("Foreign")
    }

    /// The folder of the packages for other languages.
    private static var bindings: FilePath {
        sources.removingLastComponent().removingLastComponent().appending("CModules")
            .appending("CDAGStore")
    }

    /// The command that runs the program, as a shell reads it.
    let path: String
    private let prefix: String

    /// Compiles a source in C of the folder `Foreign`.
    ///
    /// - Parameters:
    ///   - source: The name of the file, without its extension.
    ///   - prefix: Where libdagstore is installed.
    ///   - folder: The folder for the program.
    /// - Throws: `BenchmarkError` if the compiler fails.
    init(compiling source: String, prefix: String, into folder: FilePath) throws {
        self.prefix = prefix
        path = folder.appending("\(source)-c").string
        let flags = "$(pkg-config --cflags --libs dagstore) -pthread"
        let compiled = system(
            "PKG_CONFIG_PATH=\(prefix)/lib/pkgconfig "
                + "sh -c 'cc -O2 \(Self.sources)/\(source).c \(flags) -o \(path)'"
        )
        guard compiled == 0 else { throw BenchmarkError("cc ended with \(compiled)") }
    }

    /// Builds the program in Go; returns `nil` if there is no toolchain.
    init?(buildingGoInto folder: FilePath, prefix: String) {
        self.prefix = prefix
        path = folder.appending("get-go").string
        let go = getenv("DAGSTORE_GO").map { String(cString: $0) } ?? "go"
        let built = system(
            "cd \(Self.sources)/go && PKG_CONFIG_PATH=\(prefix)/lib/pkgconfig "
                + "GOTOOLCHAIN=local \(go) build -o \(path) . 2>/dev/null"
        )
        guard built == 0 else { return nil }
    }

    /// Builds the program in Rust; returns `nil` if there is no toolchain.
    init?(buildingRustInto folder: FilePath, prefix: String) {
        self.prefix = prefix
        let target = folder.appending("rust").string
        path = "\(target)/release/examples/get_bench"
        let built = system(
            "cd \(Self.bindings)/rust && CARGO_TARGET_DIR=\(target) DAGSTORE_PREFIX=\(prefix) "
                + "cargo build --offline --quiet --release --example get_bench 2>/dev/null"
        )
        guard built == 0 else { return nil }
    }

    /// Takes the program in Python; returns `nil` if there is no interpreter.
    init?(pythonWith prefix: String) {
        self.prefix = prefix
        let folder = "\(Self.bindings)/python"
        path =
            "env PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=\(folder)/src "
            + "DAGSTORE_LIBRARY=\(prefix)/lib/libdagstore.so.1 python3 \(folder)/examples/bench.py"
        guard system("python3 --version >/dev/null 2>&1") == 0 else { return nil }
    }

    /// Runs the program.
    ///
    /// - Parameter arguments: The arguments, as a shell reads them.
    /// - Returns: The program's output.
    /// - Throws: `BenchmarkError` if the program fails or prints nothing.
    func output(_ arguments: String) throws -> String {
        let text = Machine.output("LD_LIBRARY_PATH=\(prefix)/lib \(path) \(arguments)")
        guard !text.isEmpty else { throw BenchmarkError("\(path) \(arguments) failed") }
        return text
    }
}
