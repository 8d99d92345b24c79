//! Proves that the bindings match the installed header.
//!
//! A C program that this test writes includes the header, and declares all functions, callbacks and
//! fields again with the types of the bindings. The C compiler rejects a difference. The program then
//! prints sizes, offsets and constants, which the test compares with those of the Rust compiler.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::mem::{offset_of, size_of};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use dagstore_sys::*;

/// The text of the bindings, whose types the C compiler checks.
const BINDINGS: &str = include_str!("../src/bindings.rs");

/// The folder of the header that the crate was built with.
const INCLUDE: &str = env!("DAGSTORE_INCLUDE");

/// The folders of the library that the crate was built with, separated by colons.
const LIBRARY_FOLDERS: &str = env!("DAGSTORE_LIBRARY_FOLDERS");

/// Lists a struct's size, and the offset and size of each field, as the C program prints them.
macro_rules! layouts {
    ($($name:ident { $($field:ident),* })*) => {{
        let mut lines = BTreeMap::new();
        $(
            lines.insert(stringify!($name).to_string(), size_of::<$name>().to_string());
            let mut end = 0;
            $(
                let offset = offset_of!($name, $field);
                let size = size_of_field(|value: &$name| &raw const value.$field);
                assert_eq!(offset, end, "{}.{} is not next", stringify!($name), stringify!($field));
                end = offset + size;
                lines.insert(
                    format!("{}.{}", stringify!($name), stringify!($field)),
                    format!("{offset} {size}"),
                );
            )*
            assert_eq!(end, size_of::<$name>(), "{} has a gap at its end", stringify!($name));
        )*
        lines
    }};
}

/// Returns the size of the field that a function points to.
fn size_of_field<S, F>(_: fn(&S) -> *const F) -> usize {
    size_of::<F>()
}

/// Returns the layout of all structs. A struct without gaps has no field that is not listed.
fn layouts() -> BTreeMap<String, String> {
    layouts! {
        dagstore_bytes_t { data, size }
        dagstore_mount_stat_t { size, flags, bytes, validator }
        dagstore_mount_request_t { size, reserved, key, url }
        dagstore_mount_source_t { size, reserved, source, bytes, path }
        dagstore_mount_vtable_t {
            size, access, stat, open, read_at, close, interrupt, release, access_of, stat_shard,
            open_shard
        }
        dagstore_indexing_info_t {
            size, reserved, key, mount_url, bytes, payload_offset, payload_size
        }
        dagstore_config_t {
            size, flags, page_policy, recovery, map_size, sort_budget, page_cache_size,
            header_size_max, section_size_max, concurrent_indexing, concurrent_ready_fetches,
            automatic_recoveries, idle_shards_max, idle_bytes_max, idle_time_max_ms,
            transient_quota, transient_high_watermark, transient_low_watermark, mounts,
            select_shards, select_context, fetch_timeout_ms, remote_policy, reserved,
            remote_cache_size, observe, observe_context, index, index_context
        }
        dagstore_register_options_t {
            size, flags, existing_transient, progress, progress_context, policy, reserved
        }
        dagstore_location_t { size, reserved, offset, block_offset, block_size }
        dagstore_batch_item_t { data, offset, size, status, reserved }
        dagstore_entry_t { size, reserved, cid, offset, block_offset, block_size }
        dagstore_place_t { size, reserved, key, offset, block_offset, block_size }
        dagstore_info_t {
            size, state, flags, error_status, key, mount_url, transient, error_message, references,
            block_count, payload_size, index_size, state_since, policy, reserved, remote_requests,
            remote_bytes
        }
        dagstore_event_t {
            size, operation, state, error_status, number, references, key, error_message
        }
        dagstore_statistics_t {
            size, inverse_runs, shards, available, failed, blocks, payload_bytes, index_bytes,
            catalog_file_bytes, catalog_used_bytes, map_size, leases, open_shards, events_dropped,
            transients, transient_bytes, page_cache_hits, page_cache_misses, page_cache_bytes,
            inverse_entries, inverse_bytes, inverse_entries_added, inverse_entries_written,
            catalog_free_bytes, remote_requests, remote_bytes
        }
        dagstore_garbage_t { size, reserved, removed, removed_bytes, kept, in_use, failed }
        dagstore_check_t {
            size, is_sound, problems, shards, entries, blocks, bytes, skipped, stale_entries,
            failed, unread, unverified
        }
        dagstore_problem_t { size, reserved, kind, key, detail, repair }
        dagstore_cid_parts_t { size, version, codec, hash_code, multihash, digest }
        dagstore_car_info_t {
            size, version, flags, index_codec, roots, data_offset, data_size, index_offset,
            sections, identity_sections, duplicate_sections, block_size_min, block_size_max,
            null_padding
        }
        dagstore_car_verification_t { size, reserved, sections, unverified, mismatches }
    }
}

/// Lists the values of constants, as the C program prints them.
macro_rules! constants {
    ($($name:ident)*) => {
        BTreeMap::from([$((stringify!($name).to_string(), format!("{}", $name)),)*])
    };
}

fn constants() -> BTreeMap<String, String> {
    constants! {
        DAGSTORE_ABI_VERSION DAGSTORE_WAIT_FOREVER DAGSTORE_NO_LIMIT DAGSTORE_BATCH_MAX
        DAGSTORE_CID_SIZE
        DAGSTORE_OK DAGSTORE_DONE DAGSTORE_SHARD_UNKNOWN DAGSTORE_BLOCK_NOT_FOUND
        DAGSTORE_PATH_NOT_FOUND DAGSTORE_INVALID_ARGUMENT DAGSTORE_INVALID_KEY DAGSTORE_INVALID_CID
        DAGSTORE_INVALID_CONFIGURATION DAGSTORE_UNKNOWN_SCHEME DAGSTORE_UNSUPPORTED_HASH
        DAGSTORE_SHARD_EXISTS DAGSTORE_SHARD_IN_USE DAGSTORE_NOT_FAILED DAGSTORE_BUFFER_TOO_SMALL
        DAGSTORE_UNSUPPORTED_CODEC DAGSTORE_PATH_NOT_A_LINK DAGSTORE_MOUNT_UNREACHABLE
        DAGSTORE_MOUNT_GONE DAGSTORE_FETCH_FAILED DAGSTORE_FETCH_TIMED_OUT DAGSTORE_SOURCE_CHANGED
        DAGSTORE_MALFORMED_CAR DAGSTORE_TRUNCATED DAGSTORE_UNSUPPORTED_VERSION
        DAGSTORE_LIMIT_EXCEEDED DAGSTORE_HASH_MISMATCH DAGSTORE_MALFORMED_INDEX
        DAGSTORE_MALFORMED_BLOCK DAGSTORE_CATALOG_CORRUPT DAGSTORE_CATALOG_FULL
        DAGSTORE_CATALOG_LOCKED DAGSTORE_CATALOG_TOO_NEW DAGSTORE_READ_ONLY DAGSTORE_QUOTA_EXCEEDED
        DAGSTORE_SHARD_FAILED DAGSTORE_OUT_OF_RESOURCES DAGSTORE_TOO_MANY_READERS
        DAGSTORE_REOPEN_NEEDED DAGSTORE_CATALOG_UNREACHABLE
        DAGSTORE_CLOSED DAGSTORE_CANCELLED DAGSTORE_DEADLINE_EXCEEDED
        DAGSTORE_LOG_NONE DAGSTORE_LOG_ERROR DAGSTORE_LOG_WARNING DAGSTORE_LOG_INFO
        DAGSTORE_LOG_DEBUG
        DAGSTORE_ACCESS_SEQUENTIAL DAGSTORE_ACCESS_RANDOM DAGSTORE_ACCESS_FILE
        DAGSTORE_MOUNT_NOT_READY
        DAGSTORE_OPEN_READ_ONLY DAGSTORE_OPEN_RELAXED DAGSTORE_OPEN_UNMAPPED
        DAGSTORE_OPEN_REFUSES_NULL_PADDING DAGSTORE_OPEN_CHECKS_PAGES
        DAGSTORE_OPEN_LEAVES_INTERRUPTED DAGSTORE_OPEN_ALLOWS_PRIVATE
        DAGSTORE_POLICY_AUTOMATIC DAGSTORE_POLICY_REMOTE DAGSTORE_POLICY_CACHE DAGSTORE_POLICY_COPY
        DAGSTORE_PAGES_SMALLEST DAGSTORE_PAGES_ZSTD DAGSTORE_PAGES_DIRECT
        DAGSTORE_RECOVERY_MANUAL DAGSTORE_RECOVERY_ON_ACQUIRE DAGSTORE_RECOVERY_AT_OPEN
        DAGSTORE_SHUTDOWN_CANCELLING
        DAGSTORE_REGISTER_LAZY DAGSTORE_REGISTER_BACKGROUND
        DAGSTORE_STATE_NONE DAGSTORE_STATE_REGISTERED DAGSTORE_STATE_INITIALIZING
        DAGSTORE_STATE_AVAILABLE DAGSTORE_STATE_SERVING DAGSTORE_STATE_RECOVERING
        DAGSTORE_STATE_FAILED
        DAGSTORE_INFO_LAZY
        DAGSTORE_EVENT_REGISTER DAGSTORE_EVENT_INITIALIZE DAGSTORE_EVENT_MAKE_AVAILABLE
        DAGSTORE_EVENT_DESTROY DAGSTORE_EVENT_ACQUIRE DAGSTORE_EVENT_FAIL DAGSTORE_EVENT_RELEASE
        DAGSTORE_EVENT_RECOVER
        DAGSTORE_COPY_REMOVED DAGSTORE_COPY_IN_USE DAGSTORE_COPY_AWAITED DAGSTORE_COPY_KEPT
        DAGSTORE_COPY_FAILED
        DAGSTORE_CHECK_DEEP DAGSTORE_CHECK_REPAIR
        DAGSTORE_CAR_FULLY_INDEXED
    }
}

// ---- The declarations of the bindings, in C ------------------------------------------------------

/// Splits at commas that stand in no parentheses, brackets or angle brackets.
fn split_commas(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start, mut last) = (Vec::new(), 0, 0, ' ');
    for (index, character) in text.char_indices() {
        match character {
            '(' | '[' | '<' => depth += 1,
            ')' | ']' => depth -= 1,
            '>' if last != '-' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
        last = character;
    }
    parts.push(&text[start..]);
    parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty()).collect()
}

/// Returns the text up to the parenthesis that closes the one before `text`, and the rest.
fn split_closing(text: &str) -> (&str, &str) {
    let mut depth = 1;
    for (index, character) in text.char_indices() {
        depth += match character {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        if depth == 0 {
            return (&text[..index], &text[index + 1..]);
        }
    }
    panic!("no closing parenthesis: {text}");
}

/// Translates `name: type` into a C declaration of `declarator`.
fn c_declaration(rust: &str, declarator: &str) -> String {
    let rust = rust.trim();
    if let Some(inner) = rust.strip_prefix("*const ") {
        return format!("{} const *{declarator}", c_declaration(inner, ""));
    }
    if let Some(inner) = rust.strip_prefix("*mut ") {
        return format!("{} *{declarator}", c_declaration(inner, ""));
    }
    if let Some(inner) = rust.strip_prefix('[') {
        let (item, count) = inner.trim_end_matches(']').split_once("; ").unwrap();
        return c_declaration(item, &format!("{declarator}[{count}]"));
    }
    if let Some(inner) = rust.strip_prefix("Option<unsafe extern \"C\" fn(") {
        let (parameters, rest) = split_closing(inner);
        let result = rest.strip_suffix('>').unwrap().trim_end_matches([',', ' ']);
        return c_function(parameters, result, &format!("(*{declarator})"));
    }
    let name = match rust {
        "u8" => "uint8_t",
        "i32" => "int32_t",
        "u32" => "uint32_t",
        "u64" => "uint64_t",
        "usize" => "size_t",
        "f64" => "double",
        "c_char" => "char",
        "c_void" => "void",
        other => other,
    };
    format!("{name} {declarator}")
}

/// Translates the parameters and the result of a function.
fn c_function(parameters: &str, result: &str, declarator: &str) -> String {
    let parameters: Vec<String> = split_commas(parameters)
        .iter()
        .map(|parameter| c_declaration(parameter.split_once(": ").unwrap().1, ""))
        .collect();
    let parameters = match parameters.is_empty() {
        true => "void".to_string(),
        false => parameters.join(", "),
    };
    let result = result.trim().strip_prefix("->").unwrap_or("c_void");
    format!("{} {declarator}({parameters})", c_declaration(result, "").trim())
}

/// The declarations of the bindings.
struct Declarations {
    /// Names and C declarations of functions.
    functions: BTreeMap<String, String>,
    /// Names and C types of callbacks.
    callbacks: BTreeMap<String, String>,
    /// Names of structs, with the names and C types of their fields.
    structs: BTreeMap<String, Vec<(String, String)>>,
}

/// Reads the declarations of the bindings.
fn declarations() -> Declarations {
    let text =
        BINDINGS.split_whitespace().collect::<Vec<_>>().join(" ").replace("Option< ", "Option<");
    let mut found = Declarations {
        functions: BTreeMap::new(),
        callbacks: BTreeMap::new(),
        structs: BTreeMap::new(),
    };
    for part in text.split("pub fn ").skip(1) {
        let (name, rest) = part.split_once('(').unwrap();
        let (parameters, rest) = split_closing(rest);
        let result = rest.split_once(';').unwrap().0;
        found.functions.insert(name.into(), c_function(parameters, result, name));
    }
    for part in text.split("pub type ").skip(1) {
        let (name, rest) = part.split_once(" = ").unwrap();
        let rust = rest.split_once(';').unwrap().0;
        found.callbacks.insert(name.into(), c_declaration(rust, ""));
    }
    for part in text.split("#[derive(Clone, Copy)] pub struct ").skip(1) {
        let (name, rest) = part.split_once(" { ").unwrap();
        let fields = split_commas(rest.split_once(" }").unwrap().0)
            .iter()
            .map(|field| {
                let (name, rust) = field.strip_prefix("pub ").unwrap().split_once(": ").unwrap();
                (name.to_string(), c_declaration(rust, ""))
            })
            .collect();
        found.structs.insert(name.into(), fields);
    }
    found
}

// ---- The names of the header ---------------------------------------------------------------------

/// Removes the comments of a C text.
fn without_comments(text: &str) -> String {
    let mut rest = text;
    let mut code = String::new();
    while let Some((before, comment)) = rest.split_once("/*") {
        code.push_str(before);
        code.push(' ');
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    code + rest
}

/// The names that the header declares.
struct Names {
    functions: BTreeSet<String>,
    constants: BTreeSet<String>,
    structs: BTreeSet<String>,
    callbacks: BTreeSet<String>,
}

/// Reads the names of a header from its words.
fn names(header: &str) -> Names {
    let code = without_comments(header);
    let mut names = Names {
        functions: BTreeSet::new(),
        constants: BTreeSet::new(),
        structs: BTreeSet::new(),
        callbacks: BTreeSet::new(),
    };
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let mut start = 0;
    while let Some(found) = code[start..].find(is_word) {
        let begin = start + found;
        let end = code[begin..].find(|c| !is_word(c)).map_or(code.len(), |size| begin + size);
        let (word, before, after) = (&code[begin..end], &code[..begin], code[end..].trim_start());
        start = end;
        let is_ours = word.starts_with("dagstore_");
        if is_ours && after.starts_with('(') && !after.starts_with("(*") {
            names.functions.insert(word.into());
        } else if is_ours && before.ends_with("(*") {
            names.callbacks.insert(word.into());
        } else if is_ours && before.trim_end().ends_with('}') {
            names.structs.insert(word.into());
        } else if word.starts_with("DAGSTORE_") && word != "DAGSTORE_H" {
            let is_define = before.ends_with("#define ");
            if is_define || (after.starts_with('=') && !after.starts_with("==")) {
                names.constants.insert(word.into());
            }
        }
    }
    names.callbacks.insert("dagstore_status_t".into());
    names
}

// ---- The comparison ------------------------------------------------------------------------------

/// Compares two sets of names.
fn compare(
    what: &str,
    header: &BTreeSet<String>,
    bindings: &BTreeSet<String>,
) -> Result<(), String> {
    let missing: Vec<_> = header.difference(bindings).collect();
    let surplus: Vec<_> = bindings.difference(header).collect();
    match missing.is_empty() && surplus.is_empty() {
        true => Ok(()),
        false => {
            Err(format!("{what}: only in the header {missing:?}, only in the bindings {surplus:?}"))
        }
    }
}

/// Writes the C program that declares and prints everything.
fn c_program(declarations: &Declarations, constants: &BTreeMap<String, String>) -> String {
    let mut text = String::from(
        "#include <dagstore.h>\n#include <stdio.h>\n\
         #define SAME(name, type, ...) _Static_assert(\\\n\
         \x20   __builtin_types_compatible_p(type, __VA_ARGS__), name)\n",
    );
    for declaration in declarations.functions.values() {
        text += &format!("{declaration};\n");
    }
    for (name, c_type) in &declarations.callbacks {
        text += &format!("SAME(\"{name}\", {name}, {c_type});\n");
    }
    for (name, fields) in &declarations.structs {
        for (field, c_type) in fields {
            let place = format!("__typeof__((({name} *)0)->{field})");
            text += &format!("SAME(\"{name}.{field}\", {place}, {c_type});\n");
        }
    }
    text += "int main(void) {\n";
    for (name, fields) in &declarations.structs {
        text += &format!("    printf(\"{name}=%zu\\n\", sizeof({name}));\n");
        for (field, _) in fields {
            let (offset, size) =
                (format!("offsetof({name}, {field})"), format!("sizeof((({name} *)0)->{field})"));
            text += &format!("    printf(\"{name}.{field}=%zu %zu\\n\", {offset}, {size});\n");
        }
    }
    for (name, value) in constants {
        let (format, c_type) = match value.starts_with('-') {
            true => ("lld", "long long"),
            false => ("llu", "unsigned long long"),
        };
        text += &format!("    printf(\"{name}=%{format}\\n\", ({c_type})({name}));\n");
    }
    text + "    return 0;\n}\n"
}

/// A folder for the files of one test, removed when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("dagstore-sys-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Runs a command, and returns what it prints.
fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout).unwrap()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// Compiles a C program with a header, and returns the command that runs it.
fn compile(folder: &Path, header: &str, text: &str, flags: &[&str]) -> Result<Command, String> {
    let (source, program) = (folder.join("program.c"), folder.join("program"));
    fs::write(folder.join("dagstore.h"), header).unwrap();
    fs::write(&source, text).unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-std=c11", "-Wall", "-Werror", "-I"]).arg(folder);
    compiler.arg("-o").arg(&program).arg(&source).args(flags);
    run(&mut compiler)?;
    Ok(Command::new(program))
}

/// Compares the bindings with a header.
fn check(header: &str) -> Result<(), String> {
    let (declarations, names, constants) = (declarations(), names(header), constants());
    let keys = |map: &BTreeMap<String, String>| map.keys().cloned().collect::<BTreeSet<_>>();
    let structs = declarations.structs.keys().cloned().collect();
    compare("functions", &names.functions, &keys(&declarations.functions))?;
    compare("callbacks", &names.callbacks, &keys(&declarations.callbacks))?;
    compare("constants", &names.constants, &keys(&constants))?;
    compare("structs", &names.structs, &structs)?;

    let folder = Folder::new();
    let program = c_program(&declarations, &constants);
    let printed = run(&mut compile(&folder.0, header, &program, &[])?)?;
    let c: BTreeMap<&str, &str> = printed.lines().filter_map(|line| line.split_once('=')).collect();
    let mut rust = layouts();
    rust.extend(constants);
    for (name, value) in &rust {
        if c.get(name.as_str()) != Some(&value.as_str()) {
            return Err(format!("{name}: {:?} in C, {value} in Rust", c.get(name.as_str())));
        }
    }
    compare(
        "printed lines",
        &c.keys().map(|name| name.to_string()).collect(),
        &rust.keys().cloned().collect(),
    )
}

/// Returns the text of the installed header.
fn installed_header() -> String {
    fs::read_to_string(Path::new(INCLUDE).join("dagstore.h")).unwrap()
}

#[test]
fn bindings_match_the_installed_header() {
    assert_eq!(check(&installed_header()), Ok(()));
}

/// Changes one place of the header, and expects a complaint that contains `reason`.
fn expect_difference(from: &str, to: &str, reason: &str) {
    let header = installed_header();
    assert!(header.contains(from), "the header lacks {from}");
    let found = check(&header.replacen(from, to, 1)).expect_err(to);
    assert!(found.contains(reason), "{to}: {found}");
}

#[test]
fn every_kind_of_change_of_the_header_is_found() {
    expect_difference("DAGSTORE_CLOSED = -50", "DAGSTORE_CLOSED = -53", "DAGSTORE_CLOSED");
    expect_difference("#define DAGSTORE_CID_SIZE 96", "#define DAGSTORE_CID_SIZE 97", "CID_SIZE");
    expect_difference("DAGSTORE_DONE = 1,", "DAGSTORE_DONE = 1, DAGSTORE_MORE = 2,", "_MORE");
    expect_difference("uint32_t dagstore_abi_version(void)", "void dagstore_more(void)", "_more");
    expect_difference(
        "uint32_t dagstore_abi_version(void)",
        "uint64_t dagstore_abi_version(void)",
        "conflicting types",
    );
    expect_difference(
        "dagstore_state(dagstore_t *store",
        "dagstore_state(void *store",
        "conflicting",
    );
    expect_difference(
        "int32_t level, const char *message);",
        "int level, char *message);",
        "log_fn",
    );
    expect_difference(
        "void (*close)(void *context,",
        "void (*close)(int *context,",
        "vtable_t.close",
    );
    expect_difference("char validator[256];", "char validator[255];", "validator");
    expect_difference("uint64_t sort_budget; ", "int64_t sort_budget; ", "config_t.sort_budget");
    expect_difference(
        "void *index_context; ",
        "void *index_context; int more;",
        "dagstore_config_t",
    );
    expect_difference(
        "uint32_t size;\n    uint32_t is_sound;",
        "uint32_t is_sound;\n    uint32_t size;",
        "is_sound",
    );
    expect_difference(
        "} dagstore_problem_t;",
        "} dagstore_problem_t; typedef struct dagstore_more \
        { int size; } dagstore_more_t;",
        "dagstore_more_t",
    );
}

#[test]
fn the_library_exports_all_functions() {
    let mut text =
        String::from("#include <dagstore.h>\ntypedef void (*any)(void);\nany all[] = {\n");
    for name in declarations().functions.keys() {
        text += &format!("    (any){name},\n");
    }
    text += "};\nint main(void) { return all[0] == 0; }\n";
    let folder = Folder::new();
    let names = LIBRARY_FOLDERS.split(':').filter(|name| !name.is_empty());
    let folders: Vec<String> = names.map(|name| format!("-L{name}")).collect();
    let mut flags: Vec<&str> = folders.iter().map(String::as_str).collect();
    flags.push("-ldagstore");
    let mut program = compile(&folder.0, &installed_header(), &text, &flags).unwrap();
    if !LIBRARY_FOLDERS.is_empty() {
        program.env("LD_LIBRARY_PATH", LIBRARY_FOLDERS);
    }
    assert_eq!(run(&mut program), Ok(String::new()));
}
