//! The field of `p = 2²⁵⁶ - 2²²⁴ - 2⁹⁶ + 2⁶⁴ - 1`, in Montgomery form.
//!
//! An element `a` is kept as `a·2²⁵⁶ mod p`, always fully reduced, so equal
//! elements are equal limbs. Because `-p⁻¹ mod 2⁶⁴` is 1 and the limbs of `p`
//! are sparse, Montgomery's reduction (P. Montgomery, "Modular multiplication
//! without trial division", 1985) needs shifts and additions only, no
//! multiplication.

use std::{
    hint::{black_box, select_unpredictable},
    ops::{Add, Mul, Neg, Sub},
};

/// Four 64-bit limbs, least significant first.
pub(crate) type Limbs = [u64; 4];

/// The prime `p`.
pub(crate) const P: Limbs =
    [0xffff_ffff_ffff_ffff, 0xffff_ffff_0000_0000, 0xffff_ffff_ffff_ffff, 0xffff_fffe_ffff_ffff];

/// `2⁵¹² mod p`, which brings a number into Montgomery form.
const R2: Limbs =
    [0x0000_0002_0000_0003, 0x0000_0002_ffff_ffff, 0x0000_0001_0000_0001, 0x0000_0004_0000_0002];

/// An element of the field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FieldElement(Limbs);

impl FieldElement {
    pub(crate) const ZERO: Self = Self([0; 4]);
    /// `2²⁵⁶ mod p`.
    pub(crate) const ONE: Self = Self([1, 0x0000_0000_ffff_ffff, 0, 0x0000_0001_0000_0000]);
    /// The coefficient `b` of the curve.
    pub(crate) const B: Self = Self([
        0x90d2_3063_2bc0_dd42,
        0x71cf_379a_e9b5_37ab,
        0x5279_8150_5ea5_1c3c,
        0x240f_e188_ba20_e2c8,
    ]);

    /// The element a number below `p` stands for; nothing for other numbers.
    pub(crate) fn from_limbs(number: &Limbs) -> Option<Self> {
        let (_, below) = sub(number, &P);
        below.then(|| reduce(&mul_wide(number, &R2)))
    }

    /// As [`from_limbs`](Self::from_limbs), from 32 bytes, big endian.
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        Self::from_limbs(&limbs_from_bytes(bytes))
    }

    /// The number in `[0, p)`, big endian.
    pub(crate) fn to_bytes(self) -> [u8; 32] {
        let number = self.to_limbs();
        let mut bytes = [0; 32];
        for (place, limb) in bytes.rchunks_exact_mut(8).zip(number) {
            place.copy_from_slice(&limb.to_be_bytes());
        }
        bytes
    }

    /// The number in `[0, p)`.
    pub(crate) fn to_limbs(self) -> Limbs {
        let [a, b, c, d] = self.0;
        reduce(&[a, b, c, d, 0, 0, 0, 0]).0
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.0 == [0; 4]
    }

    /// Whether the number in `[0, p)` is odd.
    pub(crate) fn is_odd(&self) -> bool {
        self.to_limbs()[0] & 1 == 1
    }

    #[inline(always)]
    pub(crate) fn square(&self) -> Self {
        reduce(&square_wide(&self.0))
    }

    #[inline(always)]
    pub(crate) fn double(&self) -> Self {
        *self + *self
    }

    /// `self / 2`.
    #[inline(always)]
    pub(crate) fn halve(&self) -> Self {
        // An odd number becomes even by adding `p`.
        let mask = 0u64.wrapping_sub(self.0[0] & 1);
        let (even, carry) = add(&self.0, &P.map(|limb| limb & mask));
        Self([
            (even[0] >> 1) | (even[1] << 63),
            (even[1] >> 1) | (even[2] << 63),
            (even[2] >> 1) | (even[3] << 63),
            (even[3] >> 1) | (u64::from(carry) << 63),
        ])
    }

    /// `self` squared `times` times.
    #[inline(always)]
    fn square_times(&self, times: u32) -> Self {
        let mut power = *self;
        for _ in 0..times {
            power = power.square();
        }
        power
    }

    /// `self⁻¹ = self^(p-2)`; zero for zero.
    pub(crate) fn invert(&self) -> Self {
        let exponent = sub(&P, &[2, 0, 0, 0]).0;
        let mut power = Self::ONE;
        for limb in exponent.iter().rev() {
            for bit in (0..64).rev() {
                power = power.square();
                if (limb >> bit) & 1 == 1 {
                    power = power * *self;
                }
            }
        }
        power
    }

    /// A square root, if there is one; the other is its negative.
    ///
    /// `p = 3 mod 4`, so it is `self^((p+1)/4)`, and the exponent is
    /// `2⁶²·(2³²·(2¹²⁹·(2³¹ - 1) + 2¹²⁸ - 1) + 1)`.
    #[inline(always)]
    pub(crate) fn sqrt(&self) -> Option<Self> {
        // x_k stands for self^(2^k - 1).
        let x2 = self.square() * *self;
        let x4 = x2.square_times(2) * x2;
        let x8 = x4.square_times(4) * x4;
        let x16 = x8.square_times(8) * x8;
        let x24 = x16.square_times(8) * x8;
        let x28 = x24.square_times(4) * x4;
        let x30 = x28.square_times(2) * x2;
        let x31 = x30.square() * *self;
        let x32 = x31.square() * *self;
        let x64 = x32.square_times(32) * x32;
        let x128 = x64.square_times(64) * x64;
        let root = (x31.square_times(129) * x128).square_times(32) * *self;
        let root = root.square_times(62);
        (root.square() == *self).then_some(root)
    }

    /// The inverses of all elements at the cost of one inversion
    /// (Montgomery's trick). None of them may be zero.
    pub(crate) fn invert_all(elements: &mut [Self]) {
        let mut product = Self::ONE;
        let mut before = Vec::with_capacity(elements.len());
        for element in elements.iter() {
            before.push(product);
            product = product * *element;
        }
        let mut inverse = product.invert();
        for (element, before) in elements.iter_mut().zip(before).rev() {
            let this = inverse * before;
            inverse = inverse * *element;
            *element = this;
        }
    }
}

impl Add for FieldElement {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let (sum, carry) = add(&self.0, &other.0);
        reduce_once(&sum, carry)
    }
}

impl Sub for FieldElement {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        let (difference, borrow) = sub(&self.0, &other.0);
        let mask = 0u64.wrapping_sub(u64::from(borrow));
        Self(add(&difference, &P.map(|limb| limb & mask)).0)
    }
}

impl Neg for FieldElement {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self::ZERO - self
    }
}

impl Mul for FieldElement {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        reduce(&mul_wide(&self.0, &other.0))
    }
}

/// 32 bytes, big endian, as limbs.
pub(crate) fn limbs_from_bytes(bytes: &[u8; 32]) -> Limbs {
    let mut limbs = [0; 4];
    for (limb, place) in limbs.iter_mut().zip(bytes.rchunks_exact(8)) {
        *limb = u64::from_be_bytes(place.try_into().expect("chunks of 8 bytes"));
    }
    limbs
}

/// `a + b` and the carry out.
#[inline(always)]
pub(crate) fn add(a: &Limbs, b: &Limbs) -> (Limbs, bool) {
    let (s0, carry) = a[0].carrying_add(b[0], false);
    let (s1, carry) = a[1].carrying_add(b[1], carry);
    let (s2, carry) = a[2].carrying_add(b[2], carry);
    let (s3, carry) = a[3].carrying_add(b[3], carry);
    ([s0, s1, s2, s3], carry)
}

/// `a - b` and the borrow out, that is, whether `a < b`.
#[inline(always)]
pub(crate) fn sub(a: &Limbs, b: &Limbs) -> (Limbs, bool) {
    let (d0, borrow) = a[0].borrowing_sub(b[0], false);
    let (d1, borrow) = a[1].borrowing_sub(b[1], borrow);
    let (d2, borrow) = a[2].borrowing_sub(b[2], borrow);
    let (d3, borrow) = a[3].borrowing_sub(b[3], borrow);
    ([d0, d1, d2, d3], borrow)
}

/// Subtracts `p` from a number below `2p` (given with its 257th bit) unless it
/// is below `p` already. A select, not a branch: the outcome is a coin toss.
#[inline(always)]
fn reduce_once(number: &Limbs, carry: bool) -> FieldElement {
    // Adds 2²⁵⁶ - p. Its limbs are hidden from the compiler, which would else
    // rewrite the chain of additions limb by limb, into something slower.
    let one = black_box(1u64);
    let (less, not_below) = add(number, &[one, (one << 32).wrapping_sub(one), 0, one << 32]);
    let take = carry | not_below;
    FieldElement([
        select_unpredictable(take, less[0], number[0]),
        select_unpredictable(take, less[1], number[1]),
        select_unpredictable(take, less[2], number[2]),
        select_unpredictable(take, less[3], number[3]),
    ])
}

/// `a·b`, in five limbs.
#[inline(always)]
fn mul_limb(a: &Limbs, b: u64) -> [u64; 5] {
    let (l0, h0) = a[0].carrying_mul(b, 0);
    let (l1, h1) = a[1].carrying_mul(b, 0);
    let (l2, h2) = a[2].carrying_mul(b, 0);
    let (l3, h3) = a[3].carrying_mul(b, 0);
    let ([p1, p2, p3, p4], _) = add(&[l1, l2, l3, h3], &[h0, h1, h2, 0]);
    [l0, p1, p2, p3, p4]
}

/// `a·b`. Row by row, and within a row first the products and then the sums:
/// that way the sums compile to unbroken chains of additions with carry.
#[inline(always)]
fn mul_wide(a: &Limbs, b: &Limbs) -> [u64; 8] {
    let [t0, t1, t2, t3, t4] = mul_limb(a, b[0]);
    let [p0, p1, p2, p3, p4] = mul_limb(a, b[1]);
    let ([t1, t2, t3, t4], carry) = add(&[t1, t2, t3, t4], &[p0, p1, p2, p3]);
    let t5 = p4.wrapping_add(u64::from(carry));
    let [p0, p1, p2, p3, p4] = mul_limb(a, b[2]);
    let ([t2, t3, t4, t5], carry) = add(&[t2, t3, t4, t5], &[p0, p1, p2, p3]);
    let t6 = p4.wrapping_add(u64::from(carry));
    let [p0, p1, p2, p3, p4] = mul_limb(a, b[3]);
    let ([t3, t4, t5, t6], carry) = add(&[t3, t4, t5, t6], &[p0, p1, p2, p3]);
    let t7 = p4.wrapping_add(u64::from(carry));
    [t0, t1, t2, t3, t4, t5, t6, t7]
}

#[inline(always)]
fn square_wide(a: &Limbs) -> [u64; 8] {
    // The products of different limbs, each of which counts twice …
    let (t1, c) = a[0].carrying_mul(a[1], 0);
    let (t2, c) = a[0].carrying_mul(a[2], c);
    let (t3, t4) = a[0].carrying_mul(a[3], c);
    let (t3, c) = a[1].carrying_mul_add(a[2], t3, 0);
    let (t4, t5) = a[1].carrying_mul_add(a[3], t4, c);
    let (t5, t6) = a[2].carrying_mul_add(a[3], t5, 0);
    let t7 = t6 >> 63;
    let t6 = (t6 << 1) | (t5 >> 63);
    let t5 = (t5 << 1) | (t4 >> 63);
    let t4 = (t4 << 1) | (t3 >> 63);
    let t3 = (t3 << 1) | (t2 >> 63);
    let t2 = (t2 << 1) | (t1 >> 63);
    let t1 = t1 << 1;
    // … and the squares of the limbs.
    let (s0, s1) = a[0].carrying_mul(a[0], 0);
    let (s2, s3) = a[1].carrying_mul(a[1], 0);
    let (s4, s5) = a[2].carrying_mul(a[2], 0);
    let (s6, s7) = a[3].carrying_mul(a[3], 0);
    let (t1, c) = t1.carrying_add(s1, false);
    let (t2, c) = t2.carrying_add(s2, c);
    let (t3, c) = t3.carrying_add(s3, c);
    let (t4, c) = t4.carrying_add(s4, c);
    let (t5, c) = t5.carrying_add(s5, c);
    let (t6, c) = t6.carrying_add(s6, c);
    let (t7, _) = t7.carrying_add(s7, c);
    [s0, t1, t2, t3, t4, t5, t6, t7]
}

/// `t·2⁻²⁵⁶ mod p` for `t < p·2²⁵⁶`.
///
/// Four times, the lowest limb `m` is cancelled by adding `m·p`, which is
/// `m·2²⁵⁶ - m·2²²⁴ - m·2⁹⁶ + m·2⁶⁴ - m`, and the rest moves down one limb. The
/// four high limbs of `t` only join at the end; what comes before never
/// exceeds `p`, so it always fits four limbs.
#[inline(always)]
fn reduce(t: &[u64; 8]) -> FieldElement {
    let mut low = [t[0], t[1], t[2], t[3]];
    for _ in 0..4 {
        let m = low[0];
        let (shifted, rest) = (m << 32, m >> 32);
        let (sum, _) = add(&[low[1], low[2], low[3], m], &[m, 0, 0, 0]);
        // What overflowed above comes back here.
        low = sub(&sum, &[shifted, rest, shifted, rest]).0;
    }
    let (sum, carry) = add(&low, &[t[4], t[5], t[6], t[7]]);
    reduce_once(&sum, carry)
}

#[cfg(test)]
mod tests;
