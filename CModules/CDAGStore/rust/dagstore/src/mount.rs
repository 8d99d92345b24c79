//! Mounts: sources whose bytes the caller supplies.

use std::ffi::{c_char, c_void};
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

use dagstore_sys as sys;

use crate::Result;
use crate::ffi::{self, Handle, call, sized};

/// The sources of one mount scheme, which the caller supplies.
///
/// [`Config::mount`](crate::Config::mount) adds a mount to a store. Several threads of the library
/// call it at once: while shards are fetched and indexed, up to 16 call [`stat`](Mount::stat) and 64
/// call [`open`](Mount::open). A call must not wait for the shard whose bytes it supplies. A panic
/// becomes a [`MountErrorKind::FetchFailed`] with the panic's message.
///
/// The library drops the mount when the store, its leases and its reads are gone.
///
/// ```
/// use dagstore::{Access, Mount, MountError, MountRequest, MountStat, Source};
///
/// /// Serves CARs from memory.
/// struct Memory(std::collections::HashMap<String, Vec<u8>>);
///
/// impl Memory {
///     fn car(&self, url: &str) -> Result<&Vec<u8>, MountError> {
///         self.0.get(url).ok_or_else(|| MountError::gone(format!("{url} is not in memory")))
///     }
/// }
///
/// impl Mount for Memory {
///     fn access(&self, _url: &str) -> Access {
///         Access::Random
///     }
///
///     fn stat(&self, request: &MountRequest<'_>) -> Result<MountStat, MountError> {
///         Ok(MountStat::new(self.car(request.url())?.len() as u64))
///     }
///
///     fn open(&self, request: &MountRequest<'_>) -> Result<Source, MountError> {
///         Ok(Source::random(self.car(request.url())?.clone()))
///     }
/// }
/// ```
pub trait Mount: Send + Sync + 'static {
    /// Returns how the source at `url` is read. It must not block, and must always return the same
    /// for the same URL.
    fn access(&self, url: &str) -> Access;

    /// Looks at a source without reading it. Fails with [`MountErrorKind::Gone`] if it does not exist.
    fn stat(&self, request: &MountRequest<'_>) -> std::result::Result<MountStat, MountError>;

    /// Opens a source, of the kind that [`access`](Mount::access) says. If
    /// [`stat`](Mount::stat) says that the source is not ready, it may take hours.
    fn open(&self, request: &MountRequest<'_>) -> std::result::Result<Source, MountError>;
}

impl<M: Mount + ?Sized> Mount for Arc<M> {
    fn access(&self, url: &str) -> Access {
        (**self).access(url)
    }

    fn stat(&self, request: &MountRequest<'_>) -> std::result::Result<MountStat, MountError> {
        (**self).stat(request)
    }

    fn open(&self, request: &MountRequest<'_>) -> std::result::Result<Source, MountError> {
        (**self).open(request)
    }
}

/// How the store reads a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// The source gives its bytes once, from the start: the store copies them to its folder.
    Sequential,
    /// The source can read any range: the store reads in place.
    Random,
    /// The source is a file of this machine: the store maps it.
    File,
}

impl Access {
    fn number(self) -> u32 {
        match self {
            Access::Sequential => sys::DAGSTORE_ACCESS_SEQUENTIAL,
            Access::Random => sys::DAGSTORE_ACCESS_RANDOM,
            Access::File => sys::DAGSTORE_ACCESS_FILE,
        }
    }
}

/// A source that the store asks a [`Mount`] for.
#[derive(Clone, Copy, Debug)]
pub struct MountRequest<'a> {
    key: Option<&'a str>,
    url: &'a str,
}

impl<'a> MountRequest<'a> {
    /// Returns the key of the shard that is read; `None` if the store does not ask for a shard.
    pub fn key(&self) -> Option<&'a str> {
        self.key
    }

    /// Returns the mount URL.
    pub fn url(&self) -> &'a str {
        self.url
    }
}

/// The properties of a source that need no read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MountStat {
    /// The size in bytes; `None` if it is unknown.
    pub size: Option<u64>,
    /// A text that changes when the bytes change, such as an entity tag: at most 255 bytes.
    pub validator: Option<String>,
    /// Whether the source must first prepare its bytes, such as unseal them.
    pub is_not_ready: bool,
}

impl MountStat {
    /// Makes the properties of a source of a known size that is ready.
    pub fn new(size: u64) -> MountStat {
        MountStat { size: Some(size), ..MountStat::default() }
    }

    /// Sets a text that changes when the bytes change: at most 255 bytes.
    pub fn validator(mut self, validator: impl Into<String>) -> MountStat {
        self.validator = Some(validator.into());
        self
    }

    /// Says that the source must first prepare its bytes.
    pub fn not_ready(mut self) -> MountStat {
        self.is_not_ready = true;
        self
    }
}

/// An opened source.
#[non_exhaustive]
pub enum Source {
    /// A source that can read any range.
    Random(Box<dyn RandomSource>),
    /// A source that gives its bytes once, from the start.
    Sequential(Box<dyn SequentialSource>),
    /// The absolute path of a file, at most 4,095 bytes. The library opens the file itself.
    File(PathBuf),
}

impl Source {
    /// Makes a source that can read any range.
    pub fn random(source: impl RandomSource + 'static) -> Source {
        Source::Random(Box::new(source))
    }

    /// Makes a source that gives its bytes once, from the start.
    pub fn sequential(source: impl SequentialSource + 'static) -> Source {
        Source::Sequential(Box::new(source))
    }

    /// Makes a sequential source of a reader. `size` is its size in bytes, if it is known.
    pub fn reader(reader: impl Read + Send + 'static, size: Option<u64>) -> Source {
        Source::sequential(ReaderSource { reader: Mutex::new(reader), size })
    }

    fn access(&self) -> Access {
        match self {
            Source::Random(_) => Access::Random,
            Source::Sequential(_) => Access::Sequential,
            Source::File(_) => Access::File,
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Random(source) => write!(formatter, "Random({} bytes)", source.size()),
            Source::Sequential(source) => {
                write!(formatter, "Sequential({:?} bytes)", source.size())
            }
            Source::File(path) => write!(formatter, "File({path:?})"),
        }
    }
}

/// A source that can read any range. Several threads read it at once, among them all that read blocks
/// of the shard. The library drops it after its last read.
pub trait RandomSource: Send + Sync {
    /// Returns the size in bytes.
    fn size(&self) -> u64;

    /// Reads bytes at `offset` into the start of `buffer`, and returns their number.
    ///
    /// After a short read the library calls it again for the other bytes; 0 bytes before the end are
    /// an error.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::result::Result<usize, MountError>;

    /// Asks reads of other threads to return soon, because the store no longer needs them. The library
    /// calls it at most once.
    fn interrupt(&self) {}
}

/// A source that gives its bytes once, from the start. The library drops it after its last read.
pub trait SequentialSource: Send + Sync {
    /// Returns the size in bytes; `None` if it is unknown.
    fn size(&self) -> Option<u64> {
        None
    }

    /// Reads the next bytes into the start of `buffer`, and returns their number; 0 at the end.
    ///
    /// One thread at a time reads.
    fn read(&self, buffer: &mut [u8]) -> std::result::Result<usize, MountError>;

    /// Asks a read of another thread to return soon, because the store no longer needs it. The library
    /// calls it at most once.
    fn interrupt(&self) {}
}

impl RandomSource for Vec<u8> {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::result::Result<usize, MountError> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.len());
        let rest = &self[start..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

impl RandomSource for File {
    /// Returns the size of the file; 0 if the system does not tell it.
    fn size(&self) -> u64 {
        self.metadata().map_or(0, |metadata| metadata.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::result::Result<usize, MountError> {
        Ok(FileExt::read_at(self, buffer, offset)?)
    }
}

/// A sequential source of a reader.
struct ReaderSource<R> {
    /// Only one thread at a time reads, so no thread waits.
    reader: Mutex<R>,
    size: Option<u64>,
}

impl<R: Read + Send> SequentialSource for ReaderSource<R> {
    fn size(&self) -> Option<u64> {
        self.size
    }

    fn read(&self, buffer: &mut [u8]) -> std::result::Result<usize, MountError> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match reader.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                outcome => return Ok(outcome?),
            }
        }
    }
}

/// The reason why a source cannot be used, as a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MountErrorKind {
    /// The source does not exist.
    Gone,
    /// The source exists and cannot be read.
    Unreachable,
    /// The source could not be copied.
    FetchFailed,
    /// The source took too long.
    TimedOut,
    /// The source has other bytes than the indexed ones.
    SourceChanged,
}

impl MountErrorKind {
    fn status(self) -> sys::dagstore_status_t {
        match self {
            MountErrorKind::Gone => sys::DAGSTORE_MOUNT_GONE,
            MountErrorKind::Unreachable => sys::DAGSTORE_MOUNT_UNREACHABLE,
            MountErrorKind::FetchFailed => sys::DAGSTORE_FETCH_FAILED,
            MountErrorKind::TimedOut => sys::DAGSTORE_FETCH_TIMED_OUT,
            MountErrorKind::SourceChanged => sys::DAGSTORE_SOURCE_CHANGED,
        }
    }
}

/// The reason why a source cannot be used.
///
/// Errors of `std::io` convert: "not found" to [`MountErrorKind::Gone`], "timed out" to
/// [`MountErrorKind::TimedOut`], and all others to [`MountErrorKind::Unreachable`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountError {
    kind: MountErrorKind,
    message: String,
}

impl MountError {
    /// Makes an error.
    pub fn new(kind: MountErrorKind, message: impl Into<String>) -> MountError {
        MountError { kind, message: message.into() }
    }

    /// Makes the error of a source that does not exist.
    pub fn gone(message: impl Into<String>) -> MountError {
        MountError::new(MountErrorKind::Gone, message)
    }

    /// Makes the error of a source that exists and cannot be read.
    pub fn unreachable(message: impl Into<String>) -> MountError {
        MountError::new(MountErrorKind::Unreachable, message)
    }

    /// Returns the kind.
    pub fn kind(&self) -> MountErrorKind {
        self.kind
    }

    /// Returns a sentence for people.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for MountError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for MountError {}

impl From<io::Error> for MountError {
    fn from(error: io::Error) -> MountError {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => MountErrorKind::Gone,
            io::ErrorKind::TimedOut => MountErrorKind::TimedOut,
            _ => MountErrorKind::Unreachable,
        };
        MountError::new(kind, error.to_string())
    }
}

// ---- The library's side --------------------------------------------------------------------------

/// Makes the library's set of mounts.
pub(crate) fn make_set(
    mounts: Vec<(String, Box<dyn Mount>)>,
) -> Result<Option<Handle<sys::dagstore_mounts_t>>> {
    if mounts.is_empty() {
        return Ok(None);
    }
    // SAFETY: the places stay for the call.
    let set = Handle::open(|out, error| unsafe { sys::dagstore_mounts_new(out, error) })?;
    let vtable = sys::dagstore_mount_vtable_t {
        access: sys::DAGSTORE_ACCESS_SEQUENTIAL,
        read_at: Some(read_at),
        close: Some(close),
        interrupt: Some(interrupt),
        release: Some(release),
        access_of: Some(access_of),
        stat_shard: Some(stat_shard),
        open_shard: Some(open_shard),
        ..sized()
    };
    for (scheme, mount) in mounts {
        let context = Box::into_raw(Box::new(mount));
        let added = ffi::with_text(scheme.as_bytes(), "scheme", |scheme| {
            // SAFETY: the set is open, and the library copies the vtable. The callbacks take the
            // context for a box of a mount, which `release` frees.
            call(|error| unsafe {
                sys::dagstore_mounts_add(set.as_ptr(), scheme, &vtable, context.cast(), error)
            })
        });
        if let Err(error) = added {
            // SAFETY: after a failure the library does not call `release`.
            drop(unsafe { Box::from_raw(context) });
            return Err(error);
        }
    }
    Ok(Some(set))
}

/// Runs a callback of a mount, and reports its error or panic to the library.
///
/// # Safety
///
/// `out_error` is a place for a handle.
unsafe fn report(
    name: &str,
    out_error: *mut *mut sys::dagstore_error_t,
    body: impl FnOnce() -> std::result::Result<(), MountError>,
) -> sys::dagstore_status_t {
    let outcome = ffi::catch(body).unwrap_or_else(|panic| {
        Err(MountError::new(MountErrorKind::FetchFailed, ffi::describe(panic, name)))
    });
    let Err(error) = outcome else { return sys::DAGSTORE_OK };
    let status = error.kind.status();
    // SAFETY: the library gives a place for a handle, which it releases.
    unsafe { out_error.write(ffi::new_error(status, &error.message)) };
    status
}

/// Borrows the mount of a context.
///
/// # Safety
///
/// `context` is one of `make_set`, which the library has not released.
unsafe fn mount<'a>(context: *mut c_void) -> &'a dyn Mount {
    // SAFETY: the caller promises a box of a mount.
    unsafe { &**context.cast::<Box<dyn Mount>>() }
}

/// Borrows an opened source.
///
/// # Safety
///
/// `source` is one of `open_shard`, which the library has not closed.
unsafe fn source<'a>(source: *mut c_void) -> &'a Source {
    // SAFETY: the caller promises a box of a source.
    unsafe { &*source.cast::<Source>() }
}

/// Borrows a request.
///
/// # Safety
///
/// `request` is valid for `'a`.
unsafe fn request<'a>(request: *const sys::dagstore_mount_request_t) -> MountRequest<'a> {
    // SAFETY: the library lends the request and its texts for the call.
    unsafe {
        let sys::dagstore_mount_request_t { key, url, .. } = *request;
        let key = (!key.is_null()).then(|| ffi::borrow_text(key));
        MountRequest { key, url: ffi::borrow_text(url) }
    }
}

unsafe extern "C" fn access_of(context: *mut c_void, url: *const c_char) -> u32 {
    // SAFETY: the library passes the context of the scheme, and lends the text for the call.
    let access = ffi::catch(|| unsafe { mount(context).access(ffi::borrow_text(url)) });
    access.map_or_else(
        |panic| {
            ffi::drop_panic(panic);
            sys::DAGSTORE_ACCESS_SEQUENTIAL
        },
        Access::number,
    )
}

unsafe extern "C" fn stat_shard(
    context: *mut c_void,
    asked: *const sys::dagstore_mount_request_t,
    out_stat: *mut sys::dagstore_mount_stat_t,
    out_error: *mut *mut sys::dagstore_error_t,
) -> sys::dagstore_status_t {
    // SAFETY: the library passes the context of the scheme, lends the request for the call, and gives
    // places for the results.
    unsafe {
        report("stat", out_error, || {
            let stat = mount(context).stat(&request(asked))?;
            let out = &mut *out_stat;
            if stat.is_not_ready {
                out.flags |= sys::DAGSTORE_MOUNT_NOT_READY;
            }
            out.bytes = ffi::from_limit(stat.size);
            let validator = stat.validator.unwrap_or_default();
            write_text(&mut out.validator, validator.as_bytes(), "validator")
        })
    }
}

unsafe extern "C" fn open_shard(
    context: *mut c_void,
    asked: *const sys::dagstore_mount_request_t,
    out_source: *mut sys::dagstore_mount_source_t,
    out_error: *mut *mut sys::dagstore_error_t,
) -> sys::dagstore_status_t {
    // SAFETY: the library passes the context of the scheme, lends the request for the call, and gives
    // places for the results.
    unsafe {
        report("open", out_error, || {
            let (mount, request, out) = (mount(context), request(asked), &mut *out_source);
            let source = mount.open(&request)?;
            let (expected, found) = (mount.access(request.url()), source.access());
            if expected != found {
                let message = format!("open gave a {found:?} source, and access says {expected:?}");
                return Err(MountError::unreachable(message));
            }
            match &source {
                Source::Random(random) => out.bytes = random.size(),
                Source::Sequential(sequential) => out.bytes = ffi::from_limit(sequential.size()),
                Source::File(path) => {
                    let path = path.as_os_str().as_encoded_bytes();
                    return write_text(&mut out.path, path, "path");
                }
            }
            out.source = Box::into_raw(Box::new(source)).cast();
            Ok(())
        })
    }
}

/// Writes a text with its NUL into an array of the library.
fn write_text(room: &mut [c_char], text: &[u8], name: &str) -> std::result::Result<(), MountError> {
    if text.len() >= room.len() || text.contains(&0) {
        let message = format!(
            "the {name} has {} bytes; it may have {}, and no NUL",
            text.len(),
            room.len() - 1
        );
        return Err(MountError::unreachable(message));
    }
    for (place, &byte) in room.iter_mut().zip(text.iter().chain(&[0])) {
        *place = byte as c_char;
    }
    Ok(())
}

unsafe extern "C" fn read_at(
    _context: *mut c_void,
    opened: *mut c_void,
    offset: u64,
    buffer: *mut u8,
    capacity: usize,
    out_size: *mut usize,
    out_error: *mut *mut sys::dagstore_error_t,
) -> sys::dagstore_status_t {
    // SAFETY: the library passes a source that is open, a buffer with room for `capacity` bytes, and
    // places for the results. The zeros initialize the buffer, so the source may look at it.
    unsafe {
        report("read_at", out_error, || {
            if buffer.is_null() {
                return Ok(());
            }
            ptr::write_bytes(buffer, 0, capacity);
            let room = std::slice::from_raw_parts_mut(buffer, capacity);
            let count = match source(opened) {
                Source::Random(random) => random.read_at(offset, room)?,
                Source::Sequential(sequential) => sequential.read(room)?,
                Source::File(_) => 0,
            };
            if count > capacity {
                let message = format!("a read says that it wrote {count} bytes into {capacity}");
                return Err(MountError::unreachable(message));
            }
            *out_size = count;
            Ok(())
        })
    }
}

unsafe extern "C" fn interrupt(_context: *mut c_void, opened: *mut c_void) {
    if opened.is_null() {
        return;
    }
    // SAFETY: the library passes a source that is open.
    ffi::run(|| match unsafe { source(opened) } {
        Source::Random(random) => random.interrupt(),
        Source::Sequential(sequential) => sequential.interrupt(),
        Source::File(_) => {}
    });
}

unsafe extern "C" fn close(_context: *mut c_void, opened: *mut c_void) {
    if opened.is_null() {
        return; // A file, which the library opened itself.
    }
    // SAFETY: the library closes a source once, after its last read.
    ffi::run(|| drop(unsafe { Box::from_raw(opened.cast::<Source>()) }));
}

unsafe extern "C" fn release(context: *mut c_void) {
    // SAFETY: the library releases a context once, when no callback runs.
    ffi::run(|| drop(unsafe { Box::from_raw(context.cast::<Box<dyn Mount>>()) }));
}
