//! Making, carrying and verifying a proof.

use crate::air::BillAir;
use crate::parameters::{Config, Masks, config};
use crate::statement::{Answer, Statement};
use crate::table::{Honest, MAX_ENTRIES, MAX_LOG_ROWS, MIN_LOG_ROWS, Witness, log_rows, table};
use billchain_zk_accumulator::{Accumulator, commitment};
use core::fmt;
use rand_core::CryptoRng;

/// Version of the bytes of a proof; it stands for statement, constraints and parameters together.
pub const PROOF_VERSION: u8 = 1;
/// Most bytes of a proof that is read.
pub const MAX_PROOF_BYTES: usize = 256 * 1024;

/// A proof of one [`Statement`].
pub struct Proof(pub(crate) p3_uni_stark::Proof<Config>);

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proof of a table of 2^{} rows", self.0.degree_bits.saturating_sub(1))
    }
}

/// Why there is no proof, or none that holds.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// More entries than a proof may have.
    #[error("entries: expected at most {MAX_ENTRIES}, found {found}")]
    Entries {
        /// How many.
        found: usize,
    },
    /// The entries do not make the accumulator of the statement.
    #[error("witness: its entries do not make the accumulator of the statement")]
    Accumulator,
    /// Reference and secret do not make the holder's commitment of the statement.
    #[error("witness: its reference and secret do not make the commitment of the statement")]
    Holder,
    /// The answer is not true of the entries.
    #[error("answer: expected {claimed:?}, but {found} bills match")]
    Untrue {
        /// What the statement claims.
        claimed: Answer,
        /// How many there are.
        found: i64,
    },
    /// The proof system gave up.
    #[error("prover: {reason}")]
    Prover {
        /// Why.
        reason: String,
    },
    /// The bytes are no proof.
    #[error("proof: {reason}")]
    Encoding {
        /// Why.
        reason: &'static str,
    },
    /// A version that is not known here.
    #[error("proof: expected version {PROOF_VERSION}, found {found}")]
    Version {
        /// Which.
        found: u8,
    },
    /// The proof does not hold for the statement.
    #[error("proof: it does not hold: {reason}")]
    Refused {
        /// Why.
        reason: String,
    },
}

/// Proves a statement. Two proofs of one statement have nothing in common but their size, as long
/// as `rng` cannot be guessed; that is what its type promises.
///
/// Time and memory depend on the number of entries, rounded up to a table's size, and on nothing
/// else that is secret but what the cache of the machine shows.
///
/// # Errors
/// The witness does not fit the statement, or has too many entries.
pub fn prove<R: CryptoRng>(
    statement: &Statement,
    witness: &Witness,
    rng: &mut R,
) -> Result<Proof, Error> {
    let log_rows =
        log_rows(witness.entries.len()).ok_or(Error::Entries { found: witness.entries.len() })?;
    check(statement, witness)?;
    let mut masks = Masks::UNUSED;
    rng.fill_bytes(&mut masks.salts);
    rng.fill_bytes(&mut masks.codewords);
    let table = table(statement, witness, log_rows, &mut Honest);
    let config = config(statement, &masks);
    let air = BillAir::new(log_rows);
    p3_uni_stark::prove(&config, &air, table, &statement.public_values())
        .map(Proof)
        .map_err(|error| Error::Prover { reason: error.to_string() })
}

fn check(statement: &Statement, witness: &Witness) -> Result<(), Error> {
    let accumulator = Accumulator::of_entries(&witness.reference, &witness.entries);
    if accumulator != statement.anchor().accumulator {
        return Err(Error::Accumulator);
    }
    if commitment(&witness.reference, &witness.secret) != statement.holder() {
        return Err(Error::Holder);
    }
    let found = statement.question().count(&witness.entries);
    let claimed = statement.answer();
    let holds = match claimed {
        Answer::Absent => found == 0,
        Answer::AtLeast(minimum) => found >= i64::from(minimum),
    };
    if holds { Ok(()) } else { Err(Error::Untrue { claimed, found }) }
}

/// Verifies a proof of a statement that the caller built from what it knows itself.
///
/// # Errors
/// The proof does not hold.
pub fn verify(statement: &Statement, proof: &Proof) -> Result<(), Error> {
    let air = BillAir::new(proof.log_rows()?);
    let config = config(statement, &Masks::UNUSED);
    p3_uni_stark::verify(&config, &air, &proof.0, &statement.public_values())
        .map_err(|error| Error::Refused { reason: error.to_string() })
}

impl Proof {
    /// Rows of the table, as a power of two: all that a proof says of the number of bills.
    fn log_rows(&self) -> Result<usize, Error> {
        match self.0.degree_bits.checked_sub(1) {
            Some(log) if (MIN_LOG_ROWS..=MAX_LOG_ROWS).contains(&log) => Ok(log),
            _ => Err(Error::Encoding { reason: "expected a table of 2^8 to 2^14 rows" }),
        }
    }

    /// The bytes: the version, and the proof by `postcard`.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Sequences of known length, numbers and options: postcard writes all of them.
        postcard::to_extend(&self.0, vec![PROOF_VERSION]).expect("a proof has an encoding")
    }

    /// Reads what [`Proof::to_bytes`] wrote. Bytes that read as the same proof but are others are
    /// refused; a proof has one form.
    ///
    /// # Errors
    /// The bytes are no proof.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_PROOF_BYTES {
            return Err(Error::Encoding { reason: "expected at most 262144 bytes" });
        }
        let (&version, body) =
            bytes.split_first().ok_or(Error::Encoding { reason: "expected bytes, found none" })?;
        if version != PROOF_VERSION {
            return Err(Error::Version { found: version });
        }
        let proof = postcard::from_bytes(body)
            .map(Self)
            .map_err(|_| Error::Encoding { reason: "the bytes after the version are no proof" })?;
        proof.log_rows()?;
        if proof.to_bytes() != bytes {
            return Err(Error::Encoding { reason: "expected the one form of a proof" });
        }
        Ok(proof)
    }
}
