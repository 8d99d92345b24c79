public import CAR
public import Mounts

/// A CAR file of this machine; see `Mounts`.
public typealias FileMount = Mounts.FileMount
/// What a reader of CARs accepts; see `CAR`.
public typealias CARLimits = CAR.CARLimits
/// Bytes in memory as a mount; see `Mounts`.
public typealias MemoryMount = Mounts.MemoryMount
/// What memory mounts read from; see `Mounts`.
public typealias MemoryFiles = Mounts.MemoryFiles
/// What mount URLs mean; see `Mounts`.
public typealias MountRegistry = Mounts.MountRegistry
/// Where a shard's bytes come from; see `Mounts`.
public typealias Mount = Mounts.Mount
/// The name of a mount; see `Mounts`.
public typealias MountURL = Mounts.MountURL
