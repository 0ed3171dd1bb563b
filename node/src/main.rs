//! `billchain`: the node and its tools.

#![forbid(unsafe_code)]

/// Half of a node's small allocations are made by one thread and freed by
/// another, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    billchain_node::main()
}
