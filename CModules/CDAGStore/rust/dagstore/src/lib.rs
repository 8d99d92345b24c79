//! Index CAR files and serve their blocks by CID.
//!
//! A store holds shards. A shard is a CAR file that stays where it is. For each shard the store keeps a
//! record that survives crashes, and an index from multihash to offset. A lease on a shard reads its
//! blocks, as views of the file where the file can be mapped. An inverse index finds the shards that
//! have a block. The crate is a safe interface over `libdagstore`.
//!
//! ```
//! use dagstore::Store;
//!
//! # let (folder, car, cid) =
//! #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs"));
//! let store = Store::open(folder.join("store"))?;
//! store.register("deal-1", &dagstore::file_url(&car)?)?;
//! let shard = store.acquire("deal-1", None)?;
//! let block = shard.get(&cid)?;
//! assert_eq!(&*block, b"hello");
//! // The store finds the shard that has a block, too.
//! assert_eq!(store.get(&cid, None)?.verified(&cid)?.len(), 5);
//! # drop((shard, store, block));
//! # std::fs::remove_dir_all(folder).unwrap();
//! # Ok::<(), dagstore::Error>(())
//! ```
//!
//! # Ownership
//!
//! | type | owns | ends |
//! |---|---|---|
//! | [`Store`] | the open store; clones share it | when the last clone and the last future are dropped |
//! | [`Shard`] | a lease | when it is dropped, or later if iterators hold it; outlives the store |
//! | [`Block`], [`Blocks`] | their bytes | when they are dropped; outlive lease and store |
//! | iterators | a place in an index | when they are dropped |
//!
//! A [`Block`] has no lifetime: the library promises that its bytes stay until the block is released,
//! even after the shard and the store are gone. So a caller can send a block to another thread, keep it
//! in a cache or give it to a web server, without a copy.
//!
//! All of them are [`Send`] and [`Sync`]; futures are [`Send`]. The compiler rejects a use after the end.
//!
//! # Futures
//!
//! Functions that end in `_async` return an [`Operation`], a future that needs no runtime. Dropping it
//! cancels the wait.
//!
//! # Views of mapped files
//!
//! A block of a file is a view of the mapped file. Its bytes must not change while the block exists: a
//! CAR that another process overwrites changes them, and reading a part that another process truncated
//! ends the process with SIGBUS. Rust's rules for `&[u8]` forbid both, so replace CARs by renaming a new
//! file, or destroy their shards first. Where other processes may change the files,
//! [`Config::unmapped`] copies all blocks. [`Shard::read`] copies a single block, and reports a lost file
//! as [`ErrorCode::SourceChanged`]. After [`install_mapping_guard`] it is faster, and [`Block::verified`]
//! reports a lost file, too.
//!
//! # Panics in closures
//!
//! No panic unwinds into the library. A panic of a [`Mount`] or an [`Indexer`] becomes the error of the
//! shard. A panic of a closure that runs on the calling thread continues in the caller.
#![deny(missing_docs)]

mod block;
mod callbacks;
mod car;
mod cid;
mod config;
mod error;
mod ffi;
mod indexer;
mod library;
mod lookups;
mod mount;
mod operation;
mod registry;
mod shard;
mod states;
mod store;

pub use block::{Block, Blocks, Copies, Location, Section};
pub use callbacks::{Measurement, Progress};
pub use car::{Car, CarInfo, Verification, file_url};
pub use cid::{Cid, CidList, CidParts};
pub use config::{Config, Indexing, PageEncoding, Recovery, RegisterOptions};
pub use error::{Error, ErrorCode, Result};
pub use indexer::{Indexed, Indexer, IndexingCar};
pub use library::{
    LogLevel, abi_version, install_mapping_guard, live_handles, remove_log, set_log, version,
};
pub use lookups::{Holders, MultihashPlace, Multihashes, Place, Places};
pub use mount::{
    Access, Mount, MountError, MountErrorKind, MountRequest, MountStat, RandomSource,
    SequentialSource, Source,
};
pub use operation::Operation;
pub use shard::{Sections, Shard};
pub use states::{
    Check, Collected, Collection, Event, EventKind, Events, Garbage, Policy, Problem, ShardInfo,
    Shards, State, Statistics,
};
pub use store::{CheckOptions, Shutdown, Store};
