// The one place that asks which C library the system has: a file that imports `DAGSystem` gets it from here.
#if canImport(Darwin)
    @_exported public import Darwin
#else
    @_exported public import Glibc
#endif
