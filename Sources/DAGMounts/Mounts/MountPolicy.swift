/// What stays on this machine of a shard whose CAR is elsewhere.
///
/// The policy is for mounts with the access `.random`. The store maps files and memory of this machine under every
/// policy, and copies sequential sources under every policy.
public enum MountPolicy: String, Sendable, CaseIterable {
    /// The template of the mount's scheme decides.
    case automatic
    /// The store reads ranges, and nothing stays on the disk.
    case remote
    /// The store reads ranges, and the mount keeps them in a bounded cache on the disk, if it has one.
    case cache
    /// The store copies the whole CAR to a transient, under the quota.
    case copy
}
