//! libFuzzer's program for [`billchain_fuzz::payer_keys`].

#![no_main]
#![allow(unsafe_code, reason = "libFuzzer calls a C function")]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    billchain_fuzz::payer_keys(data);
});
