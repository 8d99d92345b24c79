//! CAR files outside a store.

use std::fmt;
use std::path::Path;

use dagstore_sys as sys;

use crate::ffi::{self, Handle, call, sized};
use crate::{Cid, Error, ErrorCode, Result, library};

/// Makes the mount URL of a file: "file://" and its path, with each '%' written as "%25".
///
/// Fails with [`ErrorCode::InvalidArgument`] if the path is not absolute or not UTF-8.
///
/// ```
/// assert_eq!(dagstore::file_url("/data/50%.car")?, "file:///data/50%25.car");
/// # Ok::<(), dagstore::Error>(())
/// ```
pub fn file_url(path: impl AsRef<Path>) -> Result<String> {
    let path = path.as_ref();
    match path.to_str() {
        Some(text) if path.is_absolute() => Ok(format!("file://{}", text.replace('%', "%25"))),
        _ => {
            let message = format!("file_url: {path:?} is not an absolute path in UTF-8");
            Err(Error::new(ErrorCode::InvalidArgument, message))
        }
    }
}

/// A CAR file outside a store.
pub struct Car {
    handle: Handle<sys::dagstore_car_t>,
}

/// The parts of a CAR.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CarInfo {
    /// 1 or 2.
    pub version: u32,
    /// Whether the header says that the embedded index lists every section.
    pub is_fully_indexed: bool,
    /// The multicodec of the embedded index; `None` if there is none or it is unreadable.
    pub index_codec: Option<u32>,
    /// The number of roots in the header.
    pub roots: u64,
    /// The offset of the payload in the file, in bytes.
    pub data_offset: u64,
    /// The size of the payload, in bytes.
    pub data_size: u64,
    /// The offset of the embedded index in the file, in bytes; `None` if there is none.
    pub index_offset: Option<u64>,
    /// The number of sections.
    pub sections: u64,
    /// Sections with an identity CID.
    pub identity_sections: u64,
    /// Sections that repeat an earlier CID.
    pub duplicate_sections: u64,
    /// The size of the smallest block, in bytes.
    pub block_size_min: u64,
    /// The size of the largest block, in bytes.
    pub block_size_max: u64,
    /// The number of bytes after the first section of length zero.
    pub null_padding: u64,
}

/// The counts of a verification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verification {
    /// All sections.
    pub sections: u64,
    /// Sections with an unknown hash function, or a digest of under 20 bytes.
    pub unverified: u64,
    /// Blocks that do not have the hash of their CID.
    pub mismatches: u64,
}

impl Car {
    /// Opens a CAR file and reads its headers.
    ///
    /// Fails with [`ErrorCode::MountGone`], [`ErrorCode::MountUnreachable`];
    /// [`ErrorCode::MalformedCar`], [`ErrorCode::Truncated`], [`ErrorCode::UnsupportedVersion`],
    /// [`ErrorCode::LimitExceeded`].
    pub fn open(path: impl AsRef<Path>) -> Result<Car> {
        library::check()?;
        let handle = ffi::with_path(path.as_ref(), |path| {
            // SAFETY: the path stays for the call.
            Handle::open(|out, error| unsafe { sys::dagstore_car_open(path, out, error) })
        });
        handle.map(|handle| Car { handle })
    }

    /// Reads all section headers and counts sections; hashes nothing. Takes 16 bytes of memory a
    /// section.
    ///
    /// Fails with [`ErrorCode::MalformedCar`], [`ErrorCode::Truncated`],
    /// [`ErrorCode::LimitExceeded`], with their [offset](Error::offset).
    pub fn inspect(&self) -> Result<CarInfo> {
        let mut info: sys::dagstore_car_info_t = sized();
        // SAFETY: the handle is open, and the place stays for the call.
        call(|error| unsafe { sys::dagstore_car_inspect(self.handle.as_ptr(), &mut info, error) })?;
        Ok(CarInfo {
            version: info.version,
            is_fully_indexed: info.flags & sys::DAGSTORE_CAR_FULLY_INDEXED != 0,
            index_codec: (info.index_codec != 0).then_some(info.index_codec),
            roots: info.roots,
            data_offset: info.data_offset,
            data_size: info.data_size,
            index_offset: (info.index_offset != 0).then_some(info.index_offset),
            sections: info.sections,
            identity_sections: info.identity_sections,
            duplicate_sections: info.duplicate_sections,
            block_size_min: info.block_size_min,
            block_size_max: info.block_size_max,
            null_padding: info.null_padding,
        })
    }

    /// Returns a root, in the order of the header.
    ///
    /// Fails with [`ErrorCode::InvalidArgument`] if there are not as many roots.
    pub fn root(&self, index: usize) -> Result<Cid> {
        let mut root = Vec::with_capacity(sys::DAGSTORE_CID_SIZE);
        // SAFETY: the handle is open, and the call writes `size` bytes if they fit.
        unsafe {
            ffi::fill(&mut root, |start, capacity, size, error| {
                let handle = self.handle.as_ptr();
                sys::dagstore_car_root(handle, index, start, capacity, size, error)
            })?;
        }
        Ok(Cid::trusted(&root))
    }

    /// Hashes every block on several threads, and compares an embedded index with the sections.
    ///
    /// `threads` is the number of threads, the calling one included; 0 for one a processor. `counts`
    /// receives the counts, also if the call fails.
    ///
    /// Fails with [`ErrorCode::HashMismatch`], with the section's [offset](Error::offset) in the
    /// payload; [`ErrorCode::MalformedCar`], [`ErrorCode::Truncated`], [`ErrorCode::LimitExceeded`],
    /// [`ErrorCode::MalformedIndex`].
    pub fn verify(&self, threads: u32, counts: &mut Verification) -> Result<()> {
        let mut raw: sys::dagstore_car_verification_t = sized();
        // SAFETY: the handle is open, and the place stays for the call.
        let outcome = call(|error| unsafe {
            sys::dagstore_car_verify(self.handle.as_ptr(), threads, &mut raw, error)
        });
        let (sections, unverified, mismatches) = (raw.sections, raw.unverified, raw.mismatches);
        *counts = Verification { sections, unverified, mismatches };
        outcome?;
        Ok(())
    }
}

impl fmt::Debug for Car {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Car").finish_non_exhaustive()
    }
}
