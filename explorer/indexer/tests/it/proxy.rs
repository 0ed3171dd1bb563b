//! A program between a node and whoever asks it, that changes answers: a node that lies.

use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

/// Makes another answer (second) to a question (first).
pub type Change = fn(&Value, &mut Value);

/// Starts it before the node at a port; its URL.
pub fn before(port: u16, change: Change) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Who asks may go away at any time.
            thread::spawn(move || answer(stream, port, change).is_ok());
        }
    });
    url
}

/// Length and rest of an HTTP message, whichever side sent it.
fn message(stream: &TcpStream) -> std::io::Result<Vec<u8>> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(body)
}

fn answer(mut stream: TcpStream, port: u16, change: Change) -> std::io::Result<()> {
    let body = message(&stream)?;
    let question: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut node = TcpStream::connect(("127.0.0.1", port))?;
    write!(
        node,
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )?;
    node.write_all(&body)?;
    let mut answer: Value = serde_json::from_slice(&message(&node)?).unwrap_or_default();
    change(&question, &mut answer);
    let whole = answer.to_string();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{whole}",
        whole.len()
    )
}
