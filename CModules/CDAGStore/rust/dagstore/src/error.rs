//! Errors and their codes.

use std::ffi::CStr;
use std::fmt;

use dagstore_sys as sys;

/// The result of a call.
pub type Result<T> = std::result::Result<T, Error>;

/// Declares the codes, with the numbers of the library.
macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $status:ident,)*) => {
        /// The reason why a call failed, as a code.
        ///
        /// Later releases of the library add codes, which arrive as [`ErrorCode::Other`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[doc = $doc])* $name,)*
            /// A key, URL or path contains a NUL byte. The binding reports it before it calls the
            /// library.
            NulByte,
            /// The loaded library is older or newer than the binding.
            IncompatibleLibrary,
            /// A code of a later release of the library.
            Other(i32),
        }

        impl ErrorCode {
            /// Returns the code with a number of the library.
            pub(crate) fn from_status(status: sys::dagstore_status_t) -> ErrorCode {
                match status {
                    $(sys::$status => ErrorCode::$name,)*
                    other => ErrorCode::Other(other),
                }
            }

            /// Returns the number of the code in the library; `None` for codes of the binding.
            pub fn status(self) -> Option<i32> {
                match self {
                    $(ErrorCode::$name => Some(sys::$status),)*
                    ErrorCode::Other(status) => Some(status),
                    ErrorCode::NulByte | ErrorCode::IncompatibleLibrary => None,
                }
            }
        }
    };
}

codes! {
    /// No shard has this key.
    ShardUnknown = DAGSTORE_SHARD_UNKNOWN,
    /// The shard, or the store, lacks the block.
    BlockNotFound = DAGSTORE_BLOCK_NOT_FOUND,
    /// A segment of a path names nothing.
    PathNotFound = DAGSTORE_PATH_NOT_FOUND,
    /// An argument is out of range.
    InvalidArgument = DAGSTORE_INVALID_ARGUMENT,
    /// The key is empty or has more than 480 bytes.
    InvalidKey = DAGSTORE_INVALID_KEY,
    /// The text or bytes are not a CID.
    InvalidCid = DAGSTORE_INVALID_CID,
    /// A field of the configuration is out of range.
    InvalidConfiguration = DAGSTORE_INVALID_CONFIGURATION,
    /// The store has no mount for the scheme of the URL.
    UnknownScheme = DAGSTORE_UNKNOWN_SCHEME,
    /// The hash function is unknown, or the digest is too short.
    UnsupportedHash = DAGSTORE_UNSUPPORTED_HASH,
    /// Another shard has the key.
    ShardExists = DAGSTORE_SHARD_EXISTS,
    /// The shard has leases.
    ShardInUse = DAGSTORE_SHARD_IN_USE,
    /// The shard has not failed.
    NotFailed = DAGSTORE_NOT_FAILED,
    /// A buffer is too small: see [`Error::required_size`].
    BufferTooSmall = DAGSTORE_BUFFER_TOO_SMALL,
    /// The links of blocks of the codec are unknown.
    UnsupportedCodec = DAGSTORE_UNSUPPORTED_CODEC,
    /// A path ends at a value inside a block.
    PathNotALink = DAGSTORE_PATH_NOT_A_LINK,
    /// The source exists and cannot be read.
    MountUnreachable = DAGSTORE_MOUNT_UNREACHABLE,
    /// The source does not exist.
    MountGone = DAGSTORE_MOUNT_GONE,
    /// The source could not be copied.
    FetchFailed = DAGSTORE_FETCH_FAILED,
    /// The source took too long.
    FetchTimedOut = DAGSTORE_FETCH_TIMED_OUT,
    /// The source has other bytes than the indexed ones.
    SourceChanged = DAGSTORE_SOURCE_CHANGED,
    /// A header or section of the CAR is malformed.
    MalformedCar = DAGSTORE_MALFORMED_CAR,
    /// The CAR ends early.
    Truncated = DAGSTORE_TRUNCATED,
    /// The CAR version is neither 1 nor 2.
    UnsupportedVersion = DAGSTORE_UNSUPPORTED_VERSION,
    /// A size or count exceeds a limit.
    LimitExceeded = DAGSTORE_LIMIT_EXCEEDED,
    /// The bytes do not have the hash of their CID.
    HashMismatch = DAGSTORE_HASH_MISMATCH,
    /// An index is malformed, or contradicts its CAR.
    MalformedIndex = DAGSTORE_MALFORMED_INDEX,
    /// A block breaks the rules of its codec or of UnixFS.
    MalformedBlock = DAGSTORE_MALFORMED_BLOCK,
    /// The catalog is damaged.
    CatalogCorrupt = DAGSTORE_CATALOG_CORRUPT,
    /// The disk or the map is full; the call changed nothing.
    CatalogFull = DAGSTORE_CATALOG_FULL,
    /// Another process, or this one, has the store open.
    CatalogLocked = DAGSTORE_CATALOG_LOCKED,
    /// A newer release wrote the store.
    CatalogTooNew = DAGSTORE_CATALOG_TOO_NEW,
    /// The store cannot be written.
    ReadOnly = DAGSTORE_READ_ONLY,
    /// The quota for local copies is used up.
    QuotaExceeded = DAGSTORE_QUOTA_EXCEEDED,
    /// The shard has failed and must be recovered.
    ShardFailed = DAGSTORE_SHARD_FAILED,
    /// There are no descriptors, memory or threads left; no shard fails.
    OutOfResources = DAGSTORE_OUT_OF_RESOURCES,
    /// Other readers hold all reader slots of the catalog.
    TooManyReaders = DAGSTORE_TOO_MANY_READERS,
    /// A catalog write failed: close and reopen the store.
    ReopenNeeded = DAGSTORE_REOPEN_NEEDED,
    /// The catalog of the cluster does not answer.
    CatalogUnreachable = DAGSTORE_CATALOG_UNREACHABLE,
    /// The store is closed.
    Closed = DAGSTORE_CLOSED,
    /// The operation was cancelled.
    Cancelled = DAGSTORE_CANCELLED,
    /// The timeout has passed.
    DeadlineExceeded = DAGSTORE_DEADLINE_EXCEEDED,
}

impl ErrorCode {
    /// Returns the name of the code, such as `"blockNotFound"`; `"unknown"` for a code that the
    /// loaded library does not know.
    pub fn name(self) -> &'static str {
        let Some(status) = self.status() else {
            return match self {
                ErrorCode::NulByte => "nulByte",
                _ => "incompatibleLibrary",
            };
        };
        // SAFETY: the function takes any number, and returns a static text that ends with NUL.
        let name = unsafe { CStr::from_ptr(sys::dagstore_status_name(status)) };
        name.to_str().unwrap_or("unknown")
    }

    /// Returns a negative number for a callback to give to the library.
    pub(crate) fn failing_status(self) -> sys::dagstore_status_t {
        match self.status() {
            Some(status) if status < 0 => status,
            _ => sys::DAGSTORE_INVALID_ARGUMENT,
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The reason why a call failed: a code, a sentence for people, and the place.
///
/// ```
/// use dagstore::{Error, ErrorCode};
///
/// let error = Error::new(ErrorCode::ShardUnknown, "acquire: no shard has the key \"a\"");
/// assert_eq!(error.code(), ErrorCode::ShardUnknown);
/// assert_eq!(error.to_string(), "acquire: no shard has the key \"a\" (shardUnknown)");
/// ```
#[derive(Clone)]
pub struct Error(Box<Contents>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Contents {
    code: ErrorCode,
    message: String,
    shard: Option<String>,
    offset: Option<u64>,
    required_size: Option<usize>,
}

impl Error {
    /// Makes an error, for callbacks that report one.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Error {
        Error(Box::new(Contents {
            code,
            message: message.into(),
            shard: None,
            offset: None,
            required_size: None,
        }))
    }

    /// Returns the code.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// Returns a sentence for people.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the key of the shard that the error is about.
    pub fn shard(&self) -> Option<&str> {
        self.0.shard.as_deref()
    }

    /// Returns where in a CAR the bytes are wrong, in bytes. For a malformed section it counts from
    /// the start of the payload.
    pub fn offset(&self) -> Option<u64> {
        self.0.offset
    }

    /// Returns the size in bytes of the buffer that the call needs, with
    /// [`ErrorCode::BufferTooSmall`].
    pub fn required_size(&self) -> Option<usize> {
        self.0.required_size
    }

    /// Adds the key of a shard.
    pub(crate) fn with_shard(mut self, key: &str) -> Error {
        self.0.shard = Some(key.into());
        self
    }

    /// Adds the size of the buffer that the call needs.
    pub(crate) fn with_required_size(mut self, size: usize) -> Error {
        self.0.required_size = Some(size);
        self
    }

    /// Copies an error of the library, which stays open.
    ///
    /// # Safety
    ///
    /// `error` is NULL or a handle of the library.
    pub(crate) unsafe fn copy(
        status: sys::dagstore_status_t,
        error: *const sys::dagstore_error_t,
    ) -> Error {
        let code = ErrorCode::from_status(status);
        // SAFETY: the library accepts NULL and any handle. The texts end with NUL, and stay until
        // the error is released, which no code does before this function returns.
        unsafe {
            let message = CStr::from_ptr(sys::dagstore_error_message(error)).to_string_lossy();
            let message = match message.is_empty() {
                true => code.name().to_string(),
                false => message.into_owned(),
            };
            let mut copy = Error::new(code, message);
            let shard = sys::dagstore_error_shard(error);
            if !shard.is_null() {
                copy.0.shard = Some(CStr::from_ptr(shard).to_string_lossy().into_owned());
            }
            let mut offset = 0;
            if sys::dagstore_error_offset(error, &mut offset) {
                copy.0.offset = Some(offset);
            }
            copy
        }
    }

    /// Copies an error of the library, and releases it.
    ///
    /// # Safety
    ///
    /// `error` is NULL or a handle that the caller owns.
    #[cold]
    pub(crate) unsafe fn take(
        status: sys::dagstore_status_t,
        error: *mut sys::dagstore_error_t,
    ) -> Error {
        // SAFETY: the caller owns the handle, and nothing uses it after the release.
        unsafe {
            let copy = Error::copy(status, error);
            sys::dagstore_error_release(error);
            copy
        }
    }
}

impl PartialEq for Error {
    fn eq(&self, other: &Error) -> bool {
        self.0 == other.0
    }
}

impl Eq for Error {}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Contents { code, message, shard, offset, required_size } = &*self.0;
        let mut fields = formatter.debug_struct("Error");
        fields.field("code", code).field("message", message);
        if let Some(shard) = shard {
            fields.field("shard", shard);
        }
        if let Some(offset) = offset {
            fields.field("offset", offset);
        }
        if let Some(required_size) = required_size {
            fields.field("required_size", required_size);
        }
        fields.finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.0.message, self.0.code)
    }
}

impl std::error::Error for Error {}
