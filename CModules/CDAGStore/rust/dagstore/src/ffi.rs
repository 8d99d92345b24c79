//! Calls into the library: handles, texts, buffers and callbacks.

use std::any::Any;
use std::cell::Cell;
use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::ptr::{self, NonNull};
use std::time::Duration;

use dagstore_sys as sys;

use crate::{Error, ErrorCode, Result};

// ---- Calls ---------------------------------------------------------------------------------------

/// Calls a function of the library with the place for its error.
///
/// Returns the status, `DAGSTORE_OK` or `DAGSTORE_DONE`.
#[inline]
pub(crate) fn call(
    function: impl FnOnce(*mut *mut sys::dagstore_error_t) -> sys::dagstore_status_t,
) -> Result<sys::dagstore_status_t> {
    let mut error = ptr::null_mut();
    let status = function(&mut error);
    if status >= 0 {
        return Ok(status);
    }
    // SAFETY: the library wrote NULL or a handle, which belongs to this call.
    Err(unsafe { Error::take(status, error) })
}

/// Converts a timeout to milliseconds, rounded up; `None` has no limit.
pub(crate) fn milliseconds(timeout: Option<Duration>) -> u32 {
    let Some(timeout) = timeout else { return sys::DAGSTORE_WAIT_FOREVER };
    let milliseconds = timeout.as_nanos().div_ceil(1_000_000);
    u32::try_from(milliseconds).unwrap_or(u32::MAX).min(sys::DAGSTORE_WAIT_FOREVER - 1)
}

/// Converts a limit to a number of which the largest means "none".
pub(crate) fn from_limit(limit: Option<u64>) -> u64 {
    limit.unwrap_or(sys::DAGSTORE_NO_LIMIT)
}

// ---- Handles -------------------------------------------------------------------------------------

/// A type that handles of the library refer to.
///
/// # Safety
///
/// `RELEASE` gives one reference back, and accepts every handle of the type.
pub(crate) unsafe trait Opaque {
    /// The function that gives a handle back.
    const RELEASE: unsafe extern "C" fn(*mut Self);
}

macro_rules! opaque {
    ($($name:ident: $release:ident,)*) => {$(
        // SAFETY: rule 2 of dagstore.h names the function for each type.
        unsafe impl Opaque for sys::$name {
            const RELEASE: unsafe extern "C" fn(*mut Self) = sys::$release;
        }
    )*};
}

opaque! {
    dagstore_t: dagstore_close,
    dagstore_shard_t: dagstore_shard_release,
    dagstore_block_t: dagstore_block_release,
    dagstore_mounts_t: dagstore_mounts_release,
    dagstore_entries_t: dagstore_entries_close,
    dagstore_shards_t: dagstore_shards_close,
    dagstore_places_t: dagstore_places_close,
    dagstore_multihashes_t: dagstore_multihashes_close,
    dagstore_problems_t: dagstore_problems_close,
    dagstore_events_t: dagstore_events_close,
    dagstore_car_t: dagstore_car_close,
}

/// A handle, given back when it is dropped.
pub(crate) struct Handle<T: Opaque>(NonNull<T>);

// SAFETY: rule 5 of dagstore.h lets any thread call any function at any time. Cursors, which one
// thread at a time may step, are stepped through exclusive references only.
unsafe impl<T: Opaque> Send for Handle<T> {}
// SAFETY: as above.
unsafe impl<T: Opaque> Sync for Handle<T> {}

impl<T: Opaque> Handle<T> {
    /// Calls a function that gives out a handle.
    #[inline]
    pub(crate) fn open(
        function: impl FnOnce(*mut *mut T, *mut *mut sys::dagstore_error_t) -> sys::dagstore_status_t,
    ) -> Result<Handle<T>> {
        let mut handle = ptr::null_mut();
        call(|error| function(&mut handle, error))?;
        // SAFETY: the library wrote NULL or a handle, which belongs to this call.
        unsafe { Handle::from_raw(handle) }.ok_or_else(no_handle)
    }

    /// Calls a function that gives out a handle or fails with `DAGSTORE_BLOCK_NOT_FOUND`; `None` in that
    /// case.
    #[inline]
    pub(crate) fn open_if_present(
        function: impl FnOnce(*mut *mut T, *mut *mut sys::dagstore_error_t) -> sys::dagstore_status_t,
    ) -> Result<Option<Handle<T>>> {
        let (mut handle, mut error) = (ptr::null_mut(), ptr::null_mut());
        let status = function(&mut handle, &mut error);
        // SAFETY: the library wrote NULL or handles, which belong to this call.
        unsafe {
            match status {
                sys::DAGSTORE_BLOCK_NOT_FOUND => {
                    sys::dagstore_error_release(error);
                    Ok(None)
                }
                status if status < 0 => Err(Error::take(status, error)),
                _ => Ok(Handle::from_raw(handle)),
            }
        }
    }

    /// Takes over a handle; `None` for NULL.
    ///
    /// # Safety
    ///
    /// `handle` is NULL or a handle that the caller owns.
    #[inline]
    pub(crate) unsafe fn from_raw(handle: *mut T) -> Option<Handle<T>> {
        NonNull::new(handle).map(Handle)
    }

    /// Returns the handle, which stays open until `self` is dropped.
    #[inline]
    pub(crate) fn as_ptr(&self) -> *mut T {
        self.0.as_ptr()
    }
}

impl<T: Opaque> Drop for Handle<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the handle is open, and this is its one owner.
        unsafe { T::RELEASE(self.0.as_ptr()) }
    }
}

#[cold]
fn no_handle() -> Error {
    Error::new(ErrorCode::InvalidArgument, "the library succeeded and gave out no handle")
}

// ---- Structs -------------------------------------------------------------------------------------

/// A struct of the library that starts with its size.
///
/// # Safety
///
/// Zero is a value of every field, and the first field is `size: u32`.
pub(crate) unsafe trait SizedStruct: Copy {}

macro_rules! sized {
    ($($name:ident)*) => {$(
        // SAFETY: all fields are numbers, pointers, arrays of these, or optional functions.
        unsafe impl SizedStruct for sys::$name {}
    )*};
}

sized! {
    dagstore_mount_vtable_t dagstore_config_t dagstore_register_options_t dagstore_location_t
    dagstore_entry_t dagstore_place_t dagstore_info_t dagstore_event_t dagstore_statistics_t
    dagstore_garbage_t dagstore_check_t dagstore_problem_t dagstore_cid_parts_t dagstore_car_info_t
    dagstore_car_verification_t
}

/// Returns a struct with its size, and zero in all other fields.
#[inline]
pub(crate) fn sized<T: SizedStruct>() -> T {
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: the first field is the size, and zero is a value of all others.
    unsafe {
        value.as_mut_ptr().cast::<u32>().write(size_of::<T>() as u32);
        value.assume_init()
    }
}

// ---- Texts and bytes -----------------------------------------------------------------------------

/// The room on the stack for a text that the library borrows. Longer texts are copied to the heap.
const STACK_TEXT: usize = 512;

/// Calls a function with a text that ends with NUL.
///
/// Fails with [`ErrorCode::NulByte`] if the text contains a NUL. `name` says what the text is.
#[inline]
pub(crate) fn with_text<T>(
    text: &[u8],
    name: &str,
    function: impl FnOnce(*const c_char) -> Result<T>,
) -> Result<T> {
    if text.len() >= STACK_TEXT {
        return with_long_text(text, name, function);
    }
    let mut room = [MaybeUninit::<u8>::uninit(); STACK_TEXT];
    let start = room.as_mut_ptr().cast::<u8>();
    // SAFETY: the room has place for the text and one more byte, and does not overlap it. The two
    // writes initialize the bytes that the slice covers.
    let copy = unsafe {
        ptr::copy_nonoverlapping(text.as_ptr(), start, text.len());
        start.add(text.len()).write(0);
        std::slice::from_raw_parts(start, text.len() + 1)
    };
    match CStr::from_bytes_with_nul(copy) {
        Ok(copy) => function(copy.as_ptr()),
        Err(_) => Err(nul_byte(text, name)),
    }
}

#[cold]
fn with_long_text<T>(
    text: &[u8],
    name: &str,
    function: impl FnOnce(*const c_char) -> Result<T>,
) -> Result<T> {
    match std::ffi::CString::new(text) {
        Ok(copy) => function(copy.as_ptr()),
        Err(_) => Err(nul_byte(text, name)),
    }
}

#[cold]
fn nul_byte(text: &[u8], name: &str) -> Error {
    let place = text.iter().position(|&byte| byte == 0).unwrap_or(0);
    let message = format!("the {name} has a NUL byte at {place}; remove it");
    Error::new(ErrorCode::NulByte, message)
}

/// Calls a function with a path that ends with NUL.
pub(crate) fn with_path<T>(
    path: &Path,
    function: impl FnOnce(*const c_char) -> Result<T>,
) -> Result<T> {
    with_text(path.as_os_str().as_encoded_bytes(), "path", function)
}

/// Copies a text of the library; `None` for NULL.
///
/// # Safety
///
/// `start` is NULL or a text that ends with NUL.
pub(crate) unsafe fn copy_text(start: *const c_char) -> Option<String> {
    // SAFETY: not NULL, so the caller promises a text.
    (!start.is_null()).then(|| unsafe { CStr::from_ptr(start) }.to_string_lossy().into_owned())
}

/// Borrows a text that the library lends to a callback; `""` for NULL and for bytes that are not
/// UTF-8.
///
/// # Safety
///
/// `start` is NULL or a text that ends with NUL and stays for `'a`.
pub(crate) unsafe fn borrow_text<'a>(start: *const c_char) -> &'a str {
    if start.is_null() {
        return "";
    }
    // SAFETY: not NULL, so the caller promises a text.
    unsafe { CStr::from_ptr(start) }.to_str().unwrap_or("")
}

/// Borrows bytes; none for NULL.
///
/// # Safety
///
/// The bytes stay for `'a`, and do not change meanwhile.
#[inline]
pub(crate) unsafe fn borrow_bytes<'a>(start: *const u8, size: usize) -> &'a [u8] {
    if start.is_null() {
        return &[];
    }
    // SAFETY: not NULL, so the caller promises `size` bytes.
    unsafe { std::slice::from_raw_parts(start, size) }
}

/// Calls a function that fills a buffer, with more room until everything fits.
///
/// `function` gets the room and its size in items, and the place for the size that is needed.
///
/// # Safety
///
/// `function` initializes as many items as it writes to that place, unless it fails.
pub(crate) unsafe fn fill<T>(
    room: &mut Vec<T>,
    mut function: impl FnMut(
        *mut T,
        usize,
        *mut usize,
        *mut *mut sys::dagstore_error_t,
    ) -> sys::dagstore_status_t,
) -> Result<()> {
    room.clear();
    if room.capacity() == 0 {
        let mut size = 0;
        // Without a place for it, the library makes no error that says how much room is needed.
        if function(ptr::null_mut(), 0, &mut size, ptr::null_mut())
            == sys::DAGSTORE_BUFFER_TOO_SMALL
        {
            room.reserve(size);
        }
    }
    loop {
        let (start, capacity, mut size) = (room.as_mut_ptr(), room.capacity(), 0);
        match call(|error| function(start, capacity, &mut size, error)) {
            Ok(_) => {
                // SAFETY: the function initialized `size` items, which fit.
                unsafe { room.set_len(size) };
                return Ok(());
            }
            Err(error) if error.code() == ErrorCode::BufferTooSmall && size > capacity => {
                room.reserve(size);
            }
            Err(error) => return Err(error),
        }
    }
}

// ---- Callbacks -----------------------------------------------------------------------------------

thread_local! {
    /// The number of callbacks that this thread is in.
    static CALLBACKS: Cell<usize> = const { Cell::new(0) };
}

/// Whether this thread is in a callback, where closing a store does not wait.
pub(crate) fn is_in_callback() -> bool {
    CALLBACKS.get() > 0
}

/// Runs a callback. A panic becomes an error, because it must not unwind into the library.
pub(crate) fn catch<R>(body: impl FnOnce() -> R) -> std::result::Result<R, Box<dyn Any + Send>> {
    // The state that a panic leaves behind is the callback's own: its owner sees the panic as an
    // error of the call.
    CALLBACKS.set(CALLBACKS.get() + 1);
    let outcome = catch_unwind(AssertUnwindSafe(body));
    CALLBACKS.set(CALLBACKS.get() - 1);
    outcome
}

/// Describes a panic of a callback.
pub(crate) fn describe(panic: Box<dyn Any + Send>, callback: &str) -> String {
    let reason = match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => match panic.downcast::<&'static str>() {
            Ok(text) => text.to_string(),
            Err(panic) => {
                drop_panic(panic);
                "a value that is not a text".to_string()
            }
        },
    };
    format!("{callback} panicked: {reason}")
}

/// Drops the value of a panic. If that panics too, it leaks the second value.
pub(crate) fn drop_panic(panic: Box<dyn Any + Send>) {
    if let Err(second) = catch(|| drop(panic)) {
        std::mem::forget(second);
    }
}

/// Runs a callback that cannot report an error. The panic hook has printed a panic.
pub(crate) fn run(body: impl FnOnce()) {
    if let Err(panic) = catch(body) {
        drop_panic(panic);
    }
}

/// Makes an error of the library. A NUL byte in the message becomes U+FFFD.
pub(crate) fn new_error(
    status: sys::dagstore_status_t,
    message: &str,
) -> *mut sys::dagstore_error_t {
    let message = message.replace('\0', "\u{fffd}");
    let made = with_text(message.as_bytes(), "message", |message| {
        // SAFETY: the text stays for the call, which copies it.
        Ok(unsafe { sys::dagstore_error_new(status, message) })
    });
    made.unwrap_or(ptr::null_mut())
}

/// Reports the error of a callback to the library, and returns its status.
///
/// # Safety
///
/// `out_error` is a place for a handle, which the library releases.
pub(crate) unsafe fn report_error(
    error: &Error,
    out_error: *mut *mut sys::dagstore_error_t,
) -> sys::dagstore_status_t {
    let status = error.code().failing_status();
    // SAFETY: the caller promises the place.
    unsafe { out_error.write(new_error(status, error.message())) };
    status
}
