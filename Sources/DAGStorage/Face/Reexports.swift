// A client that imports DAGStorage writes mounts of its own, names blocks by CIDs, asks for DAGs, names files and sets
// the limits of a CAR reader: it sees the modules that define these, and need not know their names.
@_exported public import DAGCAR
@_exported public import DAGCARFiles
@_exported public import DAGIPLD
@_exported public import DAGMounts
@_exported public import DAGMultiformats

@_exported public import struct SystemPackage.FilePath
