//! Searches over all shards of a store.

use std::ffi::{CStr, c_char};
use std::fmt;
use std::iter::FusedIterator;

use dagstore_sys as sys;

use crate::Result;
use crate::block::Location;
use crate::ffi::{self, Handle, call, sized};

/// A shard that has a block, and the place of the block.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The key of the shard.
    pub key: String,
    /// The place of the block.
    pub location: Location,
}

/// An iterator over the shards that have a block, in order of registration; see
/// [`Store::find`](crate::Store::find). It ends after an error.
pub struct Places {
    handle: Option<Handle<sys::dagstore_places_t>>,
}

impl Places {
    pub(crate) fn new(handle: Handle<sys::dagstore_places_t>) -> Places {
        Places { handle: Some(handle) }
    }
}

impl Iterator for Places {
    type Item = Result<Place>;

    fn next(&mut self) -> Option<Result<Place>> {
        let handle = self.handle.as_ref()?.as_ptr();
        let mut place: sys::dagstore_place_t = sized();
        // SAFETY: the cursor is open, and this reference to it is exclusive.
        let step = call(|error| unsafe { sys::dagstore_places_next(handle, &mut place, error) });
        match step {
            Ok(sys::DAGSTORE_DONE) => {
                self.handle = None;
                None
            }
            Ok(_) => {
                let sys::dagstore_place_t { offset, block_offset, block_size, .. } = place;
                // SAFETY: the text stays until the next step.
                let key = unsafe { ffi::copy_text(place.key) }.unwrap_or_default();
                Some(Ok(Place { key, location: Location { offset, block_offset, block_size } }))
            }
            Err(error) => {
                self.handle = None;
                Some(Err(error))
            }
        }
    }
}

impl FusedIterator for Places {}

impl fmt::Debug for Places {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Places").finish_non_exhaustive()
    }
}

/// The keys of the shards that have a block, in order of registration; see
/// [`Store::holders`](crate::Store::holders).
#[derive(Clone, Default)]
pub struct Holders {
    /// The keys, each with its NUL.
    text: Vec<u8>,
    count: usize,
}

impl Holders {
    /// Searches a store into `self`, in place of what it held.
    pub(crate) fn search(&mut self, store: *mut sys::dagstore_t, multihash: &[u8]) -> Result<()> {
        self.count = 0;
        self.text.reserve(256);
        // SAFETY: the caller keeps the store open. `multihash` stays for the call, which writes `size`
        // bytes if they fit.
        unsafe {
            ffi::fill(&mut self.text, |start: *mut u8, capacity, size, error| {
                let (multihash, multihash_size) = (multihash.as_ptr(), multihash.len());
                let start = start.cast::<c_char>();
                sys::dagstore_holders(
                    store,
                    multihash,
                    multihash_size,
                    start,
                    capacity,
                    size,
                    &mut self.count,
                    error,
                )
            })
        }
    }

    /// Returns the number of keys.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Tells whether no shard has the block.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns an iterator over the keys.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let mut rest = self.text.as_slice();
        std::iter::from_fn(move || {
            let key = CStr::from_bytes_until_nul(rest).ok()?;
            rest = &rest[key.count_bytes() + 1..];
            Some(key.to_str().unwrap_or(""))
        })
    }
}

impl fmt::Debug for Holders {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

/// A multihash of a shard, and the place of its section.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MultihashPlace {
    /// The multihash.
    pub multihash: Vec<u8>,
    /// The offset of the section's length varint in the CAR's payload, in bytes.
    pub offset: u64,
}

/// An iterator over the multihashes of a shard in CAR order; see
/// [`Store::multihashes`](crate::Store::multihashes).
///
/// It ends after an error, which is as of that function.
pub struct Multihashes {
    handle: Handle<sys::dagstore_multihashes_t>,
    is_done: bool,
}

impl Multihashes {
    pub(crate) fn new(handle: Handle<sys::dagstore_multihashes_t>) -> Multihashes {
        Multihashes { handle, is_done: false }
    }

    /// Returns the place of the iterator, as a text that the caller may store. An iterator that opens
    /// with it continues after the last multihash. Returns `""` at the end.
    pub fn cursor(&mut self) -> String {
        // SAFETY: the cursor is open, and this reference to it is exclusive. The text stays until the
        // next call.
        let text =
            unsafe { ffi::copy_text(sys::dagstore_multihashes_cursor(self.handle.as_ptr())) };
        text.unwrap_or_default()
    }
}

impl Iterator for Multihashes {
    type Item = Result<MultihashPlace>;

    fn next(&mut self) -> Option<Result<MultihashPlace>> {
        if self.is_done {
            return None;
        }
        let handle = self.handle.as_ptr();
        let mut bytes = sys::dagstore_bytes_t { data: std::ptr::null(), size: 0 };
        let mut offset = 0;
        // SAFETY: the cursor is open, and this reference to it is exclusive.
        let step = call(|error| unsafe {
            sys::dagstore_multihashes_next_section(handle, &mut bytes, &mut offset, error)
        });
        match step {
            Ok(sys::DAGSTORE_DONE) => {
                self.is_done = true;
                None
            }
            Ok(_) => {
                // SAFETY: the bytes stay until the next step.
                let multihash = unsafe { ffi::borrow_bytes(bytes.data, bytes.size) }.to_vec();
                Some(Ok(MultihashPlace { multihash, offset }))
            }
            Err(error) => {
                self.is_done = true;
                Some(Err(error))
            }
        }
    }
}

impl FusedIterator for Multihashes {}

impl fmt::Debug for Multihashes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Multihashes").finish_non_exhaustive()
    }
}
