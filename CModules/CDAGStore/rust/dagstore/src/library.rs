//! The loaded library: its version, its log, and what it does for the whole process.

use std::ffi::{CStr, c_char, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use dagstore_sys as sys;

use crate::ffi::{self, call};
use crate::registry::{Registration, Registry};
use crate::{Error, ErrorCode, Result};

/// The release of the library that the binding was written for. Later releases of the same ABI
/// version have all its functions.
const RELEASE: &str = env!("CARGO_PKG_VERSION");

/// Returns the release of the loaded library, such as `"0.1.0"`.
pub fn version() -> &'static str {
    // SAFETY: the function returns a static text that ends with NUL.
    unsafe { CStr::from_ptr(sys::dagstore_version()) }.to_str().unwrap_or("unknown")
}

/// Returns the ABI version of the loaded library. The binding refuses all but its own.
pub fn abi_version() -> u32 {
    // SAFETY: the function has no conditions.
    unsafe { sys::dagstore_abi_version() }
}

/// Returns the number of handles that this process has open. Tests use it to find leaks.
///
/// *Concurrency*: any thread. Operations that other threads run have handles too.
pub fn live_handles() -> u64 {
    // SAFETY: the function has no conditions.
    unsafe { sys::dagstore_live_handles() }
}

/// Checks that the binding may call the loaded library.
///
/// Fails with [`ErrorCode::IncompatibleLibrary`] if the library is older or newer. Costs one read of
/// a flag after the first success.
#[inline]
pub(crate) fn check() -> Result<()> {
    static IS_COMPATIBLE: AtomicBool = AtomicBool::new(false);
    if IS_COMPATIBLE.load(Ordering::Relaxed) {
        return Ok(());
    }
    compare(abi_version(), version())?;
    IS_COMPATIBLE.store(true, Ordering::Relaxed);
    Ok(())
}

/// Compares the versions of a library with those of the binding.
#[cold]
fn compare(abi_version: u32, release: &str) -> Result<()> {
    if abi_version == sys::DAGSTORE_ABI_VERSION && parts(release) >= parts(RELEASE) {
        return Ok(());
    }
    let message = format!(
        "the loaded libdagstore {release} has ABI version {abi_version}, and this binding needs ABI \
         version {} of release {RELEASE} or later; install a libdagstore that fits",
        sys::DAGSTORE_ABI_VERSION,
    );
    Err(Error::new(ErrorCode::IncompatibleLibrary, message))
}

/// Returns the numbers of a release.
fn parts(release: &str) -> [u64; 3] {
    let mut parts = [0; 3];
    let numbers = release.split(|character: char| !character.is_ascii_digit());
    for (part, number) in parts.iter_mut().zip(numbers) {
        *part = number.parse().unwrap_or(0);
    }
    parts
}

/// Installs a handler for SIGBUS, which turns the loss of mapped bytes into
/// [`ErrorCode::SourceChanged`].
///
/// A process that truncates a mapped CAR takes bytes away from its readers. With the handler, the
/// library's own reads return an error: [`Shard::read`](crate::Shard::read),
/// [`Shard::read_many`](crate::Shard::read_many) and [`Block::verified`](crate::Block::verified). It
/// does not guard reads of a [`Block`](crate::Block)'s bytes. The handler passes other SIGBUS signals
/// to the previous handler.
///
/// Call it before the first store is opened; later calls do nothing. Returns whether the handler is
/// installed.
pub fn install_mapping_guard() -> bool {
    // SAFETY: the handler passes signals that are not its own to the previous handler.
    check().is_ok() && unsafe { sys::dagstore_mapping_guard_install() }
}

/// How important a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LogLevel {
    /// A store cannot be opened, a commit failed, or a handle was misused.
    Error,
    /// A shard failed, its source is away, or a commit was slow.
    Warning,
    /// A store opens or closes; a shard is registered, ready or gone.
    Info,
    /// Every event of every shard, with leases.
    Debug,
}

impl LogLevel {
    fn number(self) -> i32 {
        match self {
            LogLevel::Error => sys::DAGSTORE_LOG_ERROR,
            LogLevel::Warning => sys::DAGSTORE_LOG_WARNING,
            LogLevel::Info => sys::DAGSTORE_LOG_INFO,
            LogLevel::Debug => sys::DAGSTORE_LOG_DEBUG,
        }
    }

    fn new(number: i32) -> LogLevel {
        match number {
            sys::DAGSTORE_LOG_ERROR => LogLevel::Error,
            sys::DAGSTORE_LOG_WARNING => LogLevel::Warning,
            sys::DAGSTORE_LOG_INFO => LogLevel::Info,
            _ => LogLevel::Debug,
        }
    }
}

type Receiver = dyn Fn(LogLevel, &str) + Send + Sync;

static RECEIVERS: Registry<Receiver> = Registry::new();

/// The receiver that the library has, locked while it changes.
static CURRENT: Mutex<Option<Registration<Receiver>>> = Mutex::new(None);

/// Sets the receiver of log lines of this process.
///
/// A thread of the library delivers the lines, one at a time. While 1,024 lines wait, the library
/// drops new ones. The previous receiver gets all lines from before the call, and no line after it.
/// `level` is the least severe level that the receiver wants, also from stores that are already open.
///
/// A receiver may call this function; if another thread sets a receiver at that moment, the one of
/// the other thread stays. The binding ignores a panic of the receiver.
///
/// ```
/// # use dagstore::LogLevel;
/// dagstore::set_log(LogLevel::Warning, |level, line| eprintln!("{level:?}: {line}"))?;
/// dagstore::remove_log()?;
/// # Ok::<(), dagstore::Error>(())
/// ```
pub fn set_log(
    level: LogLevel,
    receiver: impl Fn(LogLevel, &str) + Send + Sync + 'static,
) -> Result<()> {
    check()?;
    replace_receiver(level.number(), Some(RECEIVERS.add(Arc::new(receiver))))
}

/// Removes the receiver of log lines. No line arrives after the call.
pub fn remove_log() -> Result<()> {
    check()?;
    replace_receiver(sys::DAGSTORE_LOG_NONE, None)
}

fn replace_receiver(level: i32, next: Option<Registration<Receiver>>) -> Result<()> {
    // The library waits for the lines of the previous receiver, so a receiver must not wait for the
    // lock of a thread that waits for the receiver.
    let mut current = match IS_RECEIVING.get() {
        false => CURRENT.lock().unwrap_or_else(PoisonError::into_inner),
        true => match CURRENT.try_lock() {
            Ok(current) => current,
            Err(TryLockError::Poisoned(error)) => error.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(()),
        },
    };
    let callback: sys::dagstore_log_fn = match next {
        Some(_) => Some(receive),
        None => None,
    };
    let context = next.as_ref().map_or(std::ptr::null_mut(), Registration::context);
    // SAFETY: `receive` looks the context up, and accepts any.
    call(|error| unsafe { sys::dagstore_log_set(level, callback, context, error) })?;
    let previous = std::mem::replace(&mut *current, next);
    drop(current);
    drop(previous);
    Ok(())
}

thread_local! {
    /// Whether this thread runs a receiver.
    static IS_RECEIVING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Passes a line to its receiver.
unsafe extern "C" fn receive(context: *mut c_void, level: i32, message: *const c_char) {
    ffi::run(|| {
        let Some(receiver) = RECEIVERS.find(context) else { return };
        // SAFETY: the library lends a text for the call.
        let message = unsafe { ffi::borrow_text(message) };
        IS_RECEIVING.set(true);
        let outcome = ffi::catch(|| receiver(LogLevel::new(level), message));
        IS_RECEIVING.set(false);
        if let Err(panic) = outcome {
            ffi::drop_panic(panic);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_of_another_abi_version_is_refused_with_both_versions() {
        for (abi_version, release) in [(0, "0.0.9"), (2, "3.4.5"), (1, "0.0.9")] {
            let error = compare(abi_version, release).unwrap_err();
            assert_eq!(error.code(), ErrorCode::IncompatibleLibrary);
            let library = format!("libdagstore {release} has ABI version {abi_version}");
            assert!(error.message().contains(&library), "{error}");
            assert!(error.message().contains("ABI version 1 of release 0.1.0"), "{error}");
        }
    }

    #[test]
    fn later_releases_of_the_abi_version_are_accepted() {
        for release in ["0.1.0", "0.1.1", "0.2", "1.0.0-rc1", "10.0.0"] {
            assert_eq!(compare(sys::DAGSTORE_ABI_VERSION, release), Ok(()));
        }
    }

    #[test]
    fn the_loaded_library_fits() {
        assert_eq!(check(), Ok(()));
        assert_eq!(abi_version(), sys::DAGSTORE_ABI_VERSION);
        assert!(version().starts_with(|character: char| character.is_ascii_digit()));
    }
}
