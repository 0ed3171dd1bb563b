//! `policy_*` and `dispute_*`.

use super::describe::{
    CODE, CURSOR, LIMIT, Method, NUMBER, Param, SCENE, list, maybe, method, of, optional, page,
    required,
};
use billchain_rpc_types::{
    ActView, CaseDecisionView, CaseView, CheckView, DecisionView, DocumentView, FlowView,
    InForceView, PolicyRef, PolicyView, ResolutionView, SimulationView, TrailStepView, schema,
};

const POLICY: Param = required("policy", "Number of the policy (策略)", of::<schema::PolicyId>);
const VERSION: Param = required("version", "Number of the version (版本号)", of::<u32>);
const OPERATION: Param = required("operation", "What is to be done", of::<schema::Guarded>);
const DOCUMENT: Param = required("document", "The document", of::<schema::Document>);
const FACTS: Param = required("facts", "Fields and their values", of::<schema::Facts>);
const FROM: Param = optional("from", "First moment", maybe::<schema::Moment>);
const TO: Param = optional("to", "Last moment", maybe::<schema::Moment>);
const CASE: Param = required("case", "Number of the case", of::<u32>);

pub(super) const METHODS: &[Method] = &[
    method(
        "policy_get",
        "One version of a policy (策略)",
        &[
            POLICY,
            optional(
                "version",
                "Its version; null: the effective one, else the newest",
                maybe::<u32>,
            ),
        ],
        maybe::<PolicyView>,
    ),
    method(
        "policy_document",
        "The document of a version, as it was submitted",
        &[POLICY, VERSION],
        maybe::<DocumentView>,
    ),
    method(
        "policy_byKeyword",
        "The versions with a keyword (关键词检索)",
        &[required("keyword", "关键词", of::<schema::Keyword>)],
        list::<PolicyRef>,
    ),
    method(
        "policy_byStatus",
        "The versions of a status (草稿/生效/废止)",
        &[required("status", "`draft`, `effective` or `revoked`", of::<String>), CURSOR, LIMIT],
        page::<PolicyRef>,
    ),
    method(
        "policy_flow",
        "The approval flow of a version with its hashes (审批流)",
        &[POLICY, VERSION],
        maybe::<FlowView>,
    ),
    method(
        "policy_trailByTime",
        "Steps of all approval flows of a span of time (审批流追溯)",
        &[FROM, TO, CURSOR, LIMIT],
        page::<TrailStepView>,
    ),
    method(
        "policy_trailByActor",
        "Steps of one participant in all approval flows (审批流追溯)",
        &[required("actor", "DID of who acted", of::<schema::Did>), FROM, TO, CURSOR, LIMIT],
        page::<TrailStepView>,
    ),
    method(
        "policy_inForce",
        "The policies in force, in the order they are asked",
        &[SCENE, OPERATION],
        list::<InForceView>,
    ),
    method(
        "policy_check",
        "What is wrong with a document (语法/语义校验)",
        &[DOCUMENT],
        of::<CheckView>,
    ),
    method(
        "policy_simulate",
        "What a document would say of facts (仿真验证)",
        &[DOCUMENT, FACTS],
        of::<SimulationView>,
    ),
    method(
        "policy_evaluate",
        "What the policies in force decide on facts",
        &[SCENE, OPERATION, FACTS],
        of::<DecisionView>,
    ),
    method(
        "dispute_resolution",
        "How the last contention for a bill within a block ended (争议解决)",
        &[CODE, NUMBER],
        maybe::<ResolutionView>,
    ),
    method(
        "dispute_resolutions",
        "All contention for a bill, by block",
        &[CODE, NUMBER, CURSOR, LIMIT],
        page::<ResolutionView>,
    ),
    method("dispute_case", "A case (争议案件)", &[CASE], maybe::<CaseView>),
    method("dispute_decision", "What was decided in a case", &[CASE], maybe::<CaseDecisionView>),
    method(
        "dispute_cases",
        "The cases of a bill",
        &[CODE, NUMBER, CURSOR, LIMIT],
        page::<CaseView>,
    ),
    method(
        "dispute_acts",
        "What was done about a case (人工介入)",
        &[CASE, CURSOR, LIMIT],
        page::<ActView>,
    ),
];
