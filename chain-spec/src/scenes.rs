//! The standard scenes.

use crate::Scene;
use billchain_primitives::{
    Keyword, Name, SceneId, SummaryFields,
    seams::{AccessNodePolicy, ReimbursementMode, SceneTerms, VoidPolicy},
};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

impl Scene {
    /// The scenes a chain begins with if nothing else is said: bills of medical
    /// care are reimbursed once (scene 1) or by several payers one after the
    /// other (scenes 2 to 4: medical insurance, then commercial insurance, then
    /// subsidies).
    pub fn standard() -> Vec<Self> {
        use ReimbursementMode::{Cumulative, Exclusive};
        [
            (1, "医疗收费", Exclusive, 100, &["诊疗记录"] as &[&str]),
            (2, "医疗保险报销", Cumulative, 90, &["诊疗记录", "病历", "住院出院小结"]),
            (3, "商业保险理赔", Cumulative, 80, &["诊疗记录", "病历", "住院出院小结"]),
            (4, "专项补助", Cumulative, 70, &["诊疗记录"]),
        ]
        .into_iter()
        .map(|(id, name, mode, weight, related_data)| Self {
            id: SceneId(id),
            name: Name::new(name).expect("the names here are short texts; qed"),
            rules: SceneTerms {
                mode,
                weight,
                lock_period_ms: 30 * DAY_MS,
                void: VoidPolicy::Refused,
                access_node: AccessNodePolicy::NotRequired,
                required: SummaryFields::NONE,
            },
            related_data: related_data
                .iter()
                .map(|kind| Keyword::new(kind).expect("the kinds here are short texts; qed"))
                .collect::<Vec<_>>()
                .try_into()
                .expect("three kinds at most; qed"),
        })
        .collect()
    }
}
