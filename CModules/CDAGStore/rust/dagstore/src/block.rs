//! Blocks, alone and in batches.

use std::fmt;
use std::ops::Deref;

use dagstore_sys as sys;

use crate::ffi::{self, Handle};
use crate::{Cid, ErrorCode, Result};

/// The bytes of a block.
///
/// A block owns its bytes: it borrows neither the shard nor the store, and its bytes stay valid after
/// both are gone. It may be sent to other threads and be shared by them. Dropping it gives the bytes
/// back.
///
/// Where the shard is a mapped file, the bytes are a view of the file: see the
/// [crate's documentation](crate#views-of-mapped-files).
pub struct Block {
    handle: Handle<sys::dagstore_block_t>,
    start: *const u8,
    size: usize,
}

// SAFETY: the bytes do not change while the handle is open, and any thread may read them.
unsafe impl Send for Block {}
// SAFETY: as above.
unsafe impl Sync for Block {}

impl Block {
    #[inline]
    pub(crate) fn new(handle: Handle<sys::dagstore_block_t>) -> Block {
        // SAFETY: the handle is open.
        let bytes = unsafe { sys::dagstore_block_bytes(handle.as_ptr()) };
        Block { handle, start: bytes.data, size: bytes.size }
    }

    /// Hashes the block, and returns a new block if its bytes have the hash of `cid`.
    ///
    /// The new block of a mapped shard is a copy, so its bytes cannot change later.
    ///
    /// Fails with [`ErrorCode::HashMismatch`]; [`ErrorCode::UnsupportedHash`] also for a digest of
    /// under 20 bytes, which proves nothing, except that of an identity CID;
    /// [`ErrorCode::InvalidCid`], [`ErrorCode::SourceChanged`].
    pub fn verified(&self, cid: impl AsRef<[u8]>) -> Result<Block> {
        let (block, cid) = (self.handle.as_ptr(), cid.as_ref());
        // SAFETY: the handle is open, and `cid` stays for the call.
        let verified = Handle::open(|out, error| unsafe {
            sys::dagstore_block_verified(block, cid.as_ptr(), cid.len(), out, error)
        });
        verified.map(Block::new)
    }
}

impl Deref for Block {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        // SAFETY: the library keeps `size` bytes there until the handle is given back.
        unsafe { ffi::borrow_bytes(self.start, self.size) }
    }
}

impl AsRef<[u8]> for Block {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Block").field("size", &self.size).finish_non_exhaustive()
    }
}

/// The blocks of a batch, in the order of its CIDs, under one handle.
///
/// Like a [`Block`], a batch owns its bytes.
pub struct Blocks {
    /// Keeps the bytes that the items point to; `None` if no block has any.
    _handle: Option<Handle<sys::dagstore_block_t>>,
    items: Vec<sys::dagstore_batch_item_t>,
}

// SAFETY: the bytes do not change while the handle is open, and any thread may read them.
unsafe impl Send for Blocks {}
// SAFETY: as above.
unsafe impl Sync for Blocks {}

impl Blocks {
    /// Takes over the results of a batch.
    ///
    /// # Safety
    ///
    /// The library wrote the items, and `handle` keeps their bytes.
    pub(crate) unsafe fn new(
        handle: Option<Handle<sys::dagstore_block_t>>,
        items: Vec<sys::dagstore_batch_item_t>,
    ) -> Blocks {
        Blocks { _handle: handle, items }
    }

    /// Returns the number of CIDs of the batch.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Tells whether the batch had no CIDs.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Returns the block of the CID at `index`, or the code of the reason why there is none.
    ///
    /// Panics if `index` is not less than [`len`](Blocks::len).
    #[inline]
    pub fn get(&self, index: usize) -> std::result::Result<&[u8], ErrorCode> {
        let item = &self.items[index];
        match item.status {
            // SAFETY: the handle keeps `size` bytes there.
            sys::DAGSTORE_OK => Ok(unsafe { ffi::borrow_bytes(item.data, item.size as usize) }),
            status => Err(ErrorCode::from_status(status)),
        }
    }

    /// Returns an iterator over the results, in the order of the CIDs.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = std::result::Result<&[u8], ErrorCode>> {
        (0..self.len()).map(|index| self.get(index))
    }
}

impl fmt::Debug for Blocks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Blocks").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// The copied blocks of a batch, in the order of its CIDs.
#[derive(Clone)]
pub struct Copies<'a> {
    bytes: &'a [u8],
    items: Vec<CopiedBlock>,
}

/// The place of a copied block, or the code of the reason why there is none.
type CopiedBlock = std::result::Result<(u64, u64), ErrorCode>;

impl<'a> Copies<'a> {
    pub(crate) fn new(bytes: &'a [u8], items: &[sys::dagstore_batch_item_t]) -> Copies<'a> {
        let place = |item: &sys::dagstore_batch_item_t| match item.status {
            sys::DAGSTORE_OK => Ok((item.offset, item.size)),
            status => Err(ErrorCode::from_status(status)),
        };
        Copies { bytes, items: items.iter().map(place).collect() }
    }

    /// Returns the number of CIDs of the batch.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Tells whether the batch had no CIDs.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Returns the block of the CID at `index`, or the code of the reason why there is none.
    ///
    /// Panics if `index` is not less than [`len`](Copies::len).
    pub fn get(&self, index: usize) -> std::result::Result<&'a [u8], ErrorCode> {
        let (offset, size) = self.items[index]?;
        Ok(&self.bytes[offset as usize..][..size as usize])
    }

    /// Returns an iterator over the results, in the order of the CIDs.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = std::result::Result<&'a [u8], ErrorCode>> {
        (0..self.len()).map(|index| self.get(index))
    }
}

impl fmt::Debug for Copies<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Copies").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// A section in the index of a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Section {
    /// The CID of the block.
    pub cid: Cid,
    /// The place of the block.
    pub location: Location,
}

/// The place of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Location {
    /// The offset of the section's length varint in the CAR's payload, in bytes.
    pub offset: u64,
    /// The offset of the block's data in the CAR file, in bytes.
    pub block_offset: u64,
    /// The size of the block's data, in bytes.
    pub block_size: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_send_and_sync<T: Send + Sync + 'static>() {}

    #[test]
    fn blocks_are_owned_and_shared_by_threads() {
        is_send_and_sync::<Block>();
        is_send_and_sync::<Blocks>();
        is_send_and_sync::<Copies<'static>>();
    }
}
