//! The verifier behind a C interface: WebAssembly for browsers and Node.js, a library for C and
//! whatever calls C. `billchain_verifier.h` declares the four functions, and `index.mjs` wraps
//! them.
//!
//! In WebAssembly it stands alone: it imports nothing, and its memory is its own.

#![cfg_attr(target_arch = "wasm32", no_std)]
#![allow(unsafe_code, reason = "a C interface takes pointers")]

extern crate alloc;

#[cfg(target_arch = "wasm32")]
mod alone;

use alloc::{
    alloc::{Layout, alloc, dealloc},
    boxed::Box,
    string::String,
    vec::Vec,
};
use billchain_verifier::{Digest, MAX_BYTES};
use core::{ptr, slice};

/// Most bytes that are looked at: one more than a certificate has, so that a longer one is told.
const MAX_INPUT: usize = MAX_BYTES + 1;

/// Gives `length` bytes of memory for what a caller hands over; null if `length` is 0, above
/// 1,048,577, or if there is no more. [`billchain_free`] takes it back.
#[unsafe(no_mangle)]
pub extern "C" fn billchain_alloc(length: usize) -> *mut u8 {
    match Layout::array::<u8>(length) {
        // SAFETY: the layout's size is not 0.
        Ok(layout) if (1..=MAX_INPUT).contains(&length) => unsafe { alloc(layout) },
        _ => ptr::null_mut(),
    }
}

/// Takes memory back; does nothing for null.
///
/// # Safety
/// `memory` is null, or came from [`billchain_alloc`] with this length, or from
/// [`billchain_verify`] or [`billchain_verify_from`], where the length is 4 and what its first
/// four bytes say; and it was not given back before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn billchain_free(memory: *mut u8, length: usize) {
    if let Ok(layout) = Layout::array::<u8>(length)
        && !memory.is_null()
    {
        // SAFETY: the memory was allocated with this layout, says the caller.
        unsafe { dealloc(memory, layout) };
    }
}

/// What the certificate proves to whoever trusts the genesis with this hash (32 bytes): four
/// bytes, the lowest first, with the length of a JSON object, and the object in UTF-8.
/// [`billchain_free`] takes them back. Null if a pointer is null.
///
/// # Safety
/// `certificate` points to `length` bytes that can be read, and `genesis` to 32; or they are null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn billchain_verify(
    certificate: *const u8,
    length: usize,
    genesis: *const Digest,
) -> *mut u8 {
    // SAFETY: the caller says of both what is asked here.
    unsafe { answer(certificate, length, genesis, billchain_verifier_json::verify) }
}

/// The same to whoever trusts the checkpoint with this hash (32 bytes): the genesis, or a block
/// in the certificate that changed the validators.
///
/// # Safety
/// As of [`billchain_verify`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn billchain_verify_from(
    certificate: *const u8,
    length: usize,
    checkpoint: *const Digest,
) -> *mut u8 {
    // SAFETY: the caller says of both what is asked here.
    unsafe { answer(certificate, length, checkpoint, billchain_verifier_json::verify_from) }
}

/// What `verify` says, in memory that the caller takes over; null if a pointer is null.
///
/// # Safety
/// `certificate` points to `length` bytes that can be read, and `trusted` to 32; or they are null.
unsafe fn answer(
    certificate: *const u8,
    length: usize,
    trusted: *const Digest,
    verify: fn(&[u8], &Digest) -> String,
) -> *mut u8 {
    if certificate.is_null() || trusted.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: so many bytes can be read, says the caller, and an array of bytes has no alignment.
    let (certificate, trusted) =
        unsafe { (slice::from_raw_parts(certificate, length.min(MAX_INPUT)), &*trusted) };
    let shown = verify(certificate, trusted);
    let Ok(length) = u32::try_from(shown.len()) else { return ptr::null_mut() };
    let mut answer = Vec::with_capacity(4 + shown.len());
    answer.extend_from_slice(&length.to_le_bytes());
    answer.extend_from_slice(shown.as_bytes());
    Box::into_raw(answer.into_boxed_slice()).cast()
}

#[cfg(test)]
mod tests;
