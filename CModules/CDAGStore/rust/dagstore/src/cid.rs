//! CIDs and lists of them.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use dagstore_sys as sys;

use crate::ffi::{self, call, sized};
use crate::{Error, ErrorCode, Result, library};

/// The room for CIDs that need no memory of their own.
const INLINE_SIZE: usize = 62;

/// A binary CID, of version 0 or 1.
///
/// Functions that take a CID take any bytes, so `&[u8]` works too; they fail with
/// [`ErrorCode::InvalidCid`] if the bytes are not a CID. CIDs of up to 62 bytes need no allocation.
///
/// Two CIDs are equal if their bytes are. The store finds blocks by multihash: two CIDs of one
/// multihash name the same block.
///
/// ```
/// use dagstore::Cid;
///
/// let text = "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq";
/// let cid: Cid = text.parse()?;
/// assert_eq!(cid.to_string(), text);
/// let parts = cid.parts();
/// assert_eq!((parts.version, parts.codec, parts.hash_code), (1, 0x55, 0x12));
/// assert_eq!(Cid::new(parts.codec, parts.multihash)?, cid);
/// # Ok::<(), dagstore::Error>(())
/// ```
#[derive(Clone)]
pub struct Cid(Bytes);

#[derive(Clone)]
enum Bytes {
    Inline { size: u8, bytes: [u8; INLINE_SIZE] },
    Heap(Box<[u8]>),
}

/// The parts of a CID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CidParts<'a> {
    /// 0 or 1.
    pub version: u32,
    /// The multicodec of the content.
    pub codec: u64,
    /// The multicodec of the hash function.
    pub hash_code: u64,
    /// The hash function, the size of the digest, and the digest.
    pub multihash: &'a [u8],
    /// The digest.
    pub digest: &'a [u8],
}

impl Cid {
    /// Makes a version 1 CID of a codec and a multihash. The codec 0x55 (raw) is usual.
    ///
    /// Fails with [`ErrorCode::InvalidCid`] if the bytes are not a multihash.
    pub fn new(codec: u64, multihash: impl AsRef<[u8]>) -> Result<Cid> {
        library::check()?;
        let multihash = multihash.as_ref();
        let mut bytes = Vec::with_capacity(sys::DAGSTORE_CID_SIZE);
        // SAFETY: `multihash` stays for the call, which writes `size` bytes if they fit.
        unsafe {
            ffi::fill(&mut bytes, |start, capacity, size, error| {
                let (multihash, count) = (multihash.as_ptr(), multihash.len());
                sys::dagstore_cid_make(codec, multihash, count, start, capacity, size, error)
            })?;
        }
        Ok(Cid::trusted(&bytes))
    }

    /// Copies the bytes of one CID.
    ///
    /// Fails with [`ErrorCode::InvalidCid`] if the bytes are not exactly one CID.
    pub fn from_bytes(bytes: impl AsRef<[u8]>) -> Result<Cid> {
        library::check()?;
        let bytes = bytes.as_ref();
        let mut parts: sys::dagstore_cid_parts_t = sized();
        // SAFETY: `bytes` and `parts` stay for the call.
        call(|error| unsafe {
            sys::dagstore_cid_split(bytes.as_ptr(), bytes.len(), &mut parts, error)
        })?;
        Ok(Cid::trusted(bytes))
    }

    /// Copies the bytes of one CID, which the library has checked.
    pub(crate) fn trusted(cid: &[u8]) -> Cid {
        if cid.len() > INLINE_SIZE {
            return Cid(Bytes::Heap(cid.into()));
        }
        let mut bytes = [0; INLINE_SIZE];
        bytes[..cid.len()].copy_from_slice(cid);
        Cid(Bytes::Inline { size: cid.len() as u8, bytes })
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Bytes::Inline { size, bytes } => &bytes[..usize::from(*size)],
            Bytes::Heap(bytes) => bytes,
        }
    }

    /// Splits the CID into its parts, which lie inside it.
    pub fn parts(&self) -> CidParts<'_> {
        let bytes = self.as_bytes();
        let mut parts: sys::dagstore_cid_parts_t = sized();
        // SAFETY: `bytes` and `parts` stay for the call.
        let split = call(|error| unsafe {
            sys::dagstore_cid_split(bytes.as_ptr(), bytes.len(), &mut parts, error)
        });
        debug_assert!(split.is_ok(), "a Cid is valid");
        // SAFETY: the library points into `bytes`, which `self` keeps.
        let (multihash, digest) = unsafe {
            (
                ffi::borrow_bytes(parts.multihash.data, parts.multihash.size),
                ffi::borrow_bytes(parts.digest.data, parts.digest.size),
            )
        };
        let (version, codec, hash_code) = (parts.version, parts.codec, parts.hash_code);
        CidParts { version, codec, hash_code, multihash, digest }
    }

    /// Returns the multihash.
    pub fn multihash(&self) -> &[u8] {
        self.parts().multihash
    }
}

impl FromStr for Cid {
    type Err = Error;

    /// Parses base58btc for version 0; for version 1 a multibase prefix, one of f F b B c C v V t T h
    /// k K z Z m M u U, and the text.
    ///
    /// Fails with [`ErrorCode::InvalidCid`].
    fn from_str(text: &str) -> Result<Cid> {
        library::check()?;
        let mut bytes = Vec::with_capacity(sys::DAGSTORE_CID_SIZE);
        let parsed = ffi::with_text(text.as_bytes(), "text of the CID", |text| {
            // SAFETY: `text` stays for the call, which writes `size` bytes if they fit.
            unsafe {
                ffi::fill(&mut bytes, |start, capacity, size, error| {
                    sys::dagstore_cid_parse(text, start, capacity, size, error)
                })
            }
        });
        match parsed {
            Ok(()) => Ok(Cid::trusted(&bytes)),
            Err(error) if error.code() == ErrorCode::NulByte => {
                Err(Error::new(ErrorCode::InvalidCid, error.message()))
            }
            Err(error) => Err(error),
        }
    }
}

impl fmt::Display for Cid {
    /// Writes base58btc for version 0, base32 for version 1.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cid = self.as_bytes();
        let mut text = Vec::with_capacity(2 * sys::DAGSTORE_CID_SIZE);
        // SAFETY: `cid` stays for the call, which writes `size` bytes if they fit.
        let formatted = unsafe {
            ffi::fill(&mut text, |start: *mut u8, capacity, size, error| {
                sys::dagstore_cid_format(
                    cid.as_ptr(),
                    cid.len(),
                    start.cast(),
                    capacity,
                    size,
                    error,
                )
            })
        };
        formatted.map_err(|_| fmt::Error)?;
        text.pop(); // The NUL.
        formatter.pad(&String::from_utf8_lossy(&text))
    }
}

impl fmt::Debug for Cid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Cid({self})")
    }
}

impl AsRef<[u8]> for Cid {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl TryFrom<&[u8]> for Cid {
    type Error = Error;

    fn try_from(bytes: &[u8]) -> Result<Cid> {
        Cid::from_bytes(bytes)
    }
}

impl PartialEq for Cid {
    fn eq(&self, other: &Cid) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Cid {}

impl PartialOrd for Cid {
    fn partial_cmp(&self, other: &Cid) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Cid {
    fn cmp(&self, other: &Cid) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for Cid {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

/// A list of binary CIDs, one directly after the other, for calls that read many blocks.
///
/// Clear and fill one list again to save allocations. The list takes any bytes: a block whose bytes
/// are not a CID gets [`ErrorCode::InvalidCid`].
///
/// ```
/// use dagstore::{Cid, CidList};
///
/// let cid: Cid = "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq".parse()?;
/// let list: CidList = [&cid, &cid].into_iter().collect();
/// assert_eq!(list.len(), 2);
/// # Ok::<(), dagstore::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct CidList {
    bytes: Vec<u8>,
    sizes: Vec<u32>,
}

impl CidList {
    /// Makes an empty list.
    pub fn new() -> CidList {
        CidList::default()
    }

    /// Makes an empty list with room for `count` CIDs of the usual 36 bytes.
    pub fn with_capacity(count: usize) -> CidList {
        CidList {
            bytes: Vec::with_capacity(count.saturating_mul(36)),
            sizes: Vec::with_capacity(count),
        }
    }

    /// Adds a CID. Bytes of 4 GiB and more count as empty, and so as an invalid CID.
    pub fn push(&mut self, cid: impl AsRef<[u8]>) {
        let cid = cid.as_ref();
        match u32::try_from(cid.len()) {
            Ok(size) => {
                self.bytes.extend_from_slice(cid);
                self.sizes.push(size);
            }
            Err(_) => self.sizes.push(0),
        }
    }

    /// Removes all CIDs, and keeps the room.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.sizes.clear();
    }

    /// Returns the number of CIDs.
    pub fn len(&self) -> usize {
        self.sizes.len()
    }

    /// Tells whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.sizes.is_empty()
    }

    /// Returns all bytes, which are as many as the sizes say together.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the size of each CID.
    pub(crate) fn sizes(&self) -> &[u32] {
        &self.sizes
    }
}

impl<C: AsRef<[u8]>> Extend<C> for CidList {
    fn extend<I: IntoIterator<Item = C>>(&mut self, cids: I) {
        for cid in cids {
            self.push(cid);
        }
    }
}

impl<C: AsRef<[u8]>> FromIterator<C> for CidList {
    fn from_iter<I: IntoIterator<Item = C>>(cids: I) -> CidList {
        let cids = cids.into_iter();
        let mut list = CidList::with_capacity(cids.size_hint().0);
        list.extend(cids);
        list
    }
}
