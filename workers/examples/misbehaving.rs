//! A worker's program whose connectors do what a connector must not: panic, block their thread,
//! loop without end, take all memory. Takes the arguments with which a node starts workers.

use async_trait::async_trait;
use billchain_workers::{
    Connector, Failure, Making, Notice, Registry, Told,
    process::{self, Options},
};
use std::{hint::black_box, process::ExitCode, thread, time::Duration};

#[derive(Clone, Copy)]
enum Habit {
    Tells,
    Panics,
    Blocks,
    Loops,
    Allocates,
}

struct Misbehaving(Habit);

#[async_trait]
impl Connector for Misbehaving {
    async fn deliver(&self, notices: &[Notice]) -> Vec<Result<Told, Failure>> {
        match self.0 {
            Habit::Tells => {}
            Habit::Panics => panic!("a connector that panics"),
            Habit::Blocks => thread::sleep(Duration::from_secs(3_600)),
            Habit::Loops => loop {
                black_box(());
            },
            Habit::Allocates => {
                let mut all = Vec::new();
                loop {
                    all.push(vec![1_u8; 16 << 20]);
                    black_box(&all);
                }
            }
        }
        notices.iter().map(|notice| Ok(Told { answer: notice.key_hex().into_bytes() })).collect()
    }

    async fn probe(&self) -> Result<(), Failure> {
        Ok(())
    }
}

fn tells(_: Making) -> Result<Box<dyn Connector>, String> {
    Ok(Box::new(Misbehaving(Habit::Tells)))
}

fn panics(_: Making) -> Result<Box<dyn Connector>, String> {
    Ok(Box::new(Misbehaving(Habit::Panics)))
}

fn blocks(_: Making) -> Result<Box<dyn Connector>, String> {
    Ok(Box::new(Misbehaving(Habit::Blocks)))
}

fn loops(_: Making) -> Result<Box<dyn Connector>, String> {
    Ok(Box::new(Misbehaving(Habit::Loops)))
}

fn allocates(_: Making) -> Result<Box<dyn Connector>, String> {
    Ok(Box::new(Misbehaving(Habit::Allocates)))
}

fn main() -> ExitCode {
    let registry = Registry::default()
        .with("tells", tells)
        .with("panics", panics)
        .with("blocks", blocks)
        .with("loops", loops)
        .with("allocates", allocates);
    let words: Vec<String> = std::env::args().collect();
    let after = |name: &str| {
        let at = words.iter().position(|word| word == name)?;
        words.get(at + 1).cloned()
    };
    let options = Options {
        file: after("--file").unwrap_or_default().into(),
        endpoint: after("--endpoint").unwrap_or_default(),
        node: after("--node").unwrap_or_default(),
        follows_input: true,
    };
    let (code, why) = process::run(options, &registry);
    eprintln!("{why}");
    ExitCode::from(code)
}
