//! Test vectors of RFC 9497, appendix A.3.2: VOPRF mode of suite P256-SHA256.

/// One vector, every value in hex; lists by commas.
pub(super) struct Vector {
    pub(super) input: &'static str,
    pub(super) blind: &'static str,
    pub(super) blinded: &'static str,
    pub(super) evaluated: &'static str,
    pub(super) proof: &'static str,
    pub(super) nonce: &'static str,
    pub(super) output: &'static str,
}

pub(super) const SECRET: &str = "ca5d94c8807817669a51b196c34c1b7f8442fde4334a7121ae4736364312fca6";
pub(super) const PUBLIC: &str =
    "03e17e70604bcabe198882c0a1f27a92441e774224ed9c702e51dd17038b102462";

pub(super) const VECTORS: [Vector; 3] = [
    Vector {
        input: "00",
        blind: "3338fa65ec36e0290022b48eb562889d89dbfa691d1cde91517fa222ed7ad364",
        blinded: "02dd05901038bb31a6fae01828fd8d0e49e35a486b5c5d4b4994013648c01277da",
        evaluated: "0209f33cab60cf8fe69239b0afbcfcd261af4c1c5632624f2e9ba29b90ae83e4a2",
        proof: "e7c2b3c5c954c035949f1f74e6bce2ed539a3be267d1481e9ddb178533df4c2664f69d065c604a4fd953e100b856ad83804eb3845189babfa5a702090d6fc5fa",
        nonce: "f9db001266677f62c095021db018cd8cbb55941d4073698ce45c405d1348b7b1",
        output: "0412e8f78b02c415ab3a288e228978376f99927767ff37c5718d420010a645a1",
    },
    Vector {
        input: "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",
        blind: "3338fa65ec36e0290022b48eb562889d89dbfa691d1cde91517fa222ed7ad364",
        blinded: "03cd0f033e791c4d79dfa9c6ed750f2ac009ec46cd4195ca6fd3800d1e9b887dbd",
        evaluated: "030d2985865c693bf7af47ba4d3a3813176576383d19aff003ef7b0784a0d83cf1",
        proof: "2787d729c57e3d9512d3aa9e8708ad226bc48e0f1750b0767aaff73482c44b8d2873d74ec88aebd3504961acea16790a05c542d9fbff4fe269a77510db00abab",
        nonce: "f9db001266677f62c095021db018cd8cbb55941d4073698ce45c405d1348b7b1",
        output: "771e10dcd6bcd3664e23b8f2a710cfaaa8357747c4a8cbba03133967b5c24f18",
    },
    Vector {
        input: "00,5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",
        blind: "3338fa65ec36e0290022b48eb562889d89dbfa691d1cde91517fa222ed7ad364,f9db001266677f62c095021db018cd8cbb55941d4073698ce45c405d1348b7b1",
        blinded: "02dd05901038bb31a6fae01828fd8d0e49e35a486b5c5d4b4994013648c01277da,03462e9ae64cae5b83ba98a6b360d942266389ac369b923eb3d557213b1922f8ab",
        evaluated: "0209f33cab60cf8fe69239b0afbcfcd261af4c1c5632624f2e9ba29b90ae83e4a2,02bb24f4d838414aef052a8f044a6771230ca69c0a5677540fff738dd31bb69771",
        proof: "bdcc351707d02a72ce49511c7db990566d29d6153ad6f8982fad2b435d6ce4d60da1e6b3fa740811bde34dd4fe0aa1b5fe6600d0440c9ddee95ea7fad7a60cf2",
        nonce: "350e8040f828bf6ceca27405420cdf3d63cb3aef005f40ba51943c8026877963",
        output: "0412e8f78b02c415ab3a288e228978376f99927767ff37c5718d420010a645a1,771e10dcd6bcd3664e23b8f2a710cfaaa8357747c4a8cbba03133967b5c24f18",
    },
];
