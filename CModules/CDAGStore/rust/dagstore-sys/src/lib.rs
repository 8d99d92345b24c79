//! Raw bindings of `libdagstore`, which indexes CAR files and serves their blocks by CID.
//!
//! The names are those of `dagstore.h`, which documents them: types, limits, errors, costs, and the
//! rules of references and threads. The crate `dagstore` is a safe interface over these functions.
//!
//! The test `header` proves that the bindings match the installed header: the C compiler compares
//! all functions, types, offsets and constants.
#![allow(non_camel_case_types)]
#![no_std]

mod bindings;

pub use bindings::*;
