//! Callbacks: mounts, indexers, selections, observers, progress and garbage, also when they panic.

mod support;

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use dagstore::{
    Access, Config, ErrorCode, Indexed, Indexer, Indexing, IndexingCar, Mount, MountError,
    MountErrorKind, MountRequest, MountStat, RandomSource, RegisterOptions, Result, Shutdown,
    Source, State, Store,
};
use support::{Block, Folder, blocks, car, code, varint, wait_until};

type Outcome<T> = std::result::Result<T, MountError>;

/// A mount whose callbacks are closures of a test.
struct Closures<S, O> {
    access: Access,
    stat: S,
    open: O,
}

impl<S, O> Mount for Closures<S, O>
where
    S: Fn(&MountRequest<'_>) -> Outcome<MountStat> + Send + Sync + 'static,
    O: Fn(&MountRequest<'_>) -> Outcome<Source> + Send + Sync + 'static,
{
    fn access(&self, _url: &str) -> Access {
        self.access
    }

    fn stat(&self, request: &MountRequest<'_>) -> Outcome<MountStat> {
        (self.stat)(request)
    }

    fn open(&self, request: &MountRequest<'_>) -> Outcome<Source> {
        (self.open)(request)
    }
}

/// Counts how often it is dropped.
#[derive(Clone, Default)]
struct Drops(Arc<AtomicUsize>);

impl Drops {
    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Adds to the count when it is dropped.
struct Counted(Drops);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn random_sources_are_read_in_place() {
    let folder = Folder::new();
    let blocks = blocks(300, 1000);
    let bytes = car(&[], &blocks);
    let (drops, keys) = (Drops::default(), Arc::new(Mutex::new(Vec::new())));
    let (counted, seen) = (Counted(drops.clone()), Arc::clone(&keys));
    let size = bytes.len() as u64;
    let mount = Closures {
        access: Access::Random,
        stat: move |_: &MountRequest<'_>| Ok(MountStat::new(size).validator("one")),
        open: move |request: &MountRequest<'_>| {
            let _ = &counted;
            seen.lock().unwrap().push((request.key().map(String::from), request.url().to_string()));
            Ok(Source::random(bytes.clone()))
        },
    };
    let store = folder.open(Config::new().mount("memory", mount));
    store.register("a", "memory://a.car").unwrap();
    let shard = store.acquire("a", None).unwrap();
    drop(store);
    assert_eq!(drops.count(), 0, "the lease keeps the mount");
    for block in &blocks {
        assert_eq!(*shard.get(&block.cid).unwrap(), block.bytes);
        assert_eq!(shard.read(&block.cid).unwrap(), block.bytes);
    }
    drop(shard);
    wait_until("the mount is dropped", || drops.count() == 1);
    let asked = keys.lock().unwrap();
    assert_eq!(asked[0], (Some("a".to_string()), "memory://a.car".to_string()));
}

#[test]
fn a_store_that_is_dropped_in_a_callback_keeps_its_closures_until_it_is_closed() {
    let folder = Folder::new();
    let urls: Vec<String> = (0..4)
        .map(|number| folder.car(&format!("{number}.car"), &[], &blocks(20 + number, 100)))
        .collect();
    let place: Arc<Mutex<Option<Store>>> = Arc::default();
    let gate = Arc::new(Barrier::new(2));
    let (drops, indexed) = (Drops::default(), Arc::new(AtomicUsize::new(0)));
    let indexer = {
        let (place, gate, indexed) = (Arc::clone(&place), Arc::clone(&gate), Arc::clone(&indexed));
        let counted = Counted(drops.clone());
        move |car: &mut IndexingCar<'_>| {
            let _ = &counted;
            if car.key() == "0" {
                gate.wait();
                drop(place.lock().unwrap().take());
            }
            indexed.fetch_add(1, Ordering::SeqCst);
            Ok(Indexed::Walk)
        }
    };
    // The other shards wait for the first one.
    let store = folder.open(Config::new().concurrent_indexing(1).indexer(indexer));
    for (number, url) in urls.iter().enumerate() {
        let options = RegisterOptions::new().indexing(Indexing::Background);
        store.register_with(&number.to_string(), url, options).unwrap();
    }
    *place.lock().unwrap() = Some(store);
    gate.wait();
    wait_until("the indexer is dropped", || drops.count() == 1);

    let store = Config::new().read_only(true).open(folder.join("store")).unwrap();
    let states: Vec<State> = store.shards().unwrap().map(|info| info.unwrap().state).collect();
    assert!(!states.contains(&State::Failed), "{states:?}");
    let available = states.iter().filter(|&&state| state == State::Available).count();
    assert_eq!(indexed.load(Ordering::SeqCst), available);
}

/// A random source whose reads fail when it is told so, and which counts them.
struct Failing {
    bytes: Vec<u8>,
    fails: Arc<AtomicBool>,
    reads: Arc<AtomicUsize>,
}

impl RandomSource for Failing {
    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Outcome<usize> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        match self.fails.load(Ordering::SeqCst) {
            true => Err(MountError::unreachable("away")),
            false => self.bytes.read_at(offset, buffer),
        }
    }
}

#[test]
fn a_failing_call_reads_the_source_once() {
    let folder = Folder::new();
    let blocks = blocks(10, 3000);
    let bytes = car(&[], &blocks);
    let (fails, reads) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (failing, counted) = (Arc::clone(&fails), Arc::clone(&reads));
    let mount = Closures {
        access: Access::Random,
        stat: |_: &MountRequest<'_>| Ok(MountStat::default()),
        open: move |_: &MountRequest<'_>| {
            let (fails, reads) = (Arc::clone(&failing), Arc::clone(&counted));
            Ok(Source::random(Failing { bytes: bytes.clone(), fails, reads }))
        },
    };
    let store = folder.open(Config::new().mount("memory", mount));
    store.register("a", "memory://a.car").unwrap();
    let shard = store.acquire("a", None).unwrap();
    let present = shard.get_if_present(&blocks[9].cid).unwrap().unwrap();
    assert_eq!(*present, blocks[9].bytes);
    assert!(shard.get_if_present(&Block::numbered(77, 10).cid).unwrap().is_none());
    assert!(store.get_if_present(&Block::numbered(77, 10).cid, None).unwrap().is_none());
    fails.store(true, Ordering::SeqCst);
    let cid = &blocks[9].cid;
    let count = |outcome: Result<()>| {
        assert_eq!(code(outcome), ErrorCode::MountUnreachable);
        reads.swap(0, Ordering::SeqCst)
    };
    reads.store(0, Ordering::SeqCst);
    assert_eq!(count(shard.get(cid).map(drop)), 1);
    assert_eq!(count(shard.get_if_present(cid).map(drop)), 1);
    assert_eq!(count(store.get(cid, None).map(drop)), 1);
    assert_eq!(count(store.get_if_present(cid, None).map(drop)), 1);
}

#[test]
fn an_indexer_reads_as_many_bytes_as_it_has_room_for() {
    let folder = Folder::new();
    let url = folder.car("a.car", &[], &blocks(10, 100));
    // Zeros are padding. The library reads at most 64 MiB a call.
    let size = 150 << 20;
    let file = File::options().write(true).open(folder.join("a.car")).unwrap();
    file.set_len(size).unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let counts = Arc::clone(&seen);
    let store = folder.open(Config::new().indexer(move |car: &mut IndexingCar<'_>| {
        let mut room = vec![1; size as usize];
        let counted = [car.read_at(5, &mut room)?, car.read_at(size - 2, &mut room)?];
        counts.lock().unwrap().extend(counted);
        assert_eq!(room.iter().rposition(|&byte| byte == 1), Some(size as usize - 1));
        Ok(Indexed::Walk)
    }));
    store.register("a", &url).unwrap();
    assert_eq!(*seen.lock().unwrap(), [size as usize - 5, 2]);
}

#[test]
fn sequential_sources_are_copied() {
    let folder = Folder::new();
    let blocks = blocks(3000, 100);
    let bytes = car(&[], &blocks);
    // A reader that gives few bytes at a time, and is interrupted now and then.
    struct Slow(io::Cursor<Vec<u8>>, usize);
    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 += 1;
            match self.1 % 3 {
                0 => Err(io::ErrorKind::Interrupted.into()),
                _ => {
                    let size = buffer.len().min(1000);
                    self.0.read(&mut buffer[..size])
                }
            }
        }
    }
    let mount = Closures {
        access: Access::Sequential,
        stat: |_: &MountRequest<'_>| Ok(MountStat::default()),
        open: move |_: &MountRequest<'_>| {
            Ok(Source::reader(Slow(io::Cursor::new(bytes.clone()), 0), None))
        },
    };
    let store = folder.open(Config::new().mount("pipe", mount));
    store.register("a", "pipe://a.car").unwrap();
    assert!(store.info("a").unwrap().transient.unwrap().is_file());
    let shard = store.acquire("a", None).unwrap();
    assert!(blocks.iter().all(|block| *shard.get(&block.cid).unwrap() == block.bytes));
}

#[test]
fn file_sources_are_mapped_and_one_mount_has_all_kinds() {
    struct Mixed(std::path::PathBuf);
    impl Mount for Mixed {
        fn access(&self, url: &str) -> Access {
            match url {
                "mixed://file" => Access::File,
                "mixed://random" => Access::Random,
                _ => Access::Sequential,
            }
        }
        fn stat(&self, _request: &MountRequest<'_>) -> Outcome<MountStat> {
            Ok(MountStat::new(self.0.metadata()?.len()))
        }
        fn open(&self, request: &MountRequest<'_>) -> Outcome<Source> {
            Ok(match self.access(request.url()) {
                Access::File => Source::File(self.0.clone()),
                Access::Random => Source::random(File::open(&self.0)?),
                Access::Sequential => Source::reader(File::open(&self.0)?, None),
            })
        }
    }
    let folder = Folder::new();
    let blocks = blocks(300, 100);
    folder.car("a.car", &[], &blocks);
    let store = folder.open(Config::new().mount("mixed", Mixed(folder.join("a.car"))));
    for key in ["file", "random", "sequential"] {
        store.register(key, &format!("mixed://{key}")).unwrap();
        let shard = store.acquire(key, None).unwrap();
        assert!(blocks.iter().all(|block| *shard.get(&block.cid).unwrap() == block.bytes));
        let has_copy = store.info(key).unwrap().transient.is_some();
        assert_eq!(has_copy, key == "sequential");
    }
}

#[test]
fn errors_of_mounts_keep_kind_and_message() {
    let kinds = [
        (MountErrorKind::Gone, ErrorCode::MountGone),
        (MountErrorKind::Unreachable, ErrorCode::MountUnreachable),
        (MountErrorKind::FetchFailed, ErrorCode::FetchFailed),
        (MountErrorKind::TimedOut, ErrorCode::FetchTimedOut),
        (MountErrorKind::SourceChanged, ErrorCode::SourceChanged),
    ];
    for (kind, expected) in kinds {
        let folder = Folder::new();
        let mount = Closures {
            access: Access::Random,
            stat: |_: &MountRequest<'_>| Ok(MountStat::new(100)),
            open: move |_: &MountRequest<'_>| Err(MountError::new(kind, "the door\0is shut")),
        };
        let store = folder.open(Config::new().mount("bad", mount));
        let error = store.register("a", "bad://a").unwrap_err();
        assert_eq!(error.code(), expected, "{error}");
        assert!(error.message().contains("the door\u{fffd}is shut"), "{error}");
        assert_eq!(error.shard(), Some("a"));
    }
    let not_found = MountError::from(io::Error::from(io::ErrorKind::NotFound));
    assert_eq!(not_found.kind(), MountErrorKind::Gone);
    let timed_out = MountError::from(io::Error::from(io::ErrorKind::TimedOut));
    assert_eq!(timed_out.kind(), MountErrorKind::TimedOut);
    let other = MountError::from(io::Error::other("out of paper"));
    assert_eq!((other.kind(), other.message()), (MountErrorKind::Unreachable, "out of paper"));
}

/// Where a mount panics.
#[derive(Clone, Copy, PartialEq)]
enum PanicIn {
    Access,
    Stat,
    Open,
    Read,
    Drop,
}

struct Panicking(PanicIn, Vec<u8>);

struct PanickingSource(PanicIn, Vec<u8>);

impl Mount for Panicking {
    fn access(&self, _url: &str) -> Access {
        match self.0 {
            PanicIn::Access => panic!("access panics"),
            _ => Access::Random,
        }
    }

    fn stat(&self, _request: &MountRequest<'_>) -> Outcome<MountStat> {
        assert!(self.0 != PanicIn::Stat, "stat {}", "panics");
        Ok(MountStat::new(self.1.len() as u64))
    }

    fn open(&self, _request: &MountRequest<'_>) -> Outcome<Source> {
        match self.0 {
            PanicIn::Open => std::panic::panic_any(7),
            _ => Ok(Source::random(PanickingSource(self.0, self.1.clone()))),
        }
    }
}

impl RandomSource for PanickingSource {
    fn size(&self) -> u64 {
        self.1.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Outcome<usize> {
        assert!(self.0 != PanicIn::Read, "read panics");
        self.1.read_at(offset, buffer)
    }
}

impl Drop for PanickingSource {
    fn drop(&mut self) {
        assert!(self.0 != PanicIn::Drop, "drop panics");
    }
}

#[test]
fn panics_of_mounts_become_errors() {
    let blocks = blocks(3, 100);
    for (place, message) in [
        (PanicIn::Access, "access panics"),
        (PanicIn::Stat, "stat panicked: stat panics"),
        (PanicIn::Open, "open panicked: a value that is not a text"),
        (PanicIn::Read, "read_at panicked: read panics"),
    ] {
        let folder = Folder::new();
        let mount = Panicking(place, car(&[], &blocks));
        let store = folder.open(Config::new().mount("panic", mount));
        let error = store.register("a", "panic://a").unwrap_err();
        assert!(error.message().contains(message), "{error}");
        if place != PanicIn::Access {
            assert_eq!(error.code(), ErrorCode::FetchFailed, "{error}");
        }
        assert_eq!(store.state("a").unwrap(), Some(State::Failed));
    }
    // A source that panics when it is dropped has given its bytes.
    let folder = Folder::new();
    let mount = Panicking(PanicIn::Drop, car(&[], &blocks));
    let store = folder.open(Config::new().mount("panic", mount));
    store.register("a", "panic://a").unwrap();
    assert_eq!(*store.get(&blocks[0].cid, None).unwrap(), blocks[0].bytes);
}

#[test]
fn wrong_results_of_mounts_become_errors() {
    struct Liar;
    impl RandomSource for Liar {
        fn size(&self) -> u64 {
            1000
        }
        fn read_at(&self, _offset: u64, buffer: &mut [u8]) -> Outcome<usize> {
            Ok(buffer.len() + 1)
        }
    }
    type Open = Box<dyn Fn() -> Source + Send + Sync>;
    let cases: [(&str, Open); 4] = [
        ("a read says that it wrote", Box::new(|| Source::random(Liar))),
        ("open gave a Sequential source", Box::new(|| Source::reader(io::empty(), None))),
        ("open gave a File source", Box::new(|| Source::File("/a.car".into()))),
        ("0", Box::new(|| Source::random(Vec::new()))),
    ];
    for (message, open) in cases {
        let folder = Folder::new();
        let mount = Closures {
            access: Access::Random,
            stat: |_: &MountRequest<'_>| Ok(MountStat::default()),
            open: move |_: &MountRequest<'_>| Ok(open()),
        };
        let store = folder.open(Config::new().mount("liar", mount));
        let error = store.register("a", "liar://a").unwrap_err();
        assert!(error.message().contains(message), "{error}");
    }
    for (path, validator) in [("/x".repeat(3000), ""), ("/a\0b".into(), ""), ("/a".into(), "long")]
    {
        let folder = Folder::new();
        let validator = validator.repeat(64);
        let mount = Closures {
            access: Access::File,
            stat: move |_: &MountRequest<'_>| Ok(MountStat::new(9).validator(validator.clone())),
            open: move |_: &MountRequest<'_>| Ok(Source::File(path.clone().into())),
        };
        let store = folder.open(Config::new().mount("liar", mount));
        let error = store.register("a", "liar://a").unwrap_err();
        assert!(error.message().contains("bytes; it may have"), "{error}");
    }
}

#[test]
fn schemes_are_checked_and_refused_mounts_dropped() {
    let folder = Folder::new();
    let drops = Drops::default();
    for scheme in ["", "UPPER", "file", "a b", "a\0"] {
        let counted = Counted(drops.clone());
        let mount = Closures {
            access: Access::Random,
            stat: |_: &MountRequest<'_>| Ok(MountStat::default()),
            open: move |_: &MountRequest<'_>| {
                let _ = &counted;
                Err(MountError::unreachable("never opened"))
            },
        };
        let opened = Config::new().mount(scheme, mount).open(folder.join("store"));
        let expected = match scheme {
            "a\0" => ErrorCode::NulByte,
            _ => ErrorCode::InvalidArgument,
        };
        assert_eq!(code(opened), expected, "{scheme:?}");
    }
    wait_until("the mounts are dropped", || drops.count() == 5);
}

/// A source whose read waits until it is interrupted.
struct Stuck(Arc<(AtomicBool, Mutex<bool>, Condvar)>);

impl RandomSource for Stuck {
    fn size(&self) -> u64 {
        1000
    }

    fn read_at(&self, _offset: u64, _buffer: &mut [u8]) -> Outcome<usize> {
        let (is_reading, is_interrupted, changed) = &*self.0;
        is_reading.store(true, Ordering::SeqCst);
        let mut interrupted = is_interrupted.lock().unwrap();
        while !*interrupted {
            interrupted = changed.wait(interrupted).unwrap();
        }
        Err(MountError::unreachable("interrupted"))
    }

    fn interrupt(&self) {
        *self.0.1.lock().unwrap() = true;
        self.0.2.notify_all();
    }
}

#[test]
fn a_store_that_closes_interrupts_reads() {
    let folder = Folder::new();
    let shared = Arc::new((AtomicBool::new(false), Mutex::new(false), Condvar::new()));
    let source = Arc::clone(&shared);
    let mount = Closures {
        access: Access::Random,
        stat: |_: &MountRequest<'_>| Ok(MountStat::default().not_ready()),
        open: move |_: &MountRequest<'_>| Ok(Source::random(Stuck(Arc::clone(&source)))),
    };
    let store = folder.open(Config::new().mount("stuck", mount));
    let waiter = {
        let store = store.clone();
        thread::spawn(move || store.register("a", "stuck://a"))
    };
    wait_until("the source is read", || shared.0.load(Ordering::SeqCst));
    store.shutdown(Shutdown::Cancel).unwrap();
    assert!(waiter.join().unwrap().is_err());
    wait_until("the read is interrupted", || *shared.1.lock().unwrap());
}

/// Adds the first sections of CARs that the tests write.
struct Walker {
    count: usize,
}

impl Indexer for Walker {
    fn index(&self, car: &mut IndexingCar<'_>) -> Result<Indexed> {
        assert!(car.key() == "a" && car.mount_url().starts_with("file:///"));
        assert_eq!((car.payload_offset(), car.payload_size()), (0, car.size()));
        let mut bytes = vec![0; car.size() as usize];
        assert_eq!(car.read_at(0, &mut bytes)?, bytes.len());
        let read_varint = |at: usize| {
            let size = bytes[at..].iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
            let digits = bytes[at..at + size].iter().rev();
            (size, digits.fold(0, |number, byte| number << 7 | usize::from(byte & 0x7f)))
        };
        let (size, header) = read_varint(0);
        let mut at = size + header;
        for _ in 0..self.count {
            let (size, section) = read_varint(at);
            let cid = &bytes[at + size..at + size + 36];
            car.add(cid, at as u64, (size + section) as u64)?;
            at += size + section;
        }
        Ok(Indexed::Complete)
    }
}

#[test]
fn an_indexer_supplies_the_sections() {
    let folder = Folder::new();
    let blocks = blocks(100, 200);
    let url = folder.car("a.car", &[], &blocks);
    let store = folder.open(Config::new().indexer(Walker { count: 99 }));
    store.register("a", &url).unwrap();
    let shard = store.acquire("a", None).unwrap();
    assert_eq!(shard.block_count(), 99);
    assert!(!shard.contains(&blocks[99].cid).unwrap());
    assert!(blocks[..99].iter().all(|block| *shard.get(&block.cid).unwrap() == block.bytes));
}

#[test]
fn an_indexer_may_walk_fail_or_panic() {
    let folder = Folder::new();
    let url = folder.car("a.car", &[], &blocks(3, 100));
    let index = |car: &mut IndexingCar<'_>| -> Result<Indexed> {
        assert_eq!(format!("{car:?}").split(',').count(), 3);
        match car.key() {
            "walk" => Ok(Indexed::Walk),
            "fail" => Err(dagstore::Error::new(ErrorCode::LimitExceeded, "too much")),
            "cid" => car.add(b"no CID", 18, 10).map(|()| Indexed::Complete),
            "place" => car.add(Block::raw("x").cid, 1 << 40, 10).map(|()| Indexed::Complete),
            "gap" => car.add(Block::raw("x").cid, 19, 40).map(|()| Indexed::Complete),
            _ => panic!("the indexer of a test panics"),
        }
    };
    let store = folder.open(Config::new().indexer(index));
    store.register("walk", &url).unwrap();
    assert_eq!(store.info("walk").unwrap().block_count, 3);
    for (key, expected, message) in [
        ("fail", ErrorCode::LimitExceeded, "too much"),
        ("cid", ErrorCode::InvalidCid, ""),
        ("place", ErrorCode::MalformedIndex, ""),
        ("gap", ErrorCode::MalformedIndex, ""),
        ("panic", ErrorCode::MalformedIndex, "the indexer panicked: the indexer of a test panics"),
    ] {
        let error = store.register(key, &url).unwrap_err();
        assert_eq!(error.code(), expected, "{error}");
        assert!(error.message().contains(message), "{error}");
    }
}

#[test]
fn the_selection_of_a_store_chooses_and_its_panic_reaches_the_caller() {
    let folder = Folder::new();
    let blocks = blocks(3, 100);
    let choice = Arc::new(AtomicUsize::new(0));
    let shared = Arc::clone(&choice);
    let drops = Drops::default();
    let counted = Counted(drops.clone());
    let store = folder.open(Config::new().select_shards(move |cid, keys| {
        let _ = &counted;
        assert_eq!(cid.parts().digest.len(), 32);
        match shared.load(Ordering::SeqCst) {
            99 => panic!("the selection of a test panics"),
            98 => Vec::new(),
            choice => keys.iter().position(|key| *key == ["a", "b"][choice]).into_iter().collect(),
        }
    }));
    store.register("a", &folder.car("a.car", &[], &blocks)).unwrap();
    store.register("b", &folder.car("b.car", &[], &blocks)).unwrap();
    for chosen in [0, 1] {
        choice.store(chosen, Ordering::SeqCst);
        let mut events = store.events(10).unwrap();
        assert_eq!(*store.get(&blocks[0].cid, None).unwrap(), blocks[0].bytes);
        let event = events.next_event(Some(Duration::from_secs(60))).unwrap().unwrap();
        assert_eq!(event.key, ["a", "b"][chosen]);
    }
    choice.store(98, Ordering::SeqCst);
    assert_eq!(code(store.get(&blocks[0].cid, None)), ErrorCode::BlockNotFound);
    assert!(store.get_if_present(&blocks[0].cid, None).unwrap().is_none());
    choice.store(99, Ordering::SeqCst);
    let panic = panic_of(|| drop(store.get(&blocks[0].cid, None)));
    assert_eq!(panic, "the selection of a test panics");
    let panic = panic_of(|| drop(store.get_if_present(&blocks[0].cid, None)));
    assert_eq!(panic, "the selection of a test panics");
    let single = || store.get_selecting(&blocks[0].cid, None, |_| panic!("one call's panic"));
    assert_eq!(panic_of(|| drop(single())), "one call's panic");
    choice.store(0, Ordering::SeqCst);
    assert!(store.get(&blocks[0].cid, None).is_ok());
    drop(store);
    assert_eq!(drops.count(), 1);
}

/// Gets a block when its thread ends.
struct GetsAtEnd {
    store: Store,
    cid: Vec<u8>,
    outcome: Arc<Mutex<Option<ErrorCode>>>,
}

impl Drop for GetsAtEnd {
    fn drop(&mut self) {
        *self.outcome.lock().unwrap() = Some(code(self.store.get(&self.cid, None)));
    }
}

thread_local! {
    static AT_END: Cell<Option<GetsAtEnd>> = const { Cell::new(None) };
}

#[test]
fn a_selection_may_panic_while_its_thread_ends() {
    let folder = Folder::new();
    let blocks = blocks(1, 10);
    let panics = Arc::new(AtomicBool::new(false));
    let is_on = Arc::clone(&panics);
    let store = folder.open(Config::new().select_shards(move |_, _| {
        assert!(!is_on.load(Ordering::SeqCst), "the selection of a test panics");
        vec![0]
    }));
    store.register("a", &folder.car("a.car", &[], &blocks)).unwrap();
    let seen: Arc<Mutex<Option<ErrorCode>>> = Arc::default();
    let (cid, outcome) = (blocks[0].cid.clone(), Arc::clone(&seen));
    let ending = thread::spawn(move || {
        // The last variable of a thread that was used ends first: that for the panic of a selection.
        AT_END.set(Some(GetsAtEnd { store: store.clone(), cid: cid.clone(), outcome }));
        store.get(&cid, None).unwrap();
        panics.store(true, Ordering::SeqCst);
    });
    ending.join().unwrap();
    assert_eq!(*seen.lock().unwrap(), Some(ErrorCode::BlockNotFound));
}

/// Runs a closure that must panic, and returns the text of the panic.
fn panic_of(body: impl FnOnce()) -> &'static str {
    let panic = catch_unwind(AssertUnwindSafe(body)).unwrap_err();
    panic.downcast_ref::<&'static str>().unwrap()
}

#[test]
fn observers_and_progress_may_panic() {
    let folder = Folder::new();
    let kinds = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&kinds);
    let store = folder.open(Config::new().observe(move |measurement| {
        seen.lock().unwrap().push((measurement.kind.to_string(), measurement.is_success));
        panic!("the observer of a test panics");
    }));
    let url = folder.car("a.car", &[], &support::unverifiable(40, 1 << 20));
    let options = RegisterOptions::new().progress(|_| panic!("the progress of a test panics"));
    store.register_with("a", &url, options).unwrap();
    assert_eq!(store.state("a").unwrap(), Some(State::Available));
    let expected = [("commit".to_string(), true), ("indexing".to_string(), true)];
    wait_until("the steps are observed", || {
        let kinds = kinds.lock().unwrap();
        expected.iter().all(|kind| kinds.contains(kind))
    });
}

#[test]
fn a_panic_of_a_collector_reaches_the_caller() {
    let folder = Folder::new();
    let bytes = car(&[], &blocks(3, 100));
    let mount = Closures {
        access: Access::Sequential,
        stat: |_: &MountRequest<'_>| Ok(MountStat::default()),
        open: move |_: &MountRequest<'_>| Ok(Source::reader(io::Cursor::new(bytes.clone()), None)),
    };
    let store = folder.open(Config::new().mount("pipe", mount));
    for key in ["a", "b", "c"] {
        store.register(key, "pipe://a.car").unwrap();
    }
    let mut calls = 0;
    let text = panic_of(|| {
        let _ = store.collect_garbage_with(0, |_| {
            calls += 1;
            panic!("the collector of a test panics");
        });
    });
    assert_eq!((text, calls), ("the collector of a test panics", 1));
    assert_eq!(store.statistics().unwrap().transients, 0);
}

#[test]
fn callbacks_may_call_the_store_and_close_it() {
    let folder = Folder::new();
    let blocks = blocks(3, 100);
    let bytes = car(&[], &blocks);
    let place: Arc<Mutex<Option<dagstore::Store>>> = Arc::default();
    let shared = Arc::clone(&place);
    let mount = Closures {
        access: Access::Random,
        stat: |_: &MountRequest<'_>| Ok(MountStat::default()),
        open: move |request: &MountRequest<'_>| {
            // The last reference to the store, when the test has dropped its own.
            if let Some(store) = shared.lock().unwrap().take() {
                assert_eq!(store.state(request.key().unwrap()).unwrap(), Some(State::Initializing));
            }
            Ok(Source::random(bytes.clone()))
        },
    };
    let store = folder.open(Config::new().mount("memory", mount));
    let lazy = RegisterOptions::new().indexing(dagstore::Indexing::Lazy);
    store.register_with("a", "memory://a", lazy).unwrap();
    let mut operation = store.acquire_async("a");
    *place.lock().unwrap() = Some(store);
    let waker = std::task::Waker::noop();
    assert!(support::poll_once(&mut operation, waker).is_pending());
    drop(operation);
    wait_until("the callback has run", || place.lock().unwrap().is_none());
    wait_until("the store is closed", || dagstore::Store::open(folder.join("store")).is_ok());
}

#[test]
fn varints_of_the_test_support_are_right() {
    let mut bytes = Vec::new();
    [0, 127, 128, 300].iter().for_each(|&number| varint(number, &mut bytes));
    assert_eq!(bytes, [0, 127, 128, 1, 172, 2]);
}
