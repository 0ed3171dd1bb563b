//! `billchain`: the node and its tools.

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    billchain_node::main()
}
