//! Registers a CAR, reads and verifies every block, and shows what errors look like.
//!
//!     rustc --edition 2021 -L native=$PREFIX/lib example.rs -o example
//!     LD_LIBRARY_PATH=$PREFIX/lib ./example STORE_DIRECTORY /absolute/path/of/some.car

use std::ffi::{c_char, c_void, CStr, CString};
use std::ptr::{null, null_mut};

type Status = i32;
type Handle = *mut c_void;

const DONE: Status = 1;
const SHARD_UNKNOWN: Status = -1;
const INVALID_CID: Status = -12;
const SHARD_EXISTS: Status = -16;
const ABI_VERSION: u32 = 1;

#[repr(C)]
struct Bytes {
    data: *const u8,
    size: usize,
}

#[repr(C)]
struct Entry {
    size: u32,
    reserved: u32,
    cid: Bytes,
    offset: u64,
    block_offset: u64,
    block_size: u64,
}

#[repr(C)]
struct Location {
    size: u32,
    reserved: u32,
    offset: u64,
    block_offset: u64,
    block_size: u64,
}

#[repr(C)]
struct Place {
    size: u32,
    reserved: u32,
    key: *const c_char,
    offset: u64,
    block_offset: u64,
    block_size: u64,
}

#[link(name = "dagstore")]
extern "C" {
    fn dagstore_abi_version() -> u32;
    fn dagstore_live_handles() -> u64;
    fn dagstore_status_name(status: Status) -> *const c_char;
    fn dagstore_error_message(error: Handle) -> *const c_char;
    fn dagstore_error_release(error: Handle);
    fn dagstore_open(path: *const c_char, config: *const c_void, store: *mut Handle, error: *mut Handle) -> Status;
    fn dagstore_close(store: Handle);
    fn dagstore_register(store: Handle, key: *const c_char, url: *const c_char, flags: u32, error: *mut Handle) -> Status;
    fn dagstore_destroy(store: Handle, key: *const c_char, error: *mut Handle) -> Status;
    fn dagstore_acquire(store: Handle, key: *const c_char, timeout: u32, shard: *mut Handle, error: *mut Handle) -> Status;
    fn dagstore_shard_release(shard: Handle);
    fn dagstore_shard_block_count(shard: Handle) -> u64;
    fn dagstore_shard_root_count(shard: Handle) -> usize;
    fn dagstore_shard_root(shard: Handle, index: usize, buffer: *mut u8, capacity: usize, size: *mut usize, error: *mut Handle) -> Status;
    fn dagstore_shard_locate(shard: Handle, cid: *const u8, size: usize, location: *mut Location, error: *mut Handle) -> Status;
    fn dagstore_shard_get(shard: Handle, cid: *const u8, size: usize, block: *mut Handle, error: *mut Handle) -> Status;
    fn dagstore_shard_read(shard: Handle, cid: *const u8, cid_size: usize, buffer: *mut u8, capacity: usize, size: *mut usize, error: *mut Handle) -> Status;
    fn dagstore_block_bytes(block: Handle) -> Bytes;
    fn dagstore_block_verified(block: Handle, cid: *const u8, size: usize, verified: *mut Handle, error: *mut Handle) -> Status;
    fn dagstore_block_release(block: Handle);
    fn dagstore_entries_open(shard: Handle, entries: *mut Handle, error: *mut Handle) -> Status;
    fn dagstore_entries_next(entries: Handle, entry: *mut Entry, error: *mut Handle) -> Status;
    fn dagstore_entries_close(entries: Handle);
    fn dagstore_get(store: Handle, cid: *const u8, size: usize, timeout: u32, block: *mut Handle, error: *mut Handle) -> Status;
    fn dagstore_find(store: Handle, cid: *const u8, size: usize, places: *mut Handle, error: *mut Handle) -> Status;
    fn dagstore_places_next(places: Handle, place: *mut Place, error: *mut Handle) -> Status;
    fn dagstore_places_close(places: Handle);
    fn dagstore_cid_parse(text: *const c_char, buffer: *mut u8, capacity: usize, size: *mut usize, error: *mut Handle) -> Status;
    fn dagstore_cid_format(cid: *const u8, cid_size: usize, buffer: *mut u8, capacity: usize, size: *mut usize, error: *mut Handle) -> Status;
}

/// The error of a call.
#[derive(Debug)]
struct Error {
    status: Status,
    message: String,
}

/// Calls a function of the library with the place for its error.
fn call(function: impl FnOnce(*mut Handle) -> Status) -> Result<Status, Error> {
    let mut error = null_mut();
    let status = function(&mut error);
    if status >= 0 {
        return Ok(status);
    }
    // SAFETY: the message is valid until the error is released, once, below.
    let message = unsafe { CStr::from_ptr(dagstore_error_message(error)) }.to_string_lossy().into_owned();
    unsafe { dagstore_error_release(error) };
    Err(Error { status, message })
}

/// A block, released when it is dropped.
struct Block(Handle);

impl Block {
    fn bytes(&self) -> &[u8] {
        // SAFETY: the bytes are valid until the block is released, which takes `self`.
        unsafe {
            let bytes = dagstore_block_bytes(self.0);
            std::slice::from_raw_parts(bytes.data, bytes.size)
        }
    }

    fn verified(&self, cid: &[u8]) -> Result<Block, Error> {
        let mut block = null_mut();
        call(|error| unsafe { dagstore_block_verified(self.0, cid.as_ptr(), cid.len(), &mut block, error) })?;
        Ok(Block(block))
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        unsafe { dagstore_block_release(self.0) }
    }
}

/// A lease, released when it is dropped.
struct Shard(Handle);

impl Shard {
    fn get(&self, cid: &[u8]) -> Result<Block, Error> {
        let mut block = null_mut();
        call(|error| unsafe { dagstore_shard_get(self.0, cid.as_ptr(), cid.len(), &mut block, error) })?;
        Ok(Block(block))
    }

    fn root(&self, index: usize) -> Result<Vec<u8>, Error> {
        let mut root = vec![0; 96];
        let mut size = 0;
        call(|error| unsafe {
            dagstore_shard_root(self.0, index, root.as_mut_ptr(), root.len(), &mut size, error)
        })?;
        root.truncate(size);
        Ok(root)
    }

    fn walk(&self) -> Result<(), Error> {
        let mut entries = null_mut();
        call(|error| unsafe { dagstore_entries_open(self.0, &mut entries, error) })?;
        // SAFETY: zero is a value of every field.
        let mut entry: Entry = unsafe { std::mem::zeroed() };
        entry.size = std::mem::size_of::<Entry>() as u32;
        let (mut count, mut total) = (0, 0);
        while call(|error| unsafe { dagstore_entries_next(entries, &mut entry, error) })? != DONE {
            // SAFETY: the CID is valid until the next step.
            let cid = unsafe { std::slice::from_raw_parts(entry.cid.data, entry.cid.size) };
            total += self.get(cid)?.verified(cid)?.bytes().len();
            count += 1;
        }
        unsafe { dagstore_entries_close(entries) };
        println!("walked {count} entries, {total} bytes, verified");
        Ok(())
    }
}

impl Drop for Shard {
    fn drop(&mut self) {
        unsafe { dagstore_shard_release(self.0) }
    }
}

/// A store, closed when it is dropped.
struct Store(Handle);

impl Store {
    fn open(directory: &str) -> Result<Store, Error> {
        let path = CString::new(directory).unwrap();
        let mut store = null_mut();
        call(|error| unsafe { dagstore_open(path.as_ptr(), null(), &mut store, error) })?;
        Ok(Store(store))
    }

    fn register(&self, key: &CStr, url: &CStr) -> Result<Status, Error> {
        call(|error| unsafe { dagstore_register(self.0, key.as_ptr(), url.as_ptr(), 0, error) })
    }

    fn acquire(&self, key: &CStr, timeout: u32) -> Result<Shard, Error> {
        let mut shard = null_mut();
        call(|error| unsafe { dagstore_acquire(self.0, key.as_ptr(), timeout, &mut shard, error) })?;
        Ok(Shard(shard))
    }

    fn look(&self, shard: &Shard, cid: &[u8]) -> Result<(), Error> {
        // SAFETY: zero is a value of every field, of both.
        let mut location: Location = unsafe { std::mem::zeroed() };
        location.size = std::mem::size_of::<Location>() as u32;
        call(|error| unsafe { dagstore_shard_locate(shard.0, cid.as_ptr(), cid.len(), &mut location, error) })?;
        let mut copy = vec![0; location.block_size as usize];
        let mut size = 0;
        call(|error| unsafe {
            dagstore_shard_read(shard.0, cid.as_ptr(), cid.len(), copy.as_mut_ptr(), copy.len(), &mut size, error)
        })?;

        let mut block = null_mut();
        call(|error| unsafe { dagstore_get(self.0, cid.as_ptr(), cid.len(), 0, &mut block, error) })?;
        assert_eq!(Block(block).bytes(), copy);

        let mut places = null_mut();
        call(|error| unsafe { dagstore_find(self.0, cid.as_ptr(), cid.len(), &mut places, error) })?;
        let mut place: Place = unsafe { std::mem::zeroed() };
        place.size = std::mem::size_of::<Place>() as u32;
        call(|error| unsafe { dagstore_places_next(places, &mut place, error) })?;
        let key = unsafe { CStr::from_ptr(place.key) }.to_str().unwrap();
        println!("root {} at {}, {} bytes, in {}", text(cid)?, location.offset, size, key);
        unsafe { dagstore_places_close(places) };
        Ok(())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        unsafe { dagstore_close(self.0) }
    }
}

fn text(cid: &[u8]) -> Result<String, Error> {
    let mut text = vec![0; 256];
    let mut size = 0;
    call(|error| unsafe {
        dagstore_cid_format(cid.as_ptr(), cid.len(), text.as_mut_ptr(), text.len(), &mut size, error)
    })?;
    text.truncate(size - 1);
    Ok(String::from_utf8(text).unwrap())
}

fn expect<T>(status: Status, result: Result<T, Error>) {
    let error = result.err().expect("no error");
    assert!(error.status == status && !error.message.is_empty());
    // SAFETY: the name is a static text.
    println!("error {}", unsafe { CStr::from_ptr(dagstore_status_name(status)) }.to_str().unwrap());
}

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().collect();
    assert_eq!(arguments.len(), 3, "STORE_DIRECTORY CAR_FILE");
    assert_eq!(unsafe { dagstore_abi_version() }, ABI_VERSION);
    let url = CString::new(format!("file://{}", arguments[2])).unwrap();

    let store = Store::open(&arguments[1])?;
    store.register(c"example", &url)?;
    let shard = store.acquire(c"example", 10_000)?;
    println!("blocks {}", unsafe { dagstore_shard_block_count(shard.0) });
    shard.walk()?;
    for index in 0..unsafe { dagstore_shard_root_count(shard.0) } {
        store.look(&shard, &shard.root(index)?)?;
    }

    expect(SHARD_UNKNOWN, store.acquire(c"nobody", 0));
    let mut size = 0;
    expect(INVALID_CID, call(|error| unsafe {
        dagstore_cid_parse(c"not a CID".as_ptr(), null_mut(), 0, &mut size, error)
    }));
    expect(SHARD_EXISTS, store.register(c"example", &url));

    drop(shard);
    call(|error| unsafe { dagstore_destroy(store.0, c"example".as_ptr(), error) })?;
    drop(store);
    println!("{} handles left", unsafe { dagstore_live_handles() });
    Ok(())
}
