//! Parameters of the STARK, and what they are worth.
//!
//! Everything is fixed: a proof cannot choose its own parameters. [`soundness`] computes what they
//! give for each size of table, with the bounds that are proven.

use crate::air::BillAir;
use crate::statement::Statement;
use p3_challenger::{HashChallenger, SerializingChallenger32};
use p3_commit::ExtensionMmcs;
use p3_dft::Radix2DitParallel;
use p3_field::PrimeCharacteristicRing;
use p3_field::coset::TwoAdicMultiplicativeCoset;
use p3_field::extension::QuinticTrinomialExtensionField;
use p3_fri::{FriParameters, HidingFriPcs};
use p3_keccak::{Keccak256Hash, KeccakF, VECTOR_LEN};
use p3_koala_bear::KoalaBear;
use p3_merkle_tree::MerkleTreeHidingMmcs;
use p3_symmetric::{CompressionFunctionFromHasher, PaddingFreeSponge, SerializingHasher};
use p3_uni_stark::{
    AirLayout, ConjecturedSecurity, GrindingSites, OpeningShape, ProvenSecurity, StarkConfig,
    StarkSecurityParams,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bits of soundness that every proof has at least.
pub const SECURITY_BITS: usize = 100;

/// What the transcript begins with, before the bytes of the statement.
const DOMAIN: &[u8] = b"BillChain zero-knowledge answer 1\0";
/// The code has one symbol of information in 16.
const LOG_BLOWUP: usize = 4;
/// Places at which a proof is looked into.
const QUERIES: usize = 43;
/// Bits of work before they are drawn.
const QUERY_WORK: usize = 16;
/// Folding ends at a polynomial of 8 coefficients.
const LOG_FINAL_LENGTH: usize = 3;
/// At most 16 values are folded into one.
const LOG_ARITY: usize = 4;
/// Random codewords beside each committed table: as many as the challenges have coefficients.
const RANDOM_CODEWORDS: usize = 5;
/// Random elements in each leaf of a Merkle tree: 124 bits.
const SALT: usize = 4;
/// Whole bits of the field that challenges are drawn from: 5 · log2(2^31 − 2^24 + 1).
const CHALLENGE_BITS: usize = 154;
/// Bits of work for a collision of Keccak with digests of 32 bytes.
const COLLISION_BITS: usize = 128;
/// A constraint reads a row and the next.
const ROWS_READ: usize = 2;

type Challenge = QuinticTrinomialExtensionField<KoalaBear>;
type Sponge = PaddingFreeSponge<KeccakF, 25, 17, 4>;
type LeafHash = SerializingHasher<Sponge>;
type NodeHash = CompressionFunctionFromHasher<Sponge, 2, 4>;
type Trees = MerkleTreeHidingMmcs<
    [KoalaBear; VECTOR_LEN],
    [u64; VECTOR_LEN],
    LeafHash,
    NodeHash,
    ChaCha20Rng,
    2,
    4,
    SALT,
>;
type ChallengeTrees = ExtensionMmcs<KoalaBear, Challenge, Trees>;
type Transcript = SerializingChallenger32<KoalaBear, HashChallenger<u8, Keccak256Hash, 32>>;
type Transform = Radix2DitParallel<KoalaBear>;
type Commitments = HidingFriPcs<KoalaBear, Transform, Trees, ChallengeTrees, ChaCha20Rng>;
/// The proof system.
pub(crate) type Config = StarkConfig<Commitments, Challenge, Transcript>;

/// What hides the witness; a verifier needs none.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Masks {
    /// Seed of the salts of Merkle trees.
    pub salts: [u8; 32],
    /// Seed of the random codewords and rows.
    pub codewords: [u8; 32],
}

impl Masks {
    /// For who only verifies: nothing is committed to.
    pub(crate) const UNUSED: Masks = Masks { salts: [0; 32], codewords: [0; 32] };
}

/// The proof system, with a transcript that has taken the statement.
pub(crate) fn config(statement: &Statement, masks: &Masks) -> Config {
    let sponge = Sponge::new(KeccakF {});
    let trees = Trees::new(
        LeafHash::new(sponge),
        NodeHash::new(sponge),
        0,
        ChaCha20Rng::from_seed(masks.salts),
    );
    let parameters = fri(ChallengeTrees::new(trees.clone()));
    let generator = ChaCha20Rng::from_seed(masks.codewords);
    let commitments =
        Commitments::new(Transform::default(), trees, parameters, RANDOM_CODEWORDS, generator);
    let mut begin = DOMAIN.to_vec();
    begin.extend_from_slice(&statement.to_bytes());
    StarkConfig::new(commitments, Transcript::from_hasher(begin, Keccak256Hash {}))
}

const fn fri<M>(mmcs: M) -> FriParameters<M> {
    FriParameters {
        log_blowup: LOG_BLOWUP,
        log_final_poly_len: LOG_FINAL_LENGTH,
        max_log_arity: LOG_ARITY,
        num_queries: QUERIES,
        batch_proof_of_work_bits: 0,
        commit_proof_of_work_bits: 0,
        query_proof_of_work_bits: QUERY_WORK,
        mmcs,
    }
}

/// Bits of soundness of a proof.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Soundness {
    /// Proven, in the random oracle model: the better of unique decoding and the Johnson bound.
    pub proven: usize,
    /// Conjectured, by the distances of random words.
    pub conjectured: usize,
}

/// What a proof whose table has `2^log_rows` rows is worth.
pub fn soundness(log_rows: usize) -> Soundness {
    let air = BillAir::new(log_rows);
    let parameters = fri(());
    // Tables of proofs are far smaller than the field's largest subgroup, 2^24.
    let domain = TwoAdicMultiplicativeCoset::new(KoalaBear::ONE, log_rows)
        .expect("a subgroup of the size of a table");
    let parameters = StarkSecurityParams::from_air::<KoalaBear, Challenge, _>(
        parameters.security_regime(),
        &air,
        AirLayout::from_air::<KoalaBear>(&air),
        domain,
        CHALLENGE_BITS,
        COLLISION_BITS,
        ROWS_READ,
        OpeningShape::hiding(RANDOM_CODEWORDS),
        GrindingSites::NONE,
    );
    // Hiding doubles the length of what is committed to.
    let committed = 1 << (log_rows + 1);
    Soundness {
        proven: ProvenSecurity::compute(&parameters, committed).security_bits(),
        conjectured: ConjecturedSecurity::compute_from_params(&parameters, log_rows + 1)
            .security_bits,
    }
}
