//! `bill_certificate` and its like: what the chain holds, for whoever trusts no node.

use super::read::key;
use crate::{
    context::Context,
    error::{Answer, Refusal, busy, chain, internal, no_certificate, plainly_invalid},
    method::{Args, to_hex},
};
use billchain_certificate::CertificateError;
use billchain_primitives::{BillCode, BillNumber, Did, totals::Month};
use billchain_rpc_types::BillCertificateView;

/// The certificate of a bill, or that there is no such bill, as of the head.
pub(super) fn certificate(context: &Context, args: &Args) -> Answer<BillCertificateView> {
    view(context.certificates.certificate(&key(args, 0)?, args.optional_hash(2, "from")?))
}

/// The certificate of what a bill was at a version, as of the head.
pub(super) fn version(context: &Context, args: &Args) -> Answer<BillCertificateView> {
    let (version, from) = (args.number(2, "version")?, args.optional_hash(3, "from")?);
    view(context.certificates.version(&key(args, 0)?, version, from))
}

/// The certificate of a range of numbers, as of the head.
pub(super) fn numbers(context: &Context, args: &Args) -> Answer<BillCertificateView> {
    let code = args.parsed::<BillCode>(0, "code")?;
    let first = args.parsed::<BillNumber>(1, "first")?;
    let last = args.parsed::<BillNumber>(2, "last")?;
    view(context.certificates.numbers(code, first, last, args.optional_hash(3, "from")?))
}

/// The certificate of an issuer's month, as of the head.
pub(super) fn month(context: &Context, args: &Args) -> Answer<BillCertificateView> {
    let issuer = args.parsed::<Did>(0, "issuer")?;
    let month = args.parsed::<Month>(1, "month")?;
    view(context.certificates.month(&issuer, month, args.optional_hash(2, "from")?))
}

fn view(certificate: Result<Vec<u8>, CertificateError>) -> Answer<BillCertificateView> {
    let certificate = to_hex(&certificate.map_err(refusal)?);
    Ok(BillCertificateView { certificate })
}

fn refusal(error: CertificateError) -> Refusal {
    match error {
        CertificateError::Chain(error) => chain(error),
        CertificateError::Odd { .. } => internal(error),
        CertificateError::Busy => busy(&error),
        CertificateError::NoNumbers { .. }
        | CertificateError::TooManyItems { .. }
        | CertificateError::NoVersion { .. }
        | CertificateError::TooOld { .. }
        | CertificateError::TooLong { .. } => plainly_invalid(&error),
        CertificateError::NoBlock
        | CertificateError::NoStart { .. }
        | CertificateError::NotKept { .. }
        | CertificateError::NotIndexed { .. } => no_certificate(&error),
    }
}
