//! Leases on shards, and the blocks that they read.

use std::fmt;
use std::iter::FusedIterator;
use std::ptr;

use dagstore_sys as sys;

use crate::block::{Block, Blocks, Copies, Location, Section};
use crate::ffi::{self, Handle, call, sized};
use crate::{Cid, CidList, Error, ErrorCode, Result};

/// A lease on a shard: the right to read its blocks.
///
/// While the lease lasts, no caller can destroy the shard. Dropping it ends the lease, when the
/// calls of other threads on it have ended. A lease outlives its store; blocks outlive both. Any
/// number of threads may share a lease, through references or an [`Arc`](std::sync::Arc).
///
/// The compiler rejects a use after the end of the lease, and so a second end:
///
/// ```compile_fail,E0382
/// fn end_twice(shard: dagstore::Shard) {
///     drop(shard);
///     drop(shard);
/// }
/// ```
pub struct Shard {
    handle: Handle<sys::dagstore_shard_t>,
}

impl Shard {
    pub(crate) fn new(handle: Handle<sys::dagstore_shard_t>) -> Shard {
        Shard { handle }
    }

    /// Returns the shard's key.
    pub fn key(&self) -> Result<String> {
        let mut text: Vec<u8> = Vec::with_capacity(64);
        // SAFETY: the handle is open, and the call writes `size` bytes if they fit.
        unsafe {
            ffi::fill(&mut text, |start, capacity, size, error| {
                let handle = self.handle.as_ptr();
                sys::dagstore_shard_key(handle, start.cast(), capacity, size, error)
            })?;
        }
        text.pop(); // The NUL.
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Returns the number of sections, repeated ones included.
    pub fn block_count(&self) -> u64 {
        // SAFETY: the handle is open.
        unsafe { sys::dagstore_shard_block_count(self.handle.as_ptr()) }
    }

    /// Returns the roots in the CAR's header, in its order.
    pub fn roots(&self) -> Result<Vec<Cid>> {
        // SAFETY: the handle is open.
        let count = unsafe { sys::dagstore_shard_root_count(self.handle.as_ptr()) };
        let mut root = Vec::with_capacity(sys::DAGSTORE_CID_SIZE);
        (0..count)
            .map(|index| {
                // SAFETY: the handle is open, and the call writes `size` bytes if they fit.
                unsafe {
                    ffi::fill(&mut root, |start, capacity, size, error| {
                        let handle = self.handle.as_ptr();
                        sys::dagstore_shard_root(handle, index, start, capacity, size, error)
                    })?;
                }
                Ok(Cid::trusted(&root))
            })
            .collect()
    }

    /// Tells whether the shard has a block with the multihash of a CID. Every shard has the block of
    /// an identity CID.
    ///
    /// Fails with [`ErrorCode::InvalidCid`], [`ErrorCode::CatalogCorrupt`],
    /// [`ErrorCode::MountUnreachable`].
    pub fn contains(&self, cid: impl AsRef<[u8]>) -> Result<bool> {
        let (cid, mut contains) = (cid.as_ref(), false);
        // SAFETY: the handle is open; `cid` and `contains` stay for the call.
        call(|error| unsafe {
            let handle = self.handle.as_ptr();
            sys::dagstore_shard_contains(handle, cid.as_ptr(), cid.len(), &mut contains, error)
        })?;
        Ok(contains)
    }

    /// Finds the place of the block with the multihash of a CID: the first section that has it.
    ///
    /// Fails with [`ErrorCode::BlockNotFound`], and as [`contains`](Shard::contains).
    pub fn locate(&self, cid: impl AsRef<[u8]>) -> Result<Location> {
        let cid = cid.as_ref();
        let mut location: sys::dagstore_location_t = sized();
        // SAFETY: the handle is open; `cid` and `location` stay for the call.
        call(|error| unsafe {
            let handle = self.handle.as_ptr();
            sys::dagstore_shard_locate(handle, cid.as_ptr(), cid.len(), &mut location, error)
        })?;
        let sys::dagstore_location_t { offset, block_offset, block_size, .. } = location;
        Ok(Location { offset, block_offset, block_size })
    }

    /// Gets the block with the multihash of a CID, as a view where the shard is mapped.
    ///
    /// The library does not hash the bytes: see [`Block::verified`]. Costs 0.3 µs.
    ///
    /// Fails with [`ErrorCode::BlockNotFound`], [`ErrorCode::InvalidCid`],
    /// [`ErrorCode::CatalogCorrupt`], [`ErrorCode::MountUnreachable`], [`ErrorCode::SourceChanged`],
    /// and the errors of the mount.
    #[inline]
    pub fn get(&self, cid: impl AsRef<[u8]>) -> Result<Block> {
        let cid = cid.as_ref();
        // SAFETY: the handle is open, and `cid` stays for the call.
        let block = Handle::open(|out, error| unsafe {
            sys::dagstore_shard_get(self.handle.as_ptr(), cid.as_ptr(), cid.len(), out, error)
        });
        block.map(Block::new)
    }

    /// Gets a block as [`get`](Shard::get) does; returns `None` if the shard lacks it.
    pub fn get_if_present(&self, cid: impl AsRef<[u8]>) -> Result<Option<Block>> {
        let cid = cid.as_ref();
        // SAFETY: the handle is open, and `cid` stays for the call.
        let block = Handle::open_if_present(|out, error| unsafe {
            sys::dagstore_shard_get(self.handle.as_ptr(), cid.as_ptr(), cid.len(), out, error)
        });
        Ok(block?.map(Block::new))
    }

    /// Copies a block into a new vector.
    ///
    /// With the [mapping guard](crate::install_mapping_guard), a file that another process truncates
    /// gives [`ErrorCode::SourceChanged`]. Without it, the library reads with system calls, with the
    /// same result. Fails as [`get`](Shard::get).
    pub fn read(&self, cid: impl AsRef<[u8]>) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.read_to_vec(cid, &mut bytes)?;
        Ok(bytes)
    }

    /// Copies a block into a vector in place of what it held, and keeps its room. Fails as
    /// [`get`](Shard::get); then the vector is empty.
    pub fn read_to_vec(&self, cid: impl AsRef<[u8]>, bytes: &mut Vec<u8>) -> Result<()> {
        let (handle, cid) = (self.handle.as_ptr(), cid.as_ref());
        // SAFETY: the handle is open; `cid` stays for the call, which writes `size` bytes if they fit.
        unsafe {
            ffi::fill(bytes, |start, capacity, size, error| {
                let (cid, cid_size) = (cid.as_ptr(), cid.len());
                sys::dagstore_shard_read(handle, cid, cid_size, start, capacity, size, error)
            })
        }
    }

    /// Copies a block into the start of a buffer, and returns its size in bytes.
    ///
    /// Costs 0.65 µs with the [mapping guard](crate::install_mapping_guard), 2.3 µs without it.
    ///
    /// Fails with [`ErrorCode::BufferTooSmall`], with the room that is needed in
    /// [`Error::required_size`]; and as [`get`](Shard::get).
    #[inline]
    pub fn read_into(&self, cid: impl AsRef<[u8]>, buffer: &mut [u8]) -> Result<usize> {
        let (cid, mut size) = (cid.as_ref(), 0);
        let (start, capacity) = (buffer.as_mut_ptr(), buffer.len());
        // SAFETY: the handle is open; `cid`, the buffer and `size` stay for the call.
        let outcome = call(|error| unsafe {
            let (handle, cid, cid_size) = (self.handle.as_ptr(), cid.as_ptr(), cid.len());
            sys::dagstore_shard_read(handle, cid, cid_size, start, capacity, &mut size, error)
        });
        match outcome {
            Ok(_) => Ok(size),
            Err(error) => Err(with_required_size(error, size)),
        }
    }

    /// Gets the blocks of many CIDs, as [`get`](Shard::get) does, under one handle.
    ///
    /// The call succeeds if some blocks cannot be had: their results say why. Costs about 60 ns a
    /// block, because the searches overlap.
    ///
    /// ```
    /// # let (folder, car, cid) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs"));
    /// # let store = dagstore::Store::open(folder.join("store"))?;
    /// # store.register("deal-1", &dagstore::file_url(&car)?)?;
    /// # let shard = store.acquire("deal-1", None)?;
    /// use dagstore::{CidList, ErrorCode};
    ///
    /// let other = *b"\x01\x55\x12\x20a digest of thirty-two bytes ...";
    /// let cids: CidList = [cid, other].iter().collect();
    /// let blocks = shard.get_many(&cids)?;
    /// assert_eq!(blocks.get(0), Ok(b"hello".as_slice()));
    /// assert_eq!(blocks.get(1), Err(ErrorCode::BlockNotFound));
    /// # drop((shard, store));
    /// # std::fs::remove_dir_all(folder).unwrap();
    /// # Ok::<(), dagstore::Error>(())
    /// ```
    ///
    /// Fails with [`ErrorCode::InvalidArgument`] if there are more than 65,536 CIDs, and with
    /// [`ErrorCode::LimitExceeded`] if there are too many handles.
    pub fn get_many(&self, cids: &CidList) -> Result<Blocks> {
        let count = cids.len();
        let mut items = Vec::with_capacity(count);
        let mut blocks = ptr::null_mut();
        // SAFETY: the handle is open. The sizes of a list are those of its CIDs, and `items` has room
        // for one result each. Everything stays for the call.
        call(|error| unsafe {
            let (bytes, sizes) = (cids.bytes().as_ptr(), cids.sizes().as_ptr());
            let (handle, items) = (self.handle.as_ptr(), items.as_mut_ptr());
            sys::dagstore_shard_get_many(handle, bytes, sizes, count, items, &mut blocks, error)
        })?;
        // SAFETY: the call succeeded, so it wrote all items, and gave out a handle.
        unsafe {
            items.set_len(count);
            Ok(Blocks::new(Handle::from_raw(blocks), items))
        }
    }

    /// Copies the blocks of many CIDs into a vector, one directly after the other, in place of what it
    /// held. The vector keeps its room, so a caller can use it again.
    ///
    /// Without the [mapping guard](crate::install_mapping_guard), up to 64 blocks share a system call.
    /// Fails as [`get_many`](Shard::get_many).
    pub fn read_many<'a>(&self, cids: &CidList, bytes: &'a mut Vec<u8>) -> Result<Copies<'a>> {
        let count = cids.len();
        let mut items: Vec<sys::dagstore_batch_item_t> = Vec::with_capacity(count);
        // SAFETY: the handle is open. The sizes of a list are those of its CIDs, and `items` has room
        // for one result each. The call writes `size` bytes if they fit.
        unsafe {
            ffi::fill(bytes, |start, capacity, size, error| {
                let (handle, items) = (self.handle.as_ptr(), items.as_mut_ptr());
                let (list, sizes) = (cids.bytes().as_ptr(), cids.sizes().as_ptr());
                sys::dagstore_shard_read_many(
                    handle, list, sizes, count, start, capacity, items, size, error,
                )
            })?;
            items.set_len(count);
        }
        Ok(Copies::new(bytes, &items))
    }

    /// Finds all sections with the multihash of a CID, in CAR order: a CAR may repeat a block.
    ///
    /// Returns the offsets of the sections in the payload, in bytes.
    ///
    /// Fails with [`ErrorCode::BlockNotFound`], also for an identity CID without a section; and as
    /// [`contains`](Shard::contains).
    pub fn offsets(&self, cid: impl AsRef<[u8]>) -> Result<Vec<u64>> {
        let (handle, cid) = (self.handle.as_ptr(), cid.as_ref());
        let mut offsets = Vec::with_capacity(4);
        // SAFETY: the handle is open; `cid` stays for the call, which writes `count` numbers if they
        // fit.
        unsafe {
            ffi::fill(&mut offsets, |start, capacity, count, error| {
                let (cid, cid_size) = (cid.as_ptr(), cid.len());
                sys::dagstore_shard_offsets(handle, cid, cid_size, start, capacity, count, error)
            })?;
        }
        Ok(offsets)
    }

    /// Returns an iterator over all sections in CAR order, repeated ones included.
    ///
    /// The iterator holds the lease until it is dropped. It reads index pages, not the CAR. A step
    /// costs 50 ns.
    pub fn sections(&self) -> Result<Sections> {
        // SAFETY: the handle is open.
        let handle = Handle::open(|out, error| unsafe {
            sys::dagstore_entries_open(self.handle.as_ptr(), out, error)
        })?;
        Ok(Sections { handle: Some(handle) })
    }
}

impl fmt::Debug for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shard").field("key", &self.key().ok()).finish_non_exhaustive()
    }
}

/// Adds the room that is needed to the error of a buffer that is too small.
#[cold]
fn with_required_size(error: Error, size: usize) -> Error {
    match error.code() {
        ErrorCode::BufferTooSmall => error.with_required_size(size),
        _ => error,
    }
}

/// An iterator over the sections of a shard; see [`Shard::sections`].
///
/// It ends after an error, which is [`ErrorCode::CatalogCorrupt`].
pub struct Sections {
    handle: Option<Handle<sys::dagstore_entries_t>>,
}

impl Iterator for Sections {
    type Item = Result<Section>;

    fn next(&mut self) -> Option<Result<Section>> {
        let handle = self.handle.as_ref()?.as_ptr();
        let mut entry: sys::dagstore_entry_t = sized();
        // SAFETY: the cursor is open, and this reference to it is exclusive.
        let step = call(|error| unsafe { sys::dagstore_entries_next(handle, &mut entry, error) });
        match step {
            Ok(sys::DAGSTORE_DONE) => {
                self.handle = None;
                None
            }
            Ok(_) => {
                let sys::dagstore_entry_t { offset, block_offset, block_size, .. } = entry;
                // SAFETY: the CID stays until the next step.
                let cid =
                    Cid::trusted(unsafe { ffi::borrow_bytes(entry.cid.data, entry.cid.size) });
                Some(Ok(Section { cid, location: Location { offset, block_offset, block_size } }))
            }
            Err(error) => {
                self.handle = None;
                Some(Err(error))
            }
        }
    }
}

impl FusedIterator for Sections {}

impl fmt::Debug for Sections {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sections").finish_non_exhaustive()
    }
}
