//! `scene_*`: business scenes and their approvals, in plain JSON.

use crate::{
    context::Context,
    error::{Answer, chain},
    method::{Args, cut, decoded_page},
};
use billchain_primitives::SceneId;
use billchain_rpc_types::{Page, SceneApprovalView, SceneChangeView, SceneView};
use billchain_runtime::Runtime;
use pallet_scene::{
    Decision, Outcome, Proposal, Scene, SceneChange, SceneStatus, Trail, TrailRecord, Trails,
    trail_prefix,
};

type Contract = pallet_scene::Pallet<Runtime>;

fn read<R>(context: &Context, f: impl FnOnce() -> R) -> Answer<R> {
    context.deps.chain.read(f).map_err(chain)
}

/// The scene with a number; `null` if there is none, or its registration
/// awaits approval.
pub(super) fn get(context: &Context, args: &Args) -> Answer<Option<SceneView>> {
    let id = args.scene(0)?;
    read(context, || Some(view(id, Contract::scene(id)?)))
}

/// All scenes, paged; the cursor is a scene's number.
pub(super) fn list(context: &Context, args: &Args) -> Answer<Page<SceneView>> {
    let after: Option<u16> = args.optional(0, "cursor")?;
    let limit = args.limit(1)?;
    let found = read(context, || {
        let scenes = Contract::scenes(after.map(SceneId), limit + 1);
        scenes.into_iter().map(|(id, scene)| view(id, scene)).collect()
    })?;
    Ok(cut(found, limit, |last: &SceneView| last.scene.0.to_string()))
}

/// A scene's weight in contention; `null` if there is no such scene.
pub(super) fn weight(context: &Context, args: &Args) -> Answer<Option<u16>> {
    let id = args.scene(0)?;
    read(context, || Contract::scene(id).map(|scene| scene.rules.weight))
}

/// The proposals that await approval, the oldest first.
pub(super) fn proposals(context: &Context, _: &Args) -> Answer<Vec<SceneApprovalView>> {
    let found = read(context, Contract::proposals)?;
    Ok(found.into_iter().map(|(id, proposal)| approval(id, proposal)).collect())
}

/// The ended proposals of a scene, the first first, paged.
pub(super) fn approvals(context: &Context, args: &Args) -> Answer<Page<SceneApprovalView>> {
    let id = args.scene(0)?;
    decoded_page(context, &trail_prefix(id), args, 1, "record", |record| Ok(ended(id, record)))
}

/// Runs inside a read of the state.
fn view(id: SceneId, scene: Scene) -> SceneView {
    let Trail { records, hash } = Trails::<Runtime>::get(id);
    SceneView {
        scene: id,
        name: scene.name,
        status: status(scene.status),
        rules: scene.rules,
        related_data: scene.related_data.into_inner(),
        version: scene.version,
        updated: scene.updated.into(),
        open_proposal: Contract::proposal(id).map(|proposal| proposal.id),
        approvals: records,
        approvals_hash: hash,
    }
}

fn status(status: SceneStatus) -> String {
    match status {
        SceneStatus::Active => "active",
        SceneStatus::Disabled => "disabled",
    }
    .to_owned()
}

/// A proposal that awaits approval.
fn approval(scene: SceneId, proposal: Proposal) -> SceneApprovalView {
    SceneApprovalView {
        proposal: proposal.id,
        scene,
        change: match proposal.change {
            SceneChange::Register { name, rules, related_data } => {
                SceneChangeView::Register { name, rules, related_data: related_data.into_inner() }
            }
            SceneChange::Configure { rules, related_data } => {
                SceneChangeView::Configure { rules, related_data: related_data.into_inner() }
            }
            SceneChange::Weight(weight) => SceneChangeView::Weight { weight },
            SceneChange::Status(to) => SceneChangeView::Status { status: status(to) },
        },
        proposer: proposal.proposer,
        proposed: proposal.proposed.into(),
        reason: proposal.reason.to_string(),
        result: "open".into(),
        approver: None,
        comment: None,
        ended: None,
    }
}

fn ended(scene: SceneId, record: TrailRecord) -> SceneApprovalView {
    let (result, approver, comment) = match record.outcome {
        Outcome::Decided { decision, approver, comment } => {
            let result = match decision {
                Decision::Approved => "approved",
                Decision::Rejected => "rejected",
            };
            (result, Some(approver), comment)
        }
        Outcome::Withdrawn { reason } => ("withdrawn", None, reason),
    };
    SceneApprovalView {
        result: result.into(),
        approver,
        comment: Some(comment.to_string()),
        ended: Some(record.ended.into()),
        ..approval(scene, record.proposal)
    }
}
