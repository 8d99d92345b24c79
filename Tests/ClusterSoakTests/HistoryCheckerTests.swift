#if Cluster && Node
    import Testing

    /// Histories by hand, as `client action call answer outcome`.
    @Suite("The checker of histories")
    struct HistoryCheckerTests {
        private static func operation(_ line: String) throws -> HistoryOperation {
            let words = line.split(separator: " ").map(String.init)
            try #require(words.count == 5)
            let action: HistoryOperation.Action =
                switch words[1] {
                case "destroy": .destroy
                case "read": .read
                default: .register(words[1])
                }
            let outcome: HistoryOperation.Outcome =
                switch words[4] {
                case "ok": .done
                case "no": .refused
                case "?": .unknown
                case "none": .found(nil)
                default: .found(words[4])
                }
            return HistoryOperation(
                client: words[0],
                key: "k",
                action: action,
                invoked: try #require(Int(words[2])),
                returned: try #require(Int(words[3])),
                outcome: outcome
            )
        }

        private static func violations(_ lines: [String]) throws -> [HistoryChecker.Violation] {
            HistoryChecker.violations(in: try lines.map(operation))
        }

        @Test(
            "an order explains each of these",
            arguments: [
                [],
                ["a x 1 2 ok", "a read 3 4 x"],
                ["a x 1 2 ok", "b y 3 4 no", "a destroy 5 6 ok", "b y 7 8 ok", "a read 9 10 y"],
                // Two at once: either may win.
                ["a x 1 4 ok", "b y 2 3 no", "a read 5 6 x"],
                ["a x 1 4 no", "b y 2 3 ok", "a read 5 6 y"],
                // A read beside a change sees either state.
                ["a x 1 4 ok", "b read 2 3 none"], ["a x 1 4 ok", "b read 2 3 x"],
                // Without an answer, the change happened, never did, or happens later.
                ["a x 1 2 ?", "b read 3 4 x"], ["a x 1 2 ?", "b read 3 4 none"],
                ["a x 1 2 ?", "b read 3 4 none", "b read 5 6 x"],
                ["a x 1 2 ?", "b y 3 4 ok", "b read 5 6 y"],
                ["a x 1 2 ?", "b y 3 4 no", "b destroy 5 6 ok", "b destroy 7 8 no"],
                ["a x 1 2 ok", "a destroy 3 4 ?", "b y 5 6 ok"],
                ["a x 1 2 ok", "a destroy 3 4 ?", "b y 5 6 no", "b y 7 8 ok"],
                ["a x 1 2 ?", "a x 3 4 ?", "b destroy 5 6 ok", "b destroy 7 8 ok"],
                ["a destroy 1 2 no", "a x 3 4 ok", "b destroy 5 8 ok", "c destroy 6 7 no"],
            ]
        )
        func explained(lines: [String]) throws {
            let found = try Self.violations(lines)
            #expect(found.isEmpty, "\(found)")
        }

        @Test(
            "no order explains these",
            arguments: [
                // A lost registration.
                ["a x 1 2 ok", "a read 3 4 none"],
                ["a x 1 2 ok", "b y 3 4 ok"],
                // Two winners.
                ["a x 1 4 ok", "b y 2 3 ok"],
                ["a x 1 2 ?", "b y 3 4 ok", "c y 5 6 ok"],
                // A destroyed shard that lives, and one that nothing registered.
                ["a x 1 2 ok", "a destroy 3 4 ok", "b read 5 6 x"],
                ["a read 1 2 x"], ["a x 3 4 ok", "a read 1 2 x"],
                // Two truths.
                ["a x 1 2 ok", "b read 3 4 y"],
                ["a x 1 2 ok", "b read 3 4 x", "b read 5 6 none", "b read 7 8 x"],
                // Refusals without a reason.
                ["a x 1 2 no"], ["a x 1 2 ok", "a destroy 3 4 no"],
                ["a x 1 2 ok", "a destroy 3 4 ok", "b y 5 6 no"],
                ["a destroy 1 2 ok"],
                // One registration without an answer explains one shard.
                ["a x 1 2 ?", "b destroy 3 4 ok", "b destroy 5 6 ok"],
                ["a x 1 2 ok", "a destroy 3 4 ?", "b y 5 6 ok", "b read 7 8 x"],
            ]
        )
        func violated(lines: [String]) throws {
            #expect(try Self.violations(lines).count == 1)
        }

        @Test("keys have truths of their own")
        func keys() throws {
            let first = try Self.operation("a x 1 2 ok")
            let second = HistoryOperation(
                client: "b",
                key: "other",
                action: .read,
                invoked: 3,
                returned: 4,
                outcome: .found(nil)
            )
            #expect(HistoryChecker.violations(in: [first, second]).isEmpty)
        }

        @Test("many changes without an answer take no time")
        func manyUnknown() throws {
            var lines = (0..<40).map { "a \($0 % 4) \(10 * $0) \(10 * $0 + 1) ?" }
            lines += (0..<40).map { "b destroy \(10 * $0 + 2) \(10 * $0 + 3) ?" }
            lines += (0..<40).map { "c read \(10 * $0 + 4) \(10 * $0 + 5) \($0 % 4)" }
            #expect(try Self.violations(lines).isEmpty)
            #expect(try Self.violations(lines + ["c read 500 501 other"]).count == 1)
        }
    }
#endif
