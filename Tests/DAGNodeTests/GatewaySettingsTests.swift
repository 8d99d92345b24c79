#if Node
    import DAGGateway
    import DAGIPLD
    import Testing

    @testable import DAGNode

    @Suite("Settings of the gateway")
    struct GatewaySettingsTests {
        @Test("the table's defaults are the gateway's")
        func defaults() throws {
            let ours = try NodeSettings { _ in [] }.gateway
            #expect(Self.values(of: ours) == Self.values(of: GatewayConfiguration()))
        }

        @Test("every setting reaches the gateway")
        func all() throws {
            let given: [NodeOption: String] = [
                .listen: "[::1]:9", .tlsCert: "c", .tlsKey: "k", .streamsMax: "1",
                .requestBytesMax: "2", .totalBytesMax: "3", .totalBytesPeriod: "4s",
                .retryAfter: "5s", .slowClientTimeout: "6s", .idleTimeout: "7s",
                .connectionsMax: "8", .fetchTimeout: "9s", .verify: "true",
                .distinctBlocksMax: "10",
            ]
            let settings = try NodeSettings { option in given[option].map { [$0] } ?? [] }
            #expect(
                Self.values(of: settings.gateway) == [
                    "::1", "9", "c", "k", "1", "2", "3", "4.0 seconds", "5.0 seconds",
                    "6.0 seconds", "7.0 seconds", "8", "9.0 seconds", "true", "10",
                ]
            )
        }

        @Test(
            "a process with few descriptors keeps some of them from its connections",
            arguments: [
                (1 << 20, 16384), (20_000, 15_000), (1024, 768), (64, 32), (32, 16), (1, 1),
            ]
        )
        func descriptors(count: UInt64, connections: Int) throws {
            let settings = try NodeSettings { _ in [] }
            #expect(settings.connectionsMax(within: count) == connections)
            #expect(settings.connectionsMax(within: nil) == 16384)
            #expect(settings.connectionsMax(within: .max) == 16384)
        }

        /// The values of a configuration, as text.
        private static func values(of configuration: GatewayConfiguration) -> [String] {
            [
                configuration.host, "\(configuration.port)",
                configuration.certificatePath ?? "none", configuration.keyPath ?? "none",
                "\(configuration.streamsMax)",
                configuration.requestBytesMax.map { "\($0)" } ?? "none",
                configuration.totalBytesMax.map { "\($0)" } ?? "none",
                "\(configuration.totalBytesPeriod)", "\(configuration.retryAfter)",
                "\(configuration.slowClientTimeout)", "\(configuration.idleTimeout)",
                "\(configuration.connectionsMax)", "\(configuration.fetchTimeout)",
                "\(configuration.verifiesBlocks)", "\(configuration.limits.distinctBlocksMax)",
            ]
        }
    }
#endif
