//! Servers that are no nodes, or nodes that lie, on threads of their own.

use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

/// What a server does with each question.
#[derive(Clone, Copy, Debug)]
pub enum Liar {
    /// Says nothing.
    Silent,
    /// Sends an answer byte by byte, without end.
    Dripping,
    /// Sends an answer without end, fast.
    Endless,
    /// Answers what is no JSON.
    Garbage,
    /// Answers JSON of a hundred thousand arrays within each other.
    Deep,
    /// Answers an error that moves the cursor and rings the bell.
    Escapes,
    /// Answers JSON of another form.
    WrongForm,
    /// Answers as the node at a port does, but for its blocks from a height on.
    Blocks {
        /// Port of the node's JSON-RPC.
        of: u16,
        /// The first block that it lies about.
        from: u64,
    },
    /// Answers as the node at a port does, but changes what it is asked or what it answers.
    Altered {
        /// Port of the node's JSON-RPC.
        of: u16,
        /// Makes another question of each.
        asks: fn(&mut Value),
        /// Makes another answer of that to each question.
        answers: fn(&Value, &mut Value),
    },
}

/// Starts it; its URL.
pub fn serve(liar: Liar) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Who asks may go away at any time.
            thread::spawn(move || answer(stream, liar).is_ok());
        }
    });
    url
}

/// The body of one request.
fn question(stream: &TcpStream) -> std::io::Result<Vec<u8>> {
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

fn answer(mut stream: TcpStream, liar: Liar) -> std::io::Result<()> {
    let asked = question(&stream)?;
    let asked: Value = serde_json::from_slice(&asked).unwrap_or_default();
    let (id, head) = (&asked["id"], "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n");
    let whole = match liar {
        Liar::Silent => {
            thread::sleep(Duration::from_secs(60));
            return Ok(());
        }
        Liar::Dripping => {
            write!(stream, "{head}Content-Length: 900000\r\n\r\n")?;
            loop {
                stream.write_all(b" ")?;
                thread::sleep(Duration::from_millis(100));
            }
        }
        Liar::Endless => {
            write!(stream, "{head}Transfer-Encoding: chunked\r\n\r\n")?;
            loop {
                write!(stream, "10000\r\n{}\r\n", " ".repeat(1 << 16))?;
            }
        }
        Liar::Garbage => "\u{1b}[31m<html>no</html>".to_owned(),
        Liar::Deep => {
            format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{}"#, "[".repeat(100_000))
        }
        Liar::Escapes => {
            let message = "\u{1b}[2J\u{7}\r\nall is well\u{202e}".repeat(1_000);
            let error = json!({ "code": -32000, "message": message });
            json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string()
        }
        Liar::WrongForm => {
            let result = json!({ "node": { "name": "\u{1b}]0;owned\u{7}" }, "height": -1 });
            json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string()
        }
        Liar::Blocks { of, from } => of_node(of, from, &asked)?,
        Liar::Altered { of, asks, answers } => {
            let mut question = asked.clone();
            asks(&mut question);
            let mut answer = serde_json::from_str(&forwarded(of, &question)?).unwrap_or_default();
            answers(&asked, &mut answer);
            answer.to_string()
        }
    };
    write!(stream, "{head}Connection: close\r\nContent-Length: {}\r\n\r\n{whole}", whole.len())
}

/// What a node answers, with other hashes and headers from a height on.
fn of_node(port: u16, from: u64, asked: &Value) -> std::io::Result<String> {
    let lie = |byte: u8| format!("0x{}", format!("{byte:02x}").repeat(32));
    let result = match (asked["method"].as_str(), &asked["params"][0]) {
        (Some("chain_getBlockHash"), Value::Number(height)) if height.as_u64() >= Some(from) => {
            json!(lie(0x11))
        }
        (Some("chain_getHeader"), hash) if *hash == lie(0x11) => json!({ "stateRoot": lie(0x22) }),
        _ => return forwarded(port, asked),
    };
    Ok(json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result }).to_string())
}

/// What a node answers.
fn forwarded(port: u16, asked: &Value) -> std::io::Result<String> {
    let mut node = TcpStream::connect(("127.0.0.1", port))?;
    let body = asked.to_string();
    write!(
        node,
        "POST / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    node.read_to_string(&mut answer)?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Ok(body.to_owned())
}
