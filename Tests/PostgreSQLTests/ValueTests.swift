#if Cluster
    import Testing

    @testable import PostgreSQL

    @Suite("Values on the wire")
    struct SQLValueTests {
        @Test(
            "values have PostgreSQL's binary form",
            arguments: [
                (.null, nil), (.integer(1), [0, 0, 0, 0, 0, 0, 0, 1]),
                (.integer(-2), [255, 255, 255, 255, 255, 255, 255, 254]), (.truth(true), [1]),
                (.text("é"), [0xc3, 0xa9]), (.bytes([]), []), (.bytes([0, 1]), [0, 1]),
                (.integers([]), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20]),
                (
                    .byteStrings([[7], []]),
                    [
                        0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 7,
                        0, 0, 0, 0,
                    ]
                ),
            ] as [(SQLValue, [UInt8]?)]
        )
        func encoding(value: SQLValue, bytes: [UInt8]?) {
            #expect(value.encoded == bytes)
        }

        @Test(
            "an address says where, and hides the password",
            arguments: [
                "postgresql://anna:secret@db.example:5433/dag?sslmode=verify-full",
                "host=db.example port=5433 user=anna password=secret dbname=dag sslmode=verify-full",
            ]
        )
        func address(text: String) throws {
            let address = try DatabaseAddress(text)
            #expect(
                address.description
                    == "host=db.example port=5433 user=anna dbname=dag sslmode=verify-full"
            )
        }

        @Test(
            "a malformed address is refused without its words",
            arguments: [
                "", "postgresql://anna:secret@[db", "host=a secret", "secretive=1",
                "postgresql://a/b?secret=1", "host=a\0secret", "postgresql://u:p@secret@host/db",
                "postgresql://u:pa/secret@host/db", "host=a port=secret",
            ]
        )
        func malformed(text: String) {
            let error = #expect(throws: PostgreSQLError.self) { try DatabaseAddress(text) }
            #expect(error?.code == .malformedAddress)
            #expect(error?.description.contains("secret") == false)
        }

        @Test(
            "states of the server have codes",
            arguments: [
                ("40001", .conflict), ("40P01", .conflict), ("40003", .unknownOutcome),
                ("40002", .violation), ("23505", .duplicate),
                ("23503", .violation), ("25006", .readOnly), ("28P01", .denied),
                ("42P01", .missing), ("53100", .full), ("53300", .busy), ("57P01", .connectionLost),
                ("08006", .connectionLost), ("57014", .deadlineExceeded), ("22012", .rejected),
                ("", .rejected),
            ] as [(String, PostgreSQLError.Code)]
        )
        func states(state: String, code: PostgreSQLError.Code) {
            #expect(PostgreSQLError(sqlState: state, "words").code == code)
        }

        @Test("pauses double up to their limit, and half of each is random")
        func pauses() {
            let rules = ConnectionPool.Repetition()
            let least = (1...10).map { rules.pause(after: $0, jitter: 0) }
            let most = (1...10).map { rules.pause(after: $0, jitter: 1) }
            #expect(most.prefix(3) == [.milliseconds(5), .milliseconds(10), .milliseconds(20)])
            #expect(most.last == .seconds(1))
            #expect(zip(least, most).allSatisfy { $0 * 2 == $1 })
            #expect(rules.pause(after: .max, jitter: 1) == .seconds(1))
        }
    }
#endif
