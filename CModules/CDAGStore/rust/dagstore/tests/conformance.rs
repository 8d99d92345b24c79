//! Runs the conformance table, which all bindings of the library share.

mod support;

use std::collections::HashMap;
use std::fmt::Write;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use dagstore::{
    Access, Car, CheckOptions, Cid, CidList, Config, Error, ErrorCode, Indexing, Mount, MountError,
    MountRequest, MountStat, Policy, RegisterOptions, Result, Shard, Shutdown, Source, State,
    Store, Verification,
};
use support::Folder;

/// The arguments of a step.
type Fields = HashMap<String, String>;

/// Reads a line of the table: a flat JSON object whose names and values are strings.
fn parse(line: &str) -> Option<Fields> {
    let mut rest = line.trim().strip_prefix('{')?.trim_start();
    let mut fields = Fields::new();
    while !rest.starts_with('}') {
        let (name, after) = parse_text(rest)?;
        let (value, after) = parse_text(after.trim_start().strip_prefix(':')?.trim_start())?;
        fields.insert(name, value);
        let after = after.trim_start();
        rest = after.strip_prefix(',').unwrap_or(after).trim_start();
    }
    (rest == "}").then_some(fields)
}

/// Reads a JSON string, and returns what follows it.
fn parse_text(json: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut characters = json.strip_prefix('"')?.chars();
    loop {
        match characters.next()? {
            '"' => return Some((text, characters.as_str())),
            '\\' => match characters.next()? {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'u' => {
                    let code = u32::from_str_radix(characters.as_str().get(..4)?, 16).ok()?;
                    text.push(char::from_u32(code)?);
                    characters.nth(3)?;
                }
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
}

/// Writes bytes in hex.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Reads bytes in hex.
fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().map(|digit| digit.to_digit(16).unwrap()).collect();
    digits.chunks_exact(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

/// Joins the words of a list; `-` for the empty list.
fn list(words: impl IntoIterator<Item = impl ToString>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| word.to_string()).collect();
    match words.is_empty() {
        true => "-".into(),
        false => words.join(" "),
    }
}

/// Reads a CID: its text, or `0x` and any bytes.
fn cid(text: &str) -> Result<Vec<u8>> {
    match text.strip_prefix("0x") {
        Some(digits) => Ok(unhex(digits)),
        None => Ok(text.parse::<Cid>()?.as_bytes().to_vec()),
    }
}

fn name_of(state: Option<State>) -> &'static str {
    match state {
        None => "none",
        Some(State::Registered) => "registered",
        Some(State::Initializing) => "initializing",
        Some(State::Available) => "available",
        Some(State::Serving) => "serving",
        Some(State::Recovering) => "recovering",
        Some(State::Failed) => "failed",
        Some(_) => "unknown",
    }
}

/// Reads files through URLs such as `random:///path`.
struct Files(Access);

fn path_of<'a>(request: &MountRequest<'a>) -> &'a str {
    request.url().split_once("://").map_or("", |(_, path)| path)
}

impl Mount for Files {
    fn access(&self, _url: &str) -> Access {
        self.0
    }

    fn stat(&self, request: &MountRequest<'_>) -> std::result::Result<MountStat, MountError> {
        Ok(MountStat::new(fs::metadata(path_of(request))?.len()))
    }

    fn open(&self, request: &MountRequest<'_>) -> std::result::Result<Source, MountError> {
        let file = File::open(path_of(request))?;
        Ok(match self.0 {
            Access::Random => Source::random(file),
            _ => Source::reader(file, None),
        })
    }
}

/// The state of the steps.
struct Runner {
    folder: Folder,
    store: Option<Store>,
    leases: HashMap<String, Shard>,
    last_error: Option<Error>,
}

impl Runner {
    /// Runs a step, and returns its result.
    fn run(&mut self, fields: &Fields) -> String {
        match self.step(fields) {
            Ok(result) => result,
            Err(error) => {
                let name = error.code().name().to_string();
                self.last_error = Some(error);
                name
            }
        }
    }

    fn store(&self) -> &Store {
        self.store.as_ref().expect("the table opens a store first")
    }

    fn step(&mut self, fields: &Fields) -> Result<String> {
        let op = fields["op"].as_str();
        let directory = self.folder.path().to_str().unwrap();
        let get = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
        let place = |name: &str| get(name).replace("$DIR", directory);
        match op {
            "file" => file(Path::new(&place("path")), &unhex(get("hex"))),
            "remove" => fs::remove_file(place("path")),
            "truncate" => truncate(&place("path"), get("size").parse().unwrap()),
            _ => {
                let arguments: Fields =
                    fields.keys().map(|name| (name.clone(), place(name))).collect();
                return self.call(op, &arguments);
            }
        }
        .unwrap();
        Ok("ok".into())
    }

    fn call(&mut self, op: &str, fields: &Fields) -> Result<String> {
        let get = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
        if let Some(op) = op.strip_prefix("lease.") {
            return lease(&self.leases[get("lease")], op, fields);
        }
        let (key, url) = (get("key"), get("url"));
        let done = match op {
            "open" => {
                self.store = Some(open(get("path"), get("flags"))?);
                Ok(())
            }
            "close" => {
                self.store = None;
                Ok(())
            }
            "shutdown" => self.store().shutdown(Shutdown::Wait),
            "acquire" => {
                let timeout = get("timeout").parse().ok().map(Duration::from_millis);
                let shard = self.store().acquire(key, timeout)?;
                self.leases.insert(get("lease").into(), shard);
                Ok(())
            }
            "release" => {
                self.leases.remove(get("lease")).expect("the table acquires a lease first");
                Ok(())
            }
            "register" => self.store().register_with(key, url, options(get("how"))),
            "initialize" => self.store().initialize(key),
            "recover" => self.store().recover(key),
            "destroy" => self.store().destroy(key),
            "relocate" => self.store().relocate(key, url),
            "policy" => self.store().set_policy(key, policy(get("policy"))),
            "error" => return Ok(self.error(get("field"))),
            "wait" => return self.wait(key, get("state")),
            _ => return self.query(op, fields),
        };
        done.map(|()| "ok".into())
    }

    /// Tells about the last error.
    fn error(&self, field: &str) -> String {
        let error = self.last_error.as_ref().expect("a step failed");
        match field {
            "offset" => list(error.offset()),
            _ => list(error.shard()),
        }
    }

    /// Waits until a shard has a state, for at most 30 seconds.
    fn wait(&self, key: &str, state: &str) -> Result<String> {
        let start = Instant::now();
        loop {
            let found = name_of(self.store().state(key)?);
            if found == state {
                return Ok("ok".into());
            }
            if start.elapsed() > Duration::from_secs(30) {
                return Ok(found.into());
            }
            thread::yield_now();
        }
    }

    /// Runs a step that only looks.
    fn query(&self, op: &str, fields: &Fields) -> Result<String> {
        let get = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
        let key = get("key");
        Ok(match op {
            "state" => name_of(self.store().state(key)?).into(),
            "info" => {
                let info = self.store().info(key)?;
                let code = info.error.map_or("ok", |error| error.code().name());
                let (blocks, size) = (info.block_count, info.payload_size);
                format!("{} {blocks} {size} {} {code}", name_of(Some(info.state)), info.references)
            }
            "shards" => {
                let infos: Result<Vec<_>> = self.store().shards()?.collect();
                list(infos?.iter().map(|info| &info.key))
            }
            "statistics" => statistics(self.store(), get("fields"))?,
            "collect" => {
                let garbage = self.store().collect_garbage(get("quota").parse().unwrap())?;
                list([garbage.removed, garbage.kept, garbage.in_use, garbage.failed])
            }
            "check" => {
                let mut options = CheckOptions::new();
                for flag in get("flags").split_whitespace() {
                    options = match flag {
                        "deep" => options.deep(),
                        _ => options.repair(),
                    };
                }
                let check = self.store().check(options)?;
                let soundness = ["unsound", "sound"][usize::from(check.is_sound)];
                format!("{soundness} {}", check.problems.len())
            }
            "multihashes" => multihashes(self.store(), key, get("after"))?,
            "multihash.offsets" => {
                let places: Result<Vec<_>> = self.store().multihashes(key, None)?.collect();
                list(places?.iter().map(|place| place.offset))
            }
            "get" => {
                let timeout = get("timeout").parse().ok().map(Duration::from_millis);
                hex(&self.store().get(cid(get("cid"))?, timeout)?)
            }
            "has" => self.store().contains(cid(get("cid"))?)?.to_string(),
            "size" => self.store().size(cid(get("cid"))?)?.to_string(),
            "find" => {
                let places: Result<Vec<_>> = self.store().find(cid(get("cid"))?)?.collect();
                list(places?.iter().map(|place| {
                    let at = place.location;
                    format!("{}:{}:{}:{}", place.key, at.offset, at.block_offset, at.block_size)
                }))
            }
            "holders" => list(self.store().holders(unhex(get("multihash")))?.iter()),
            _ => return outside(op, fields),
        })
    }
}

/// Writes a file. One that exists is replaced by rename, so that mapped bytes stay.
fn file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(path.parent().unwrap())?;
    let next = path.with_extension("next");
    fs::write(&next, bytes)?;
    fs::rename(next, path)
}

fn truncate(path: &str, size: u64) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.set_len(size)
}

fn open(path: &str, flags: &str) -> Result<Store> {
    let mut config = Config::new();
    for flag in flags.split_whitespace() {
        config = match flag {
            "readonly" => config.read_only(true),
            "leavesInterrupted" => config.leaves_interrupted(true),
            "unmapped" => config.unmapped(true),
            "refusesNullPadding" => config.refuses_null_padding(true),
            other => panic!("unknown flag {other}"),
        };
    }
    config
        .mount("sequential", Files(Access::Sequential))
        .mount("random", Files(Access::Random))
        .open(path)
}

fn options(how: &str) -> RegisterOptions {
    RegisterOptions::new().indexing(match how {
        "lazy" => Indexing::Lazy,
        "background" => Indexing::Background,
        _ => Indexing::Now,
    })
}

fn policy(name: &str) -> Policy {
    match name {
        "automatic" => Policy::Automatic,
        "remote" => Policy::Remote,
        "cache" => Policy::Cache,
        "copy" => Policy::Copy,
        other => panic!("unknown policy {other}"),
    }
}

fn statistics(store: &Store, fields: &str) -> Result<String> {
    let statistics = store.statistics()?;
    Ok(list(fields.split_whitespace().map(|field| match field {
        "shards" => statistics.shards,
        "available" => statistics.available,
        "failed" => statistics.failed,
        "blocks" => statistics.blocks,
        "leases" => statistics.leases,
        "payloadBytes" => statistics.payload_bytes,
        "transients" => statistics.transients,
        other => panic!("unknown field {other}"),
    })))
}

/// Lists multihashes; with `after`, those that follow a cursor's text after as many steps.
fn multihashes(store: &Store, key: &str, after: &str) -> Result<String> {
    let mut multihashes = store.multihashes(key, None)?;
    if let Ok(count) = after.parse() {
        for multihash in multihashes.by_ref().take(count) {
            multihash?;
        }
        let cursor = multihashes.cursor();
        if cursor.is_empty() {
            return Ok("-".into());
        }
        multihashes = store.multihashes(key, Some(&cursor))?;
    }
    let found: Result<Vec<_>> = multihashes.collect();
    Ok(list(found?.iter().map(|place| hex(&place.multihash))))
}

/// Runs a step on a lease.
fn lease(shard: &Shard, op: &str, fields: &Fields) -> Result<String> {
    let wanted = || cid(&fields["cid"]);
    Ok(match op {
        "key" => shard.key()?,
        "count" => shard.block_count().to_string(),
        "roots" => list(shard.roots()?),
        "contains" => shard.contains(wanted()?)?.to_string(),
        "locate" => {
            let location = shard.locate(wanted()?)?;
            list([location.offset, location.block_offset, location.block_size])
        }
        "get" => hex(&shard.get(wanted()?)?),
        "read" => hex(&shard.read(wanted()?)?),
        "verified" => hex(&shard.get(wanted()?)?.verified(wanted()?)?),
        "get_many" | "read_many" => {
            let cids: Result<CidList> = fields["cids"].split_whitespace().map(cid).collect();
            let word = |result: std::result::Result<&[u8], ErrorCode>| match result {
                Ok([]) => "-".to_string(),
                Ok(bytes) => hex(bytes),
                Err(code) => code.name().to_string(),
            };
            match op {
                "get_many" => list(shard.get_many(&cids?)?.iter().map(word)),
                _ => list(shard.read_many(&cids?, &mut Vec::new())?.iter().map(word)),
            }
        }
        "offsets" => list(shard.offsets(wanted()?)?),
        "sections" => {
            let sections: Result<Vec<_>> = shard.sections()?.collect();
            list(sections?.iter().map(|section| {
                let at = section.location;
                format!("{}:{}:{}", section.cid, at.offset, at.block_size)
            }))
        }
        other => panic!("unknown step lease.{other}"),
    })
}

/// Runs a step without a store.
fn outside(op: &str, fields: &Fields) -> Result<String> {
    Ok(match op {
        "cid.parse" => hex(fields["text"].parse::<Cid>()?.as_bytes()),
        "cid.format" => Cid::from_bytes(unhex(&fields["cid"]))?.to_string(),
        "cid.split" => {
            let cid = Cid::from_bytes(unhex(&fields["cid"]))?;
            let parts = cid.parts();
            let (version, codec, hash_code) = (parts.version, parts.codec, parts.hash_code);
            format!("{version} {codec} {hash_code} {}", hex(parts.digest))
        }
        "cid.make" => {
            let codec = fields["codec"].parse().unwrap();
            hex(Cid::new(codec, unhex(&fields["multihash"]))?.as_bytes())
        }
        "car.inspect" => {
            let info = Car::open(&fields["path"])?.inspect()?;
            let version = u64::from(info.version);
            list([version, info.roots, info.sections, info.data_offset, info.data_size])
        }
        "car.verify" => {
            let mut counts = Verification::default();
            Car::open(&fields["path"])?.verify(0, &mut counts)?;
            list([counts.sections, counts.unverified, counts.mismatches])
        }
        other => panic!("unknown step {other}"),
    })
}

#[test]
fn the_binding_passes_the_conformance_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../conformance/cases.jsonl");
    let table = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    dagstore::install_mapping_guard();
    let mut runner =
        Runner { folder: Folder::new(), store: None, leases: HashMap::new(), last_error: None };
    let (mut case, mut cases, mut steps, mut differences) = (String::new(), 0, 0, 0);
    for (index, line) in table.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let number = index + 1;
        let fields = parse(line).unwrap_or_else(|| panic!("line {number} is malformed"));
        if let Some(name) = fields.get("case") {
            case.clone_from(name);
            cases += 1;
        }
        let found = runner.run(&fields);
        match found == fields["is"] {
            true => steps += 1,
            false => {
                differences += 1;
                println!("{number}: {case}: expected {:?}, found {found:?}", fields["is"]);
            }
        }
    }
    println!("conformance: {cases} cases, {steps} steps passed");
    assert!(differences == 0 && steps > 0, "{differences} steps differ");
}

#[test]
fn lines_of_the_table_are_parsed() {
    let fields = parse(r#"{"a": "b\"\\\n\t\u00e9", "c":"", "é": "ключ"}"#).unwrap();
    assert_eq!((fields["a"].as_str(), fields["c"].as_str()), ("b\"\\\n\té", ""));
    assert_eq!((fields.len(), fields["é"].as_str()), (3, "ключ"));
    for bad in ["", "{", r#"{"a"}"#, r#"{"a": 1}"#, r#"{"a": "b"} x"#, r#"{"a": "\u00e"}"#] {
        assert_eq!(parse(bad), None, "{bad}");
    }
}
