//! Registers all CARs of a folder, and serves their blocks over HTTP.
//!
//!     serve STORE FOLDER 127.0.0.1:8080
//!     curl http://127.0.0.1:8080/block/CID

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;
use std::{env, error, fs, process, thread};

use dagstore::{Cid, Error, ErrorCode, Store};

/// Registers each file `NAME.car` of a folder under its name.
fn register_all(store: &Store, folder: &str) -> Result<(), Box<dyn error::Error>> {
    for entry in fs::read_dir(fs::canonicalize(folder)?)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "car") {
            continue;
        }
        let key = path.file_name().unwrap_or_default().to_string_lossy();
        match store.register(&key, &dagstore::file_url(&path)?) {
            Err(error) if error.code() != ErrorCode::ShardExists => eprintln!("{key}: {error}"),
            _ => println!("registered {key}"),
        }
    }
    Ok(())
}

/// Reads a request, and returns its path; `None` if there is none.
fn read_path(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut request = String::new();
    reader.by_ref().take(8192).read_line(&mut request)?;
    let mut line = request.clone();
    while !line.trim_end().is_empty() {
        line.clear();
        reader.by_ref().take(8192).read_line(&mut line)?;
    }
    Ok(request.strip_prefix("GET ").and_then(|rest| rest.split(' ').next()).map(String::from))
}

/// Answers the requests of one connection.
fn serve(store: &Store, stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let (mut reader, mut writer) = (BufReader::new(&stream), &stream);
    while let Some(path) = read_path(&mut reader)? {
        let cid = path.strip_prefix("/block/").unwrap_or_default().parse::<Cid>();
        let block = cid.and_then(|cid| store.get(cid, Some(Duration::from_secs(30))));
        let status = match block.as_ref().map_err(Error::code) {
            Ok(_) => "200 OK",
            Err(ErrorCode::InvalidCid) => "400 Bad Request",
            Err(ErrorCode::BlockNotFound) => "404 Not Found",
            Err(_) => "502 Bad Gateway",
        };
        let body = block.as_deref().unwrap_or_default();
        write!(writer, "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len())?;
        writer.write_all(body)?;
    }
    Ok(())
}

fn run(arguments: &[String]) -> Result<(), Box<dyn error::Error>> {
    let [_, path, folder, address] = arguments else {
        return Err("usage: serve STORE FOLDER ADDRESS".into());
    };
    let store = Store::open(path)?;
    register_all(&store, folder)?;
    let listener = TcpListener::bind(address)?;
    println!("serving http://{}", listener.local_addr()?);
    for stream in listener.incoming() {
        let (store, stream) = (store.clone(), stream?);
        thread::spawn(move || serve(&store, stream));
    }
    Ok(())
}

fn main() {
    if let Err(error) = run(&env::args().collect::<Vec<_>>()) {
        eprintln!("{error}");
        process::exit(1);
    }
}
