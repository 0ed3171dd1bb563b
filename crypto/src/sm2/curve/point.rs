//! Points of the curve, and their sums, without an inversion.
//!
//! Formulas: D. Bernstein and T. Lange, Explicit-Formulas Database
//! (hyperelliptic.org/EFD), short Weierstrass curves with `a = -3`; named at
//! each. The group has prime order, so no finite point has `y = 0`.

use super::field::FieldElement;

/// A finite point, one cache line in a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(align(64))]
pub(crate) struct Affine {
    pub(crate) x: FieldElement,
    pub(crate) y: FieldElement,
}

impl Affine {
    /// The base point `G`.
    pub(crate) fn base() -> Self {
        const X: [u8; 32] = [
            0x32, 0xc4, 0xae, 0x2c, 0x1f, 0x19, 0x81, 0x19, 0x5f, 0x99, 0x04, 0x46, 0x6a, 0x39,
            0xc9, 0x94, 0x8f, 0xe3, 0x0b, 0xbf, 0xf2, 0x66, 0x0b, 0xe1, 0x71, 0x5a, 0x45, 0x89,
            0x33, 0x4c, 0x74, 0xc7,
        ];
        Self::decompress(&X, false).expect("G is a point of the curve, with an even y")
    }

    /// The point with this `x` (big endian, below `p`) and a `y` of this parity.
    #[inline(always)]
    pub(crate) fn decompress(x: &[u8; 32], y_is_odd: bool) -> Option<Self> {
        let x = FieldElement::from_bytes(x)?;
        let y = curve_equation(x).sqrt()?;
        Some(Self { x, y: if y.is_odd() == y_is_odd { y } else { -y } })
    }

    /// The point with these coordinates (big endian, below `p`), if it is one.
    pub(crate) fn from_coordinates(x: &[u8; 32], y: &[u8; 32]) -> Option<Self> {
        let (x, y) = (FieldElement::from_bytes(x)?, FieldElement::from_bytes(y)?);
        (y.square() == curve_equation(x)).then_some(Self { x, y })
    }

    /// `x ‖ y`, big endian.
    pub(crate) fn coordinates(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&self.x.to_bytes());
        bytes[32..].copy_from_slice(&self.y.to_bytes());
        bytes
    }

    pub(crate) fn negate(&self) -> Self {
        Self { x: self.x, y: -self.y }
    }
}

/// `x³ - 3x + b`.
#[inline(always)]
fn curve_equation(x: FieldElement) -> FieldElement {
    (x.square() - FieldElement::ONE.double() - FieldElement::ONE) * x + FieldElement::B
}

/// A point as `(X/Z², Y/Z³)`, in which doubling is cheapest; infinity has `Z = 0`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Jacobian {
    x: FieldElement,
    y: FieldElement,
    z: FieldElement,
}

impl Jacobian {
    pub(crate) const INFINITY: Self =
        Self { x: FieldElement::ONE, y: FieldElement::ONE, z: FieldElement::ZERO };

    pub(crate) fn is_infinity(&self) -> bool {
        self.z.is_zero()
    }

    /// With `S = 4XY²` and `M = 3(X + Z²)(X - Z²)`: `X' = M² - 2S`,
    /// `Y' = M(S - X') - 8Y⁴`, `Z' = 2YZ`, arranged as in S. Gueron and V. Krasnov,
    /// "Fast prime field elliptic-curve cryptography with 256-bit primes", 2013.
    /// Right for infinity too.
    #[inline(always)]
    pub(crate) fn double(&self) -> Self {
        let zz = self.z.square();
        let product = (self.x + zz) * (self.x - zz);
        let m = product.double() + product;
        let y2 = self.y.double();
        let yy4 = y2.square();
        let s = self.x * yy4;
        let x = m.square() - s.double();
        let y = m * (s - x) - yy4.square().halve();
        Self { x, y, z: self.z * y2 }
    }

    /// As [`double`](Self::double), out of the way of what is done often.
    #[cold]
    #[inline(never)]
    fn double_rarely(&self) -> Self {
        self.double()
    }

    /// `add-1998-cmo-2`, with the powers of the addend's `Z` at hand.
    #[inline(always)]
    pub(crate) fn add(&self, other: &Addend) -> Self {
        if self.is_infinity() {
            return other.point;
        }
        let zz = self.z.square();
        let u1 = self.x * other.zz;
        let u2 = other.point.x * zz;
        let s1 = self.y * other.zzz;
        let s2 = other.point.y * (self.z * zz);
        let (h, r) = (u2 - u1, s2 - s1);
        if h.is_zero() {
            return if r.is_zero() { self.double_rarely() } else { Self::INFINITY };
        }
        let hh = h.square();
        let hhh = h * hh;
        let v = u1 * hh;
        let x = r.square() - hhh - v.double();
        let y = r * (v - x) - s1 * hhh;
        Self { x, y, z: self.z * other.point.z * h }
    }
}

impl From<Affine> for Jacobian {
    fn from(point: Affine) -> Self {
        Self { x: point.x, y: point.y, z: FieldElement::ONE }
    }
}

/// A finite point that is added many times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addend {
    point: Jacobian,
    zz: FieldElement,
    zzz: FieldElement,
}

impl Addend {
    /// Of a point that is not infinity.
    pub(crate) fn new(point: Jacobian) -> Self {
        let zz = point.z.square();
        Self { point, zz, zzz: zz * point.z }
    }

    #[inline(always)]
    pub(crate) fn negate(&self) -> Self {
        Self { point: Jacobian { y: -self.point.y, ..self.point }, ..*self }
    }

    pub(crate) fn point(&self) -> &Jacobian {
        &self.point
    }
}

/// A point as `(X/ZZ, Y/ZZZ)` with `ZZ³ = ZZZ²`, in which adding affine points
/// is cheapest; infinity has `ZZ = 0`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sum {
    pub(crate) x: FieldElement,
    y: FieldElement,
    /// The divisor of `x`.
    pub(crate) zz: FieldElement,
    zzz: FieldElement,
}

impl Sum {
    pub(crate) const INFINITY: Self = Self {
        x: FieldElement::ONE,
        y: FieldElement::ONE,
        zz: FieldElement::ZERO,
        zzz: FieldElement::ZERO,
    };

    pub(crate) fn is_infinity(&self) -> bool {
        self.zz.is_zero()
    }

    /// `madd-2008-s`.
    #[inline(always)]
    pub(crate) fn add(&mut self, other: &Affine) {
        if self.is_infinity() {
            *self = Self::from(*other);
            return;
        }
        let p = other.x * self.zz - self.x;
        let r = other.y * self.zzz - self.y;
        if p.is_zero() {
            *self = if r.is_zero() { Self::doubled(other) } else { Self::INFINITY };
            return;
        }
        let pp = p.square();
        let ppp = p * pp;
        let q = self.x * pp;
        let x = r.square() - ppp - q.double();
        self.y = r * (q - x) - self.y * ppp;
        self.x = x;
        self.zz = self.zz * pp;
        self.zzz = self.zzz * ppp;
    }

    /// `mdbl-2008-s-1`.
    fn doubled(point: &Affine) -> Self {
        let u = point.y.double();
        let v = u.square();
        let w = u * v;
        let s = point.x * v;
        let slope = point.x.square() - FieldElement::ONE;
        let m = slope.double() + slope;
        let x = m.square() - s.double();
        Self { x, y: m * (s - x) - w * point.y, zz: v, zzz: w }
    }

    /// The points themselves, at the cost of one inversion. None may be infinity.
    pub(crate) fn to_affine(sums: &[Self]) -> Vec<Affine> {
        let mut inverses: Vec<_> = sums.iter().map(|sum| sum.zzz).collect();
        FieldElement::invert_all(&mut inverses);
        let finish = |(sum, inverse): (&Self, FieldElement)| {
            // 1/Z = ZZ/ZZZ, whose square is 1/ZZ.
            let x = sum.x * (inverse * sum.zz).square();
            Affine { x, y: sum.y * inverse }
        };
        sums.iter().zip(inverses).map(finish).collect()
    }
}

impl From<Affine> for Sum {
    fn from(point: Affine) -> Self {
        Self { x: point.x, y: point.y, zz: FieldElement::ONE, zzz: FieldElement::ONE }
    }
}

impl From<Jacobian> for Sum {
    fn from(point: Jacobian) -> Self {
        let zz = point.z.square();
        Self { x: point.x, y: point.y, zz, zzz: zz * point.z }
    }
}
