internal import ArgumentParser

/// The root of the verbs.
struct Dagstore: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: Program.name,
        abstract: "Index CAR files and serve their blocks by CID.",
        version: Program.version,
        subcommands: [
            Car.self, Register.self, List.self, Status.self, Get.self, Has.self, Locate.self,
            Find.self, Export.self,
            Index.self, Recover.self, Relocate.self, Destroy.self, Initialize.self,
            InitializeAll.self,
            CollectGarbage.self, Check.self, Compact.self, Backup.self, Restore.self, Stats.self,
            Migrate.self, Serve.self, ClusterVerbs.self,
        ]
    )

    func run() throws { throw MissingVerb(help: Self.helpMessage()) }
}

/// The verbs about one CAR file, without a store.
struct Car: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Inspect, verify, list, index, create or extract a CAR file, without a store.",
        subcommands: [
            InspectCAR.self, VerifyCAR.self, ListCAR.self, IndexCAR.self, CreateCAR.self,
            ExtractCAR.self,
        ]
    )

    func run() throws { throw MissingVerb(help: Dagstore.helpMessage(for: Self.self)) }
}

/// The verbs about the index of a shard.
struct Index: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List or export the index of a shard.",
        subcommands: [IndexList.self, IndexExport.self]
    )

    func run() throws { throw MissingVerb(help: Dagstore.helpMessage(for: Self.self)) }
}

/// The error for a group of verbs without a verb.
struct MissingVerb: Error {
    /// The help of the group.
    let help: String
}
