#if Cluster && Node
    import TestSupport
    import Testing

    /// Suites that run clusters of processes, one after the other: each of them needs the whole machine.
    @Suite(
        "Clusters of processes",
        .enabled(if: DatabaseServer.isInstalled, "PostgreSQL is not installed"),
        .serialized
    )
    enum ClusterProcesses {}
#endif
