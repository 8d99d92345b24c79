// Only this file asks which C library the system has. A file that imports `DAGSystem` gets that library.
#if canImport(Darwin)
    @_exported public import Darwin
#else
    @_exported public import Glibc
#endif
