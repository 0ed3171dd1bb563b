//! `participant_*`, `node_*`, `allotment_*` and `authorization_*`: who acts on the
//! chain, and whose numbers are whose, in plain JSON.

mod access_node;
mod allotment;
mod authorization;
mod participant;

pub(crate) use authorization::grant;
pub(crate) use participant::participant;

use crate::method::{
    Bound, CODE, CURSOR, LIMIT, Method, NUMBER, Param, SCENE, list, maybe, method, of, page, read,
    required,
};
use billchain_rpc_types::{
    AccessNodeRecordView, AccessNodeView, GrantCheckView, GrantRecordView, GrantView, HoldingView,
    IdentityView, LinkCheckView, LinkedNodeView, NumberOwnerView, ParticipantRecordView,
    ParticipantView, schema,
};

const NODE: Param = required("node", "DID of the access node", of::<schema::Did>);
const PARTICIPANT: Param = required("participant", "DID of the participant", of::<schema::Did>);
const GRANT: Param =
    required("grant", "SM3 of the credential that names the grant", of::<schema::Hash>);
const SUBJECT: Param = required("subject", "DID of who got the grant", of::<schema::Did>);

pub(crate) const METHODS: &[Method] = &[
    method(
        "participant_resolve",
        "A participant by its DID (参与方解析)",
        &[required("did", "Its DID", of::<schema::Did>)],
        maybe::<ParticipantView>,
        read!(participant::resolve),
    ),
    method(
        "participant_byAccount",
        "The participant that acts with an account",
        &[required("account", "The account", of::<schema::Account>)],
        maybe::<ParticipantView>,
        read!(participant::by_account),
    ),
    method(
        "participant_byUscc",
        "A participant by its 统一社会信用代码",
        &[required("uscc_hash", "SM3 of the code", of::<schema::Hash>)],
        maybe::<ParticipantView>,
        read!(participant::by_uscc),
    ),
    method(
        "participant_list",
        "All participants (参与方)",
        &[CURSOR, LIMIT],
        page::<ParticipantView>,
        read!(participant::list),
    )
    .within(Bound::PAGE),
    method(
        "participant_history",
        "What was done about a participant, oldest first",
        &[PARTICIPANT, CURSOR, LIMIT],
        page::<ParticipantRecordView>,
        read!(participant::history),
    )
    .within(Bound::PAGE),
    method(
        "participant_verifyIdentity",
        "Whether a participant holds its key (身份真实性验证)",
        &[
            PARTICIPANT,
            required("challenge", "What the asker chose", of::<schema::Bytes>),
            required("signature", "The participant's signature of it", of::<schema::Bytes>),
        ],
        of::<IdentityView>,
        read!(participant::verify_identity),
    ),
    method(
        "node_get",
        "An access node (业务接入节点)",
        &[NODE],
        maybe::<AccessNodeView>,
        read!(access_node::get),
    ),
    method(
        "node_list",
        "All access nodes (业务接入节点)",
        &[CURSOR, LIMIT],
        page::<AccessNodeView>,
        read!(access_node::list),
    )
    .within(Bound::PAGE),
    method(
        "node_byParticipant",
        "The access nodes of a participant, each with its status",
        &[PARTICIPANT],
        list::<LinkedNodeView>,
        read!(access_node::by_participant),
    ),
    method(
        "node_participants",
        "The participants of an access node (节点-参与方关系)",
        &[NODE, CURSOR, LIMIT],
        page::<schema::Did>,
        read!(access_node::participants),
    )
    .within(Bound::PAGE),
    method(
        "node_assertLink",
        "Whether a participant may act through an access node (校验关联关系)",
        &[NODE, PARTICIPANT],
        of::<LinkCheckView>,
        read!(access_node::assert_link),
    ),
    method(
        "node_history",
        "The records of an access node, oldest first",
        &[NODE, CURSOR, LIMIT],
        page::<AccessNodeRecordView>,
        read!(access_node::history),
    )
    .within(Bound::PAGE),
    method(
        "authorization_get",
        "A grant (用票授权)",
        &[GRANT],
        maybe::<GrantView>,
        read!(authorization::get),
    ),
    method(
        "allotment_byIssuer",
        "What an issuer has of each code (赋码)",
        &[required("issuer", "DID of the issuer", of::<schema::Did>), CURSOR, LIMIT],
        page::<HoldingView>,
        read!(allotment::by_issuer),
    )
    .within(Bound::PAGE.answer_kib(4 << 10)),
    method(
        "allotment_ofNumber",
        "Whose a number is, and its range",
        &[CODE, NUMBER],
        maybe::<NumberOwnerView>,
        read!(allotment::of_number),
    ),
    method(
        "authorization_check",
        "Whether a grant may be used for a bill in a scene now",
        &[GRANT, SUBJECT, CODE, NUMBER, SCENE],
        maybe::<GrantCheckView>,
        read!(authorization::check),
    ),
    method(
        "authorization_byHolder",
        "The grants that a holder gave, oldest first",
        &[required("holder", "DID of the holder", of::<schema::Did>), CURSOR, LIMIT],
        page::<GrantView>,
        read!(authorization::by_holder),
    )
    .within(Bound::PAGE),
    method(
        "authorization_bySubject",
        "The grants that a subject got, oldest first",
        &[SUBJECT, CURSOR, LIMIT],
        page::<GrantView>,
        read!(authorization::by_subject),
    )
    .within(Bound::PAGE),
    method(
        "authorization_history",
        "The records and uses of a grant, oldest first",
        &[GRANT, CURSOR, LIMIT],
        page::<GrantRecordView>,
        read!(authorization::history),
    )
    .within(Bound::PAGE),
];
