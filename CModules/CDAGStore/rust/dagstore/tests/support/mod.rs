//! Helpers of all tests: folders, CARs, SHA-256, and an executor for one future.
#![allow(dead_code)] // Each test program uses another part.

use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use dagstore::{
    Access, Config, Error, ErrorCode, Mount, MountError, MountRequest, MountStat, Source, Store,
};

/// A folder of one test, removed when it is dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("dagstore-test-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Opens a store in the folder.
    pub fn store(&self) -> Store {
        self.open(Config::new())
    }

    /// Opens a store in the folder with a configuration.
    pub fn open(&self, config: Config) -> Store {
        config.relaxed(true).open(self.join("store")).unwrap()
    }

    /// Writes a CAR, and returns its URL.
    pub fn car(&self, name: &str, roots: &[Vec<u8>], blocks: &[Block]) -> String {
        self.file(name, &car(roots, blocks))
    }

    /// Writes a file, and returns its URL.
    pub fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.join(name);
        fs::write(&path, bytes).unwrap();
        dagstore::file_url(path).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Another test may have ended the process in a fork, so a missing folder is no failure.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A CID and its block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub cid: Vec<u8>,
    pub bytes: Vec<u8>,
}

impl Block {
    /// A raw block with the SHA-256 of its bytes.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Block {
        let bytes = bytes.into();
        let mut cid = vec![1, 0x55, 0x12, 0x20];
        cid.extend_from_slice(&sha256(&bytes));
        Block { cid, bytes }
    }

    /// A raw block of `size` bytes that differ with `number`.
    pub fn numbered(number: u64, size: usize) -> Block {
        let seed = number.to_le_bytes();
        Block::raw(seed.iter().copied().cycle().take(size.max(8)).collect::<Vec<u8>>())
    }
}

/// Makes `count` blocks of `size` bytes whose CIDs have digests of other bytes.
pub fn unverifiable(count: u64, size: usize) -> Vec<Block> {
    let block = |number| Block { bytes: vec![number as u8; size], ..Block::numbered(number, 8) };
    (0..count).map(block).collect()
}

/// Makes `count` different blocks of `size` bytes.
pub fn blocks(count: u64, size: usize) -> Vec<Block> {
    (0..count).map(|number| Block::numbered(number, size)).collect()
}

/// Writes a varint.
pub fn varint(mut number: u64, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Writes the head of a DAG-CBOR item of up to 255 members or bytes.
fn cbor_head(kind: u8, count: usize, bytes: &mut Vec<u8>) {
    let count = u8::try_from(count).unwrap();
    match count < 24 {
        true => bytes.push(kind << 5 | count),
        false => bytes.extend([kind << 5 | 24, count]),
    }
}

/// Makes a CAR of version 1.
pub fn car(roots: &[Vec<u8>], blocks: &[Block]) -> Vec<u8> {
    let mut header = vec![0xa2, 0x65];
    header.extend_from_slice(b"roots");
    cbor_head(4, roots.len(), &mut header);
    for root in roots {
        header.extend([0xd8, 42]);
        cbor_head(2, root.len() + 1, &mut header);
        header.push(0);
        header.extend_from_slice(root);
    }
    header.push(0x67);
    header.extend_from_slice(b"version\x01");
    let mut bytes = Vec::new();
    varint(header.len() as u64, &mut bytes);
    bytes.extend_from_slice(&header);
    for block in blocks {
        varint((block.cid.len() + block.bytes.len()) as u64, &mut bytes);
        bytes.extend_from_slice(&block.cid);
        bytes.extend_from_slice(&block.bytes);
    }
    bytes
}

/// Returns the first 32 bits of the fractions of roots of the first primes.
fn fractions<const COUNT: usize>(root: fn(f64) -> f64) -> [u32; COUNT] {
    let mut primes = (2u32..).filter(|&number| (2..number).all(|divisor| number % divisor != 0));
    std::array::from_fn(|_| (root(f64::from(primes.next().unwrap())).fract() * 4294967296.0) as u32)
}

/// Computes SHA-256, as FIPS 180-4 defines it.
pub fn sha256(message: &[u8]) -> [u8; 32] {
    static INITIAL: LazyLock<[u32; 8]> = LazyLock::new(|| fractions(f64::sqrt));
    static CONSTANTS: LazyLock<[u32; 64]> = LazyLock::new(|| fractions(f64::cbrt));
    let (mut state, constants) = (*INITIAL, &*CONSTANTS);
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend_from_slice(&(message.len() as u64 * 8).to_be_bytes());
    for chunk in padded.chunks_exact(64) {
        let mut words = [0u32; 64];
        for (word, bytes) in words.iter_mut().zip(chunk.chunks_exact(4)) {
            *word = u32::from_be_bytes(bytes.try_into().unwrap());
        }
        for i in 16..64 {
            let (a, b) = (words[i - 15], words[i - 2]);
            let small = a.rotate_right(7) ^ a.rotate_right(18) ^ (a >> 3);
            let large = b.rotate_right(17) ^ b.rotate_right(19) ^ (b >> 10);
            words[i] =
                words[i - 16].wrapping_add(small).wrapping_add(words[i - 7]).wrapping_add(large);
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
        for i in 0..64 {
            let sum = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let choice = (e & f) ^ (!e & g);
            let first = h
                .wrapping_add(sum)
                .wrapping_add(choice)
                .wrapping_add(constants[i])
                .wrapping_add(words[i]);
            let sum = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let majority = (a & b) ^ (a & c) ^ (b & c);
            let second = sum.wrapping_add(majority);
            (h, g, f, e) = (g, f, e, d.wrapping_add(first));
            (d, c, b, a) = (c, b, a, first.wrapping_add(second));
        }
        for (word, next) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *word = word.wrapping_add(next);
        }
    }
    let mut digest = [0; 32];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

/// Wakes a thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future on this thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Counts how often a task was woken.
#[derive(Default)]
pub struct WakeCount(AtomicUsize);

impl WakeCount {
    pub fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for WakeCount {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Polls a future once.
pub fn poll_once<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// Waits until a condition holds, for at most a minute.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(60), "waited a minute until {what}");
        thread::yield_now();
    }
}

/// Returns the code of the error that a call must have.
#[track_caller]
pub fn code<T>(result: Result<T, Error>) -> ErrorCode {
    match result {
        Ok(_) => panic!("the call succeeded"),
        Err(error) => error.code(),
    }
}

/// A sequential mount of one CAR whose sources open when a test says so.
pub struct GatedMount {
    car: Vec<u8>,
    is_open: Mutex<bool>,
    opened: Condvar,
    waiting: AtomicUsize,
}

impl GatedMount {
    pub fn new(car: Vec<u8>) -> Arc<GatedMount> {
        let (is_open, opened) = (Mutex::new(false), Condvar::new());
        Arc::new(GatedMount { car, is_open, opened, waiting: AtomicUsize::new(0) })
    }

    /// Lets all sources open.
    pub fn open_gate(&self) {
        *self.is_open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    /// Returns the number of threads that began to wait for the gate.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }
}

impl Mount for GatedMount {
    fn access(&self, _url: &str) -> Access {
        Access::Sequential
    }

    fn stat(&self, _request: &MountRequest<'_>) -> Result<MountStat, MountError> {
        Ok(MountStat::new(self.car.len() as u64))
    }

    fn open(&self, _request: &MountRequest<'_>) -> Result<Source, MountError> {
        let mut is_open = self.is_open.lock().unwrap();
        self.waiting.fetch_add(1, Ordering::SeqCst);
        while !*is_open {
            is_open = self.opened.wait(is_open).unwrap();
        }
        Ok(Source::reader(std::io::Cursor::new(self.car.clone()), None))
    }
}

/// Returns the path of an example. `cargo test` builds the examples, unless it is told to run only some
/// test programs.
pub fn example(name: &str) -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let path = program.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(path.is_file(), "{} is missing: run `cargo build --examples`", path.display());
    path
}
