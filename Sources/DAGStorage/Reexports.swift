public import CAR
public import Mounts

/// A CAR file of this machine; see `Mounts`.
public typealias FileMount = Mounts.FileMount
/// What a reader of CARs accepts; see `CAR`.
public typealias CARLimits = CAR.CARLimits
