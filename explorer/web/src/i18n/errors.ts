/**
 * Why the chain refused something, in Chinese; in English its own words tell it. An error within another is
 * named with a point between (`Sender.Frozen`). What stands not here is shown in the chain's words.
 */

import { locale } from "./index";

const REFUSALS: Record<string, string> = {
  AdjustmentPending: "该票据已有待批准的调整", AlreadyExists: "票据已登记", AlreadyFilled: "该摘要已补录过，只能补录一次", AlreadyDecided: "该审批人已表态", AlreadyFinalized: "审批已完成", AlreadyLinked: "已关联",
  AlreadyOpen: "该票据已有未结案件", AlreadyRegistered: "已登记过", AlreadyRevoked: "该版本已撤销", AlreadyWhitelisted: "已在白名单中", AmountExceeded: "报销金额超过剩余金额", AmountNotPositive: "报销金额必须大于零",
  ApprovalIncomplete: "审批尚未完成", ApprovalRejected: "审批未通过", BalanceBill: "余额票不能登记", BalanceMismatch: "余额票与原票不符", BatchItem: "整批登记中有一张被拒绝，整批未登记", Bill: "票据不能登记", BillNotFound: "没有这张票据",
  Cancelled: "参与方已注销", CaseNotFound: "没有这个案件", Disabled: "接入节点已停用", DisputeLost: "同一区块中其他单位先取得了该票据", ElementMismatch: "五要素不一致", EvidenceMissing: "缺少证据摘要", Expired: "授权已过期",
  FieldMissing: "票据缺少该场景要求的字段", FieldRule: "票据不符合字段校验规则", FinalStatus: "票据已是终态", Frozen: "已冻结", Grant: "授权不可用", GrantRequired: "不在白名单中，需要授权", Holder: "持有方不能办理", HolderNotUser: "持有方不是用票单位",
  HolderKeyChanged: "授权方已更换密钥", HoldsAnotherRole: "职务冲突", IllegalTransition: "当前状态不允许此操作", Inactive: "已停用", Issuer: "开票单位不能办理", KeyInUse: "密钥已被使用", LinkForbidden: "只有开票单位和管理员可以关联",
  LockNotExpired: "锁定尚未到期", LockedByAdministrator: "管理员已锁定该票据", LockedByOther: "其他单位已锁定该票据", LockedForOtherClaim: "该单位已为另一笔报销锁定", NodeInactive: "接入节点未启用", NotActive: "参与方未处于有效状态", NotAdmin: "不是管理员",
  NotAdministrator: "不是管理员", NotAllotted: "号码不在已赋码的范围内", NotApproved: "场景登记尚待审批", NotDraft: "已不是草案", NotEffective: "所引用的策略未生效", NotFound: "没有找到", NotHolder: "不是持有方", NotInCharge: "不是授权方或登记平台",
  NotIssuer: "不是开票单位", NotLastPayer: "不是最近一次报销的单位", NotLinked: "接入节点未关联该参与方", NotLocked: "票据未锁定或锁定已到期", NotMember: "不是理事会成员", NotOpen: "案件已结", NotParty: "不是当事方", NotPlatform: "只有平台可以代为锁定", NotPreIssued: "不是预开的缴款书",
  NotProposer: "只有提案者可以撤回", NotRecorded: "链上尚无此摘要", NothingDiffers: "所报内容与链上一致", NothingToAdjust: "票据已是该状态", NothingToUpdate: "没有可补录的内容", NumberNotAllotted: "号码未赋码给该开票单位", NumberUsed: "号码已使用", OtherSubject: "授权对象不是该单位",
  OutOfScope: "票据不在授权范围内", Overlapping: "部分号码已赋码", OwnPolicy: "提交者不能审批自己的策略", OwnProposal: "提案者不能审批自己的提案", Participant: "参与方不能办理", Party: "关联方不能办理", PolicyDenied: "策略不允许", ProposalOpen: "该场景已有待审批的变更", RedBill: "红票不能登记",
  RedBillFixed: "红票不能锁定、报销、作废或冲红", RedMismatch: "红票与原蓝票不符", Revoked: "授权已撤销", RoleForbidden: "角色无权办理", RolesConflict: "管理与审计职责不能兼任", SameAdministrator: "提议者不能批准自己的调整", Scene: "场景不可用", SceneClaimed: "该场景已报销过这张票据",
  SceneExclusive: "该场景要求独占，而票据已部分报销", SceneInactive: "场景已停用", SceneNotFound: "没有这个场景", Sender: "发送方不能办理", SignedTimeOutOfBounds: "签名时间与出块时间相差过大", StaleVersion: "票据已被更新，版本不符", StatusUnchanged: "状态没有变化", Subject: "被授权方不能办理",
  SubjectIsHolder: "不能授权给自己", TooEarly: "表决尚未达到门槛", Transition: "状态转换规则不允许", Unchanged: "没有变化", VersionConflict: "版本冲突", VoidNotAllowed: "该场景不允许作废", WrongSubject: "授权对象不是该单位",
};

/** The refusal in words: Chinese where it is known, else the chain's. */
export function refusal(error: { name: string; docs: string }): string {
  if (locale.value !== "zh") return error.docs;
  const known = error.name.split(".").map((part) => (Object.hasOwn(REFUSALS, part) ? REFUSALS[part] : null));
  return known.includes(null) ? error.docs : known.join("：");
}
