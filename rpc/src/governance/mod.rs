//! `scene_*`, `permission_*`, `policy_*`, `dispute_*`, `validator_*`, `consensus_*`,
//! `upgrade_*` and `cooling_*`, in plain JSON.

mod consensus;
mod cooling;
mod dispute;
mod permission;
mod policy;
mod scene;
mod upgrade;
mod validator;

use crate::method::{
    Bound, CODE, CURSOR, LIMIT, Method, NUMBER, Param, SCENE, list, maybe, method, of, optional,
    page, read, required, wait,
};
use billchain_rpc_types::{
    ActView, AdministratorView, CaseDecisionView, CaseView, CheckView, ConsensusStatusView,
    CoolingStatusView, DecisionView, DocumentView, EquivocationView, FlowView, InForceView,
    ParticipationView, PermissionCheckView, PolicyRef, PolicyView, ResolutionView, RuleView,
    RulesView, SceneApprovalView, SceneView, SimulationView, TrailStepView, UpgradeView,
    ValidatorListView, WhitelistEntryView, schema,
};

const POLICY: Param = required("policy", "Number of the policy (策略)", of::<schema::PolicyId>);
const VERSION: Param = required("version", "Number of the version (版本号)", of::<u32>);
const OPERATION: Param = required("operation", "What is to be done", of::<schema::Guarded>);
const DOCUMENT: Param = required("document", "The document", of::<schema::Document>);
const FACTS: Param = required("facts", "Fields and their values", of::<schema::Facts>);
const FROM: Param = optional("from", "First moment", maybe::<schema::Moment>);
const TO: Param = optional("to", "Last moment", maybe::<schema::Moment>);
const RULES_VERSION: Param = optional(
    "version",
    "Version of the rules, of the last 4,097; null: those in force",
    maybe::<u32>,
);
const CASE: Param = required("case", "Number of the case", of::<u32>);

/// A document, as an object, as its text or in hex.
const DOCUMENTS: Bound =
    Bound::ONE.of(1, "document").params_kib(6 * pallet_policy::MAX_BODY / 1024 + 16).heavy();

/// All rules, and the changes since the version asked for.
const RULES: Bound = Bound::ONE.of(1_024 + permission::MAX_BACK, "rules and changes").heavy();

pub(crate) const METHODS: &[Method] = &[
    method(
        "scene_get",
        "A business scene (业务场景)",
        &[SCENE],
        maybe::<SceneView>,
        read!(scene::get),
    ),
    method(
        "scene_list",
        "All business scenes (业务场景)",
        &[CURSOR, LIMIT],
        page::<SceneView>,
        read!(scene::list),
    )
    .within(Bound::PAGE),
    method(
        "scene_weight",
        "A scene's weight in contention (场景权重)",
        &[SCENE],
        maybe::<u16>,
        read!(scene::weight),
    ),
    method(
        "scene_proposals",
        "The changes of scenes that await a second administrator",
        &[],
        list::<SceneApprovalView>,
        read!(scene::proposals),
    )
    .within(Bound::ONE.of(100, "proposals").answer_kib(2 << 10)),
    method(
        "scene_approvals",
        "The ended proposals of a scene (场景审批流), oldest first",
        &[SCENE, CURSOR, LIMIT],
        page::<SceneApprovalView>,
        read!(scene::approvals),
    )
    .within(Bound::PAGE),
    method(
        "permission_check",
        "Whether roles may do something with a bill (票据状态权限)",
        &[
            required(
                "status",
                "Status of the bill; null: it does not exist yet",
                maybe::<schema::BillStatusWord>,
            ),
            required("operation", "What is to be done", of::<schema::Operation>),
            required("role", "A role, or a list of roles", of::<schema::Any>),
            SCENE,
        ],
        of::<PermissionCheckView>,
        read!(permission::check),
    ),
    method(
        "permission_rules",
        "One version of the status machine (触发规则)",
        &[RULES_VERSION],
        maybe::<RulesView>,
        read!(permission::rules),
    )
    .within(RULES.answer_kib(2 << 10)),
    method(
        "permission_rule",
        "One rule of the status machine",
        &[
            required(
                "status",
                "Status of the bill; null: it does not exist yet",
                maybe::<schema::BillStatusWord>,
            ),
            required("operation", "What is done", of::<schema::Operation>),
            RULES_VERSION,
            optional(
                "scene",
                "The scene whose own rule is meant; null: the general rule",
                maybe::<schema::SceneId>,
            ),
        ],
        maybe::<RuleView>,
        read!(permission::rule),
    )
    .within(RULES),
    method(
        "permission_admins",
        "The administrators (三员)",
        &[],
        list::<AdministratorView>,
        read!(permission::admins),
    )
    .within(Bound::ONE.of(64, "administrators")),
    method(
        "permission_whitelist",
        "Who locks without a grant (白名单免授权)",
        &[
            optional("scene", "Number of the scene; null: all scenes", maybe::<schema::SceneId>),
            CURSOR,
            LIMIT,
        ],
        page::<WhitelistEntryView>,
        read!(permission::whitelist),
    )
    .within(Bound::PAGE),
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
        read!(policy::get),
    ),
    method(
        "policy_document",
        "The document of a version, as it was submitted",
        &[POLICY, VERSION],
        maybe::<DocumentView>,
        read!(policy::document),
    )
    .within(Bound::ONE.of(1, "document")),
    method(
        "policy_byKeyword",
        "The versions with a keyword (关键词检索)",
        &[required("keyword", "关键词", of::<schema::Keyword>)],
        list::<PolicyRef>,
        read!(policy::by_keyword),
    )
    .within(Bound::ONE.answer_kib(2 << 10)),
    method(
        "policy_byStatus",
        "The versions of a status (草稿/生效/废止)",
        &[required("status", "`draft`, `effective` or `revoked`", of::<String>), CURSOR, LIMIT],
        page::<PolicyRef>,
        read!(policy::by_status),
    )
    .within(Bound::PAGE),
    method(
        "policy_flow",
        "The approval flow of a version with its hashes (审批流)",
        &[POLICY, VERSION],
        maybe::<FlowView>,
        read!(policy::flow),
    )
    .within(Bound::ONE.answer_kib(2 << 10)),
    method(
        "policy_trailByTime",
        "Steps of all approval flows of a span of time (审批流追溯)",
        &[FROM, TO, CURSOR, LIMIT],
        page::<TrailStepView>,
        read!(policy::trail_by_time),
    )
    .within(Bound::PAGE),
    method(
        "policy_trailByActor",
        "Steps of one participant in all approval flows (审批流追溯)",
        &[required("actor", "DID of who acted", of::<schema::Did>), FROM, TO, CURSOR, LIMIT],
        page::<TrailStepView>,
        read!(policy::trail_by_actor),
    )
    .within(Bound::PAGE),
    method(
        "policy_inForce",
        "The policies in force, in the order they are asked",
        &[SCENE, OPERATION],
        list::<InForceView>,
        read!(policy::in_force),
    )
    .within(Bound::ONE.answer_kib(2 << 10)),
    method(
        "policy_check",
        "What is wrong with a document (语法/语义校验)",
        &[DOCUMENT],
        of::<CheckView>,
        read!(policy::check),
    )
    .within(DOCUMENTS),
    method(
        "policy_simulate",
        "What a document would say of facts (仿真验证)",
        &[DOCUMENT, FACTS],
        of::<SimulationView>,
        read!(policy::simulate),
    )
    .within(DOCUMENTS),
    method(
        "policy_evaluate",
        "What the policies in force decide on facts",
        &[SCENE, OPERATION, FACTS],
        of::<DecisionView>,
        read!(policy::evaluate),
    )
    .within(Bound::ONE.params_kib(16)),
    method(
        "dispute_resolution",
        "How the last contention for a bill within a block ended (争议解决)",
        &[CODE, NUMBER],
        maybe::<ResolutionView>,
        read!(dispute::resolution),
    ),
    method(
        "dispute_resolutions",
        "All contention for a bill, by block",
        &[CODE, NUMBER, CURSOR, LIMIT],
        page::<ResolutionView>,
        read!(dispute::resolutions),
    )
    .within(Bound::PAGE),
    method("dispute_case", "A case (争议案件)", &[CASE], maybe::<CaseView>, read!(dispute::one)),
    method(
        "dispute_decision",
        "What was decided in a case",
        &[CASE],
        maybe::<CaseDecisionView>,
        read!(dispute::decision),
    ),
    method(
        "dispute_cases",
        "The cases of a bill",
        &[CODE, NUMBER, CURSOR, LIMIT],
        page::<CaseView>,
        read!(dispute::cases),
    )
    .within(Bound::PAGE),
    method(
        "dispute_acts",
        "What was done about a case (人工介入)",
        &[CASE, CURSOR, LIMIT],
        page::<ActView>,
        read!(dispute::acts),
    )
    .within(Bound::PAGE),
    method(
        "validator_list",
        "The validators of the next block, and the observers (共识节点、观察节点)",
        &[],
        of::<ValidatorListView>,
        read!(validator::all),
    )
    .within(Bound::ONE.of(2, "lists")),
    method(
        "validator_participation",
        "Whose pre-commits are missing, and who takes turns to propose (共识参与情况)",
        &[],
        of::<Vec<ParticipationView>>,
        read!(validator::participation),
    )
    .within(Bound::ONE.of(3, "lists")),
    method(
        "validator_equivocations",
        "Two signed statements of one validator that exclude each other, on record",
        &[CURSOR, LIMIT],
        page::<EquivocationView>,
        read!(validator::equivocations),
    )
    .within(Bound::PAGE.of(2_048, "records").heavy()),
    method(
        "consensus_status",
        "Where the node stands: height, round and votes at hand, what was seen of validators and \
         peers, its chain, its machine (共识状态)",
        &[],
        of::<ConsensusStatusView>,
        wait!(consensus::nothing, consensus::status),
    )
    .within(Bound::MEMORY.of(1, "report")),
    method(
        "upgrade_status",
        "Rules in force, the scheduled release, and whose nodes are ready (升级状态)",
        &[],
        of::<UpgradeView>,
        read!(upgrade::status),
    )
    .within(Bound::ONE.of(4, "entries")),
    method(
        "cooling_status",
        "What becomes cold, how far a lap is, and what is hot and cold here (冷热分层状态)",
        &[],
        of::<CoolingStatusView>,
        read!(cooling::status),
    )
    .within(Bound::ONE.of(4_096, "segments").heavy()),
];
