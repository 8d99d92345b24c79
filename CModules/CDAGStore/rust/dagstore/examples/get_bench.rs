//! Times the ways to read blocks, on a store that another program filled.
//!
//!     get_bench STORE KEY CIDS_FILE CID_SIZE [THREADS]
//!
//! The file has the binary CIDs of blocks of the shard, all of one size, one directly after the other.
//! Each way first makes a pass that warms. The program prints a line for each way, with nanoseconds a
//! block. With THREADS it prints another line, such as `copy.16`, in which each thread reads all blocks,
//! and the time is divided by the blocks of all.
//!
//! - `copy`: copies a block into a buffer.
//! - `view`: gets a block and drops it.
//! - `batch`: gets blocks, 1,024 a call.
//! - `acquire`: acquires a lease and drops it.
//! - `holders`: finds the shards that have a block.

use std::time::Instant;
use std::{env, error, fs, process, thread};

use dagstore::{Cid, CidList, Holders, Result, Shard, Store};

/// The CIDs of a call of `get_many`.
const BATCH_SIZE: usize = 1024;

/// The state that the threads share.
struct Bench {
    store: Store,
    key: String,
    shard: Shard,
    cids: Vec<u8>,
    cid_size: usize,
    multihash_offset: usize,
}

/// Reads all blocks in one way, and returns a number that is the same in each pass.
type Pass = fn(&Bench) -> Result<usize>;

impl Bench {
    fn cids(&self) -> impl Iterator<Item = &[u8]> {
        self.cids.chunks_exact(self.cid_size)
    }

    fn copy(&self) -> Result<usize> {
        let (mut total, mut buffer) = (0, vec![0; 8 << 20]);
        for cid in self.cids() {
            total += self.shard.read_into(cid, &mut buffer)?;
        }
        Ok(total)
    }

    fn view(&self) -> Result<usize> {
        let mut total = 0;
        for cid in self.cids() {
            total += self.shard.get(cid)?.len();
        }
        Ok(total)
    }

    fn batch(&self) -> Result<usize> {
        let (mut total, mut list) = (0, CidList::with_capacity(BATCH_SIZE));
        for cids in self.cids.chunks(BATCH_SIZE * self.cid_size) {
            list.clear();
            list.extend(cids.chunks_exact(self.cid_size));
            let blocks = self.shard.get_many(&list)?;
            total += blocks.iter().flatten().map(<[u8]>::len).sum::<usize>();
        }
        Ok(total)
    }

    fn acquire(&self) -> Result<usize> {
        let mut total = 0;
        for _ in self.cids() {
            self.store.acquire(&self.key, None)?;
            total += 1;
        }
        Ok(total)
    }

    fn holders(&self) -> Result<usize> {
        let (mut total, mut holders) = (0, Holders::default());
        for cid in self.cids() {
            self.store.holders_into(&cid[self.multihash_offset..], &mut holders)?;
            total += holders.len();
        }
        Ok(total)
    }

    /// Runs a pass on some threads, and returns the nanoseconds a block.
    fn time(&self, pass: Pass, count: usize) -> Result<f64> {
        let warm = pass(self)?;
        let start = Instant::now();
        thread::scope(|scope| {
            let threads: Vec<_> =
                (0..count).map(|_| scope.spawn(move || pass(self))).collect();
            for thread in threads {
                assert_eq!(thread.join().expect("a pass panicked")?, warm);
            }
            Ok(())
        })?;
        let blocks = count * self.cids.len() / self.cid_size;
        Ok(start.elapsed().as_nanos() as f64 / blocks as f64)
    }
}

fn run(arguments: &[String]) -> std::result::Result<(), Box<dyn error::Error>> {
    let [_, path, key, file, cid_size, rest @ ..] = arguments else {
        return Err("usage: get_bench STORE KEY CIDS_FILE CID_SIZE [THREADS]".into());
    };
    let (cids, cid_size) = (fs::read(file)?, cid_size.parse::<usize>()?);
    let threads = rest.first().map(|text| text.parse::<usize>()).transpose()?;
    let first = Cid::from_bytes(cids.get(..cid_size).ok_or("the file has no CID")?)?;
    dagstore::install_mapping_guard();
    let store = Store::open(path)?;
    let bench = Bench {
        shard: store.acquire(key, None)?,
        store,
        key: key.clone(),
        multihash_offset: cid_size - first.multihash().len(),
        cids,
        cid_size,
    };
    let ways: [(&str, Pass); 5] = [
        ("copy", Bench::copy),
        ("view", Bench::view),
        ("batch", Bench::batch),
        ("acquire", Bench::acquire),
        ("holders", Bench::holders),
    ];
    for (name, pass) in ways {
        println!("{name} {:.1}", bench.time(pass, 1)?);
        if let Some(count) = threads {
            println!("{name}.{count} {:.1}", bench.time(pass, count)?);
        }
    }
    Ok(())
}

fn main() {
    if let Err(error) = run(&env::args().collect::<Vec<_>>()) {
        eprintln!("{error}");
        process::exit(1);
    }
}
