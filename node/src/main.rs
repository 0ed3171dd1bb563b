//! `billchain`: the node and its tools.

#![forbid(unsafe_code)]

/// The system's allocator took a tenth of a loaded node's time; see
/// `docs/decisions/0017-admission.md`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    billchain_node::main()
}
