//! Runs the example `serve` on a folder of CARs, and asks it for blocks.

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use dagstore::Cid;
use support::{Block, Folder, blocks, example};

/// A running server, killed when it is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sends a request over a connection, and returns the status line and the body.
fn ask(stream: &mut TcpStream, path: &str) -> (String, Vec<u8>) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut reader = BufReader::new(stream);
    let (mut status, mut line, mut size) = (String::new(), String::new(), 0);
    reader.read_line(&mut status).unwrap();
    while line != "\r\n" {
        line.clear();
        assert!(reader.read_line(&mut line).unwrap() > 0, "{path}: the answer ends early");
        if let Some(text) = line.strip_prefix("Content-Length: ") {
            size = text.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; size];
    reader.read_exact(&mut body).unwrap();
    (status.trim_end().to_string(), body)
}

#[test]
fn the_example_serves_the_blocks_of_a_folder() {
    let folder = Folder::new();
    let cars = folder.join("cars");
    std::fs::create_dir(&cars).unwrap();
    let blocks = blocks(20, 1000);
    for (name, part) in [("one.car", &blocks[..10]), ("two % .car", &blocks[10..])] {
        std::fs::write(cars.join(name), support::car(&[], part)).unwrap();
    }
    std::fs::write(cars.join("bad.car"), b"bad").unwrap();
    std::fs::write(cars.join("notes.txt"), b"no CAR").unwrap();
    let mut command = Command::new(example("serve"));
    command.arg(folder.join("store")).arg(&cars).arg("127.0.0.1:0");
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = Server(command.spawn().unwrap());
    let mut lines = BufReader::new(server.0.stdout.take().unwrap()).lines();
    let url =
        lines.find_map(|line| line.unwrap().strip_prefix("serving http://").map(String::from));
    let url = url.expect("the example prints its address");

    let mut stream = TcpStream::connect(&url).unwrap();
    for block in &blocks {
        let cid = Cid::from_bytes(&block.cid).unwrap();
        let (status, body) = ask(&mut stream, &format!("/block/{cid}"));
        assert_eq!((status.as_str(), body), ("HTTP/1.1 200 OK", block.bytes.clone()));
    }
    let other = Cid::from_bytes(Block::raw("other").cid).unwrap();
    for (path, expected) in [
        (format!("/block/{other}"), "HTTP/1.1 404 Not Found"),
        ("/block/x%00y".into(), "HTTP/1.1 400 Bad Request"),
        ("/".into(), "HTTP/1.1 400 Bad Request"),
    ] {
        assert_eq!(ask(&mut stream, &path), (expected.to_string(), Vec::new()), "{path}");
    }
}
