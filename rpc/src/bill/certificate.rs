//! `bill_certificate`: what the chain holds of a bill, for whoever trusts no node.

use super::read::key;
use crate::{
    context::Context,
    error::{Answer, Refusal, chain, internal, no_certificate},
    method::{Args, to_hex},
};
use billchain_certificate::CertificateError;
use billchain_rpc_types::BillCertificateView;

/// The certificate of a bill, or that there is no such bill, as of the head.
pub(super) fn certificate(context: &Context, args: &Args) -> Answer<BillCertificateView> {
    let key = key(args, 0)?;
    let bytes = context.certificates.certificate(&key).map_err(refusal)?;
    Ok(BillCertificateView { certificate: to_hex(&bytes) })
}

fn refusal(error: CertificateError) -> Refusal {
    match error {
        CertificateError::Chain(error) => chain(error),
        CertificateError::Odd { .. } => internal(error),
        CertificateError::NoBlock
        | CertificateError::NotKept { .. }
        | CertificateError::NotIndexed { .. } => no_certificate(&error),
    }
}
