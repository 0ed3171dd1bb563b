//! Damages inputs, the same way each time for the same seed.

/// A small generator (xorshift64*); no more than a choice of damage needs.
pub struct Random(u64);

impl Random {
    /// One that gives the same numbers for the same seed.
    pub fn new(seed: u64) -> Self {
        // A spread seed: neighbours begin unlike each other.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `bound`, 0 if that is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.draw() % (bound.max(1) as u64)).unwrap_or_default()
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// Longest input made, in bytes.
const MAX_BYTES: usize = 256 << 10;

/// Bytes at which comparisons, signs and lengths turn.
const EDGES: [u8; 12] = [0x00, 0x01, 0x02, 0x03, 0x0f, 0x3f, 0x40, 0x7f, 0x80, 0xfc, 0xfe, 0xff];

/// Lengths that lie, as they are written here: SCALE's compact numbers of each
/// size, fixed-width ones of both orders, DER's.
const LENGTHS: [&[u8]; 10] = [
    &[0xfd, 0xff],
    &[0xfe, 0xff, 0xff, 0xff],
    &[0x03, 0xff, 0xff, 0xff, 0xff],
    &[
        0x33, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff,
    ],
    &[0xff, 0xff, 0xff, 0xff],
    &[0xff, 0xff, 0xff, 0x7f],
    &[0x7f, 0xff, 0xff, 0xff],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    &[0x84, 0x7f, 0xff, 0xff, 0xff],
    &[0x82, 0xff, 0xff],
];

/// What means something in the texts that are read here.
const WORDS: [&str; 28] = [
    "0",
    "-",
    "-0.00",
    "99999999999.99",
    "1e400",
    "null",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "\\u0000",
    "\\ud800",
    "0x",
    "did:",
    ":",
    "<",
    ">",
    "</",
    "/>",
    "<!DOCTYPE x>",
    "<![CDATA[",
    "&amp;",
    "&#x10ffff;",
    "&#0;",
    "医",
    "\u{feff}",
    "\r\n",
];

/// A damaged form of one of `inputs`, of which there is at least one.
pub fn damaged(random: &mut Random, inputs: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = inputs[random.below(inputs.len())].clone();
    for _ in 0..=random.below(4) {
        damage(random, &mut bytes, inputs);
    }
    bytes.truncate(MAX_BYTES);
    bytes
}

fn damage(random: &mut Random, bytes: &mut Vec<u8>, inputs: &[Vec<u8>]) {
    let at = random.below(bytes.len() + 1);
    match random.below(11) {
        0 | 1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        2 => {
            let edge = random.pick(&EDGES);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = edge;
            }
        }
        3 => bytes.truncate(at),
        4 => {
            let more = 1 + random.below(40);
            bytes.extend((0..more).map(|_| random.draw() as u8));
        }
        5 => insert(bytes, at, &[random.draw() as u8]),
        6 => {
            let end = (at + 1 + random.below(16)).min(bytes.len());
            bytes.drain(at.min(end)..end);
        }
        // A stretch once more, next to itself or elsewhere.
        7 => {
            let end = (at + 1 + random.below(200)).min(bytes.len());
            let stretch = bytes[at.min(end)..end].to_vec();
            let to = random.below(bytes.len() + 1);
            insert(bytes, to, &stretch);
        }
        // The head of this one and the tail of another.
        8 => {
            let other = &inputs[random.below(inputs.len())];
            let from = random.below(other.len() + 1);
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
        9 => {
            let length = random.pick(&LENGTHS);
            let replaced = random.below(length.len() + 1).min(bytes.len() - at);
            bytes.splice(at..at + replaced, length.iter().copied());
        }
        _ => {
            let word = random.pick(&WORDS).as_bytes();
            insert(bytes, at, word);
        }
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, more: &[u8]) {
    bytes.splice(at..at, more.iter().copied());
}
