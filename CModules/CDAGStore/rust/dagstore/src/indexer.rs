//! Indexers: sections of CARs that the caller supplies.

use std::ffi::c_void;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use dagstore_sys as sys;

use crate::ffi::{self, call};
use crate::registry::Registry;
use crate::{Error, ErrorCode, Result};

/// Supplies the sections of CARs, instead of the library's walk over their section headers.
///
/// [`Config::indexer`](crate::Config::indexer) adds an indexer to a store. Threads of the library call
/// it when they have fetched a CAR, several at once. The library believes the sections: a wrong one
/// makes a block unreadable until the shard is recovered. A panic fails the shard with
/// [`ErrorCode::MalformedIndex`].
pub trait Indexer: Send + Sync + 'static {
    /// Adds all sections of a CAR in order of offset, and returns [`Indexed::Complete`]; or adds none,
    /// and returns [`Indexed::Walk`]. An error fails the shard.
    fn index(&self, car: &mut IndexingCar<'_>) -> Result<Indexed>;
}

impl<F: Fn(&mut IndexingCar<'_>) -> Result<Indexed> + Send + Sync + 'static> Indexer for F {
    fn index(&self, car: &mut IndexingCar<'_>) -> Result<Indexed> {
        self(car)
    }
}

/// The result of an [`Indexer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Indexed {
    /// The indexer added all sections.
    Complete,
    /// The indexer added nothing: the library walks the CAR.
    Walk,
}

/// A CAR that is being indexed.
pub struct IndexingCar<'a> {
    handle: *mut sys::dagstore_indexing_t,
    key: &'a str,
    mount_url: &'a str,
    size: u64,
    payload_offset: u64,
    payload_size: u64,
    _call: PhantomData<&'a mut ()>,
}

impl<'a> IndexingCar<'a> {
    /// Returns the key of the shard.
    pub fn key(&self) -> &'a str {
        self.key
    }

    /// Returns the place of the CAR.
    pub fn mount_url(&self) -> &'a str {
        self.mount_url
    }

    /// Returns the size of the whole file, in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the offset of the payload in the file, in bytes.
    pub fn payload_offset(&self) -> u64 {
        self.payload_offset
    }

    /// Returns the size of the payload, in bytes.
    pub fn payload_size(&self) -> u64 {
        self.payload_size
    }

    /// Adds a section.
    ///
    /// `offset` is that of the section's length varint in the payload, in bytes. `section_size` is
    /// the size of the whole section in bytes, varint and CID included.
    ///
    /// The first section begins after the header, and each section where the one before ends.
    ///
    /// Fails with [`ErrorCode::InvalidCid`], and with [`ErrorCode::MalformedIndex`] if the section
    /// lies outside the payload or does not begin there.
    pub fn add(&mut self, cid: impl AsRef<[u8]>, offset: u64, section_size: u64) -> Result<()> {
        let cid = cid.as_ref();
        // SAFETY: the handle is valid until the callback returns, and `cid` stays for the call.
        call(|error| unsafe {
            let (cid, cid_size) = (cid.as_ptr(), cid.len());
            sys::dagstore_indexing_add(self.handle, cid, cid_size, offset, section_size, error)
        })?;
        Ok(())
    }

    /// Reads bytes of the CAR file at `offset` into the start of `buffer`, and returns their number;
    /// fewer than the buffer has room for only at the file's end.
    ///
    /// Fails with [`ErrorCode::MountUnreachable`], [`ErrorCode::SourceChanged`].
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let mut done = 0;
        loop {
            let place = offset.saturating_add(done as u64);
            let rest = &mut buffer[done..];
            let (start, capacity, mut size) = (rest.as_mut_ptr(), rest.len(), 0);
            // SAFETY: the handle is valid until the callback returns; the buffer stays for the call.
            call(|error| unsafe {
                sys::dagstore_indexing_read(self.handle, place, start, capacity, &mut size, error)
            })?;
            done += size;
            // One call reads up to 64 MiB.
            if size == 0 || done == buffer.len() {
                return Ok(done);
            }
        }
    }
}

impl fmt::Debug for IndexingCar<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = formatter.debug_struct("IndexingCar");
        fields.field("key", &self.key).field("size", &self.size).finish_non_exhaustive()
    }
}

pub(crate) static INDEXERS: Registry<dyn Indexer> = Registry::new();

/// Runs the indexer of a store.
pub(crate) unsafe extern "C" fn index(
    context: *mut c_void,
    indexing: *mut sys::dagstore_indexing_t,
    info: *const sys::dagstore_indexing_info_t,
    out_error: *mut *mut sys::dagstore_error_t,
) -> sys::dagstore_status_t {
    let outcome = ffi::catch(|| {
        // The indexer stays until the store is closed, unless no thread could wait for that.
        let Some(indexer): Option<Arc<dyn Indexer>> = INDEXERS.find(context) else {
            return Ok(Indexed::Walk);
        };
        // SAFETY: the library lends the struct and its texts for the call.
        let mut car = unsafe {
            let info = &*info;
            IndexingCar {
                handle: indexing,
                key: ffi::borrow_text(info.key),
                mount_url: ffi::borrow_text(info.mount_url),
                size: info.bytes,
                payload_offset: info.payload_offset,
                payload_size: info.payload_size,
                _call: PhantomData,
            }
        };
        indexer.index(&mut car)
    });
    let outcome = outcome.unwrap_or_else(|panic| {
        Err(Error::new(ErrorCode::MalformedIndex, ffi::describe(panic, "the indexer")))
    });
    match outcome {
        Ok(Indexed::Complete) => sys::DAGSTORE_OK,
        Ok(Indexed::Walk) => sys::DAGSTORE_DONE,
        // SAFETY: the library gives a place for a handle.
        Err(error) => unsafe { ffi::report_error(&error, out_error) },
    }
}
