//! What a program without a standard library brings itself.

use core::{arch::wasm32, panic::PanicInfo};
use dlmalloc::GlobalDlmalloc;

#[global_allocator]
static ALLOCATOR: GlobalDlmalloc = GlobalDlmalloc;

/// Ends the call as a trap. The verifier does not panic; what is left is memory that runs out.
#[panic_handler]
fn panicked(_: &PanicInfo<'_>) -> ! {
    wasm32::unreachable()
}
