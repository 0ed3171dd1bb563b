/** The chain's words in both languages: one row each, so that neither is forgotten. */

/** In Chinese and in English. */
export type Pair = readonly [zh: string, en: string];
type Rows = Record<string, Pair>;

const STATUS = {
  pre_issued: ["预开", "Pre-issued"], normal: ["正常", "Normal"], locked: ["已锁定", "Locked"],
  partly_reimbursed: ["部分报销", "Partly reimbursed"], reimbursed: ["已报销", "Reimbursed"],
  red_reversed: ["已冲红", "Reversed in red"], voided: ["已作废", "Voided"],
  active: ["有效", "Active"], frozen: ["冻结", "Frozen"], cancelled: ["注销", "Cancelled"], paused: ["暂停", "Paused"],
  disabled: ["停用", "Disabled"], draft: ["草案", "Draft"], effective: ["生效", "Effective"], revoked: ["已撤销", "Revoked"],
  open: ["进行中", "Open"], closed: ["已结案", "Closed"], approved: ["已通过", "Approved"], rejected: ["已驳回", "Rejected"],
  executed: ["已执行", "Executed"], disapproved: ["未通过", "Disapproved"], proposed: ["待表决", "Proposed"],
  withdrawn: ["已撤回", "Withdrawn"], success: ["成功", "Succeeded"], failed: ["失败", "Failed"], expired: ["已过期", "Expired"],
  done: ["完成", "Done"], running: ["进行中", "Under way"], ended: ["已结束", "Ended"],
} satisfies Rows;

const KIND = {
  blue: ["蓝票", "Blue bill"], red: ["红票", "Red bill"], payment_notice: ["电子缴款书", "Payment notice"],
} satisfies Rows;

const OPERATION = {
  register: ["登记", "Register"], pre_issue: ["预开", "Pre-issue"], confirm: ["确认", "Confirm"], void: ["作废", "Void"],
  lock: ["锁定", "Lock"], unlock: ["解锁", "Unlock"], expire_lock: ["锁定到期", "Lock expired"],
  admin_lock: ["管理锁定", "Lock by administrator"], admin_unlock: ["管理解锁", "Unlock by administrator"],
  reimburse: ["报销入账", "Reimburse"], reverse_use: ["入账撤销", "Take reimbursement back"],
  red_reverse: ["冲红", "Reverse in red"], adjust: ["状态调整", "Adjustment"], filled_in: ["补录字段", "Fields filled in"],
  update_summary: ["摘要更新", "Summary updated"],
} satisfies Rows;

const ROLE = {
  issuer: ["开票单位", "Issuer"], user: ["用票单位", "User of bills"], platform: ["平台", "Platform"], admin: ["管理员", "Administrator"],
  auditor: ["审计员", "Auditor"], operator: ["运营方", "Operator"], participant: ["参与方", "Participant"], public: ["公众", "Public"],
  administrator: ["系统管理员", "Administrator"], member: ["理事", "Council member"], validator: ["共识节点", "Validator"],
  system_administrator: ["系统管理员", "System administrator"], security_administrator: ["安全管理员", "Security administrator"],
  access_node: ["业务接入节点", "Access node"],
} satisfies Rows;

const PARTY = { organisation: ["机构", "Organisation"], person: ["个人", "Person"] } satisfies Rows;

const RELATION = {
  issuer: ["开票方", "Issuer"], payer_agent: ["缴款代理", "Payer's agent"], claimant: ["报销方", "Claimant"],
  insurer: ["承保方", "Insurer"], other: ["其他", "Other"], original: ["原蓝票", "Blue bill"], red: ["红票", "Red bill"],
  balance: ["余额票", "Balance bill"],
} satisfies Rows;

const ACT = {
  submitted: ["提交", "Submitted"], approved: ["同意", "Approved"], rejected: ["驳回", "Rejected"], finalised: ["审批完成", "Finalised"],
  made_effective: ["生效", "Made effective"], revoked: ["撤销", "Revoked"], replaced: ["被替换", "Replaced"], opened: ["立案", "Opened"],
  locked: ["锁定", "Locked"], unlocked: ["解锁", "Unlocked"], closed: ["结案", "Closed"], proposed: ["提案", "Proposed"],
  withdrawn: ["撤回", "Withdrawn"], registered: ["登记", "Registered"], frozen: ["冻结", "Frozen"], activated: ["激活", "Activated"],
  used: ["使用", "Used"], transferred: ["转移登记", "Transferred"], linked: ["关联", "Linked"], changed: ["变更", "Changed"],
  ended: ["结束", "Ended"], unlinked: ["解除关联", "Unlinked"], status_changed: ["状态变更", "Status changed"],
  key_rotated: ["密钥更换", "Key rotated"], info_updated: ["信息更新", "Information updated"], roles_changed: ["角色变更", "Roles changed"],
} satisfies Rows;

const SCENE_CHANGE = {
  register: ["登记场景", "Register the scene"], configure: ["配置字段与报销方式", "Configure fields and mode"],
  weight: ["设置权重", "Set the weight"], status: ["设置状态", "Set the status"],
} satisfies Rows;

const MODE = { exclusive: ["独占报销", "Exclusive"], cumulative: ["累计报销", "Cumulative"] } satisfies Rows;
const EFFECT = { deny: ["禁止", "Deny"], require: ["必须满足", "Require"], permit: ["允许", "Permit"] } satisfies Rows;
const PURPOSE = { lock: ["锁定", "Lock"], access: ["查阅", "Access"] } satisfies Rows;

const PALLET = {
  System: ["系统", "System"], Timestamp: ["时间戳", "Timestamp"], Utility: ["批量", "Utility"], Council: ["理事会", "Council"],
  CouncilMembership: ["理事会成员", "Council membership"], Validators: ["共识节点管理", "Validators"],
  Performance: ["链上性能管理", "Performance"], Upgrade: ["升级管理", "Upgrade"], Participation: ["共识参与", "Participation"],
  Participant: ["参与方管理合约", "Participants"], Permissions: ["权限触发规则合约", "Permissions"], Scene: ["场景管理合约", "Scenes"],
  BillRegister: ["票据登记合约", "Registration of bills"], BillUpdate: ["票据更新合约", "Changes of bills"],
  BillQuery: ["票据查询合约", "Queries of bills"], Allotment: ["赋码合约", "Allotment of numbers"],
  AccessNode: ["业务接入节点合约", "Access nodes"], Authorization: ["用票授权合约", "Grants"], Policy: ["策略合约", "Policies"],
  Dispute: ["争议解决合约", "Disputes"], BillVerify: ["票据核验合约", "Verification of bills"], Totals: ["合计", "Totals"],
  Cooling: ["冷热分层", "Cooling"],
} satisfies Rows;

/** Calls by contract and name. */
const CALL = {
  "AccessNode.register": ["登记接入节点", "Register an access node"], "AccessNode.set_status": ["设置接入节点状态", "Set an access node's status"],
  "AccessNode.link": ["关联参与方", "Link a participant"], "AccessNode.unlink": ["解除关联", "Unlink a participant"],
  "Allotment.allot": ["赋码", "Allot numbers"], "Allotment.give_back": ["退回号码", "Give numbers back"], "Allotment.void": ["作废号码", "Void numbers"],
  "Authorization.register_grant": ["登记授权", "Register a grant"], "Authorization.revoke": ["撤销授权", "Revoke a grant"],
  "Authorization.freeze": ["冻结授权", "Freeze a grant"], "Authorization.activate": ["激活授权", "Activate a grant"],
  "Authorization.record_use": ["记录用票", "Record a use"], "Authorization.record_transfer": ["记录凭证流转", "Record a transfer"],
  "BillRegister.register": ["登记票据", "Register a bill"], "BillRegister.register_batch": ["批量登记票据", "Register bills in a batch"],
  "BillRegister.pre_issue": ["预开缴款书", "Pre-issue a notice"], "BillRegister.confirm": ["确认缴款", "Confirm a payment"],
  "BillRegister.void": ["作废缴款书", "Void a notice"], "BillRegister.set_field_rules": ["设置字段校验规则", "Set field rules"],
  "BillRegister.link_party": ["关联参与方与票据", "Link a party to a bill"], "BillRegister.update_link": ["更新关联", "Update a link"],
  "BillUpdate.change_status": ["变更票据状态", "Change a bill's status"], "BillUpdate.red_reverse": ["冲红", "Reverse a bill in red"],
  "BillUpdate.update_summary": ["更新票据摘要", "Update a bill's summary"],
  "BillUpdate.change_status_batch": ["批量变更状态", "Change statuses in a batch"],
  "BillUpdate.update_summary_batch": ["批量更新摘要", "Update summaries in a batch"],
  "BillUpdate.propose_adjustment": ["提议状态调整", "Propose an adjustment"], "BillUpdate.approve_adjustment": ["批准状态调整", "Approve an adjustment"],
  "BillUpdate.withdraw_adjustment": ["撤回状态调整", "Withdraw an adjustment"], "BillVerify.report_mismatch": ["报告不一致", "Report a mismatch"],
  "Cooling.set_policy": ["设置冷热分层策略", "Set the cooling policy"], "Dispute.open_case": ["立案", "Open a case"],
  "Dispute.close_case": ["结案", "Close a case"], "Dispute.admin_lock": ["争议锁定", "Lock under a case"], "Dispute.admin_unlock": ["争议解锁", "Unlock under a case"],
  "Participant.register": ["登记参与方", "Register a participant"], "Participant.set_status": ["设置参与方状态", "Set a participant's status"],
  "Participant.rotate_key": ["更换密钥", "Rotate a key"], "Participant.update_info": ["更新参与方信息", "Update a participant"],
  "Participant.set_roles": ["设置角色", "Set roles"], "Participation.note_commit": ["记录上一块的提交", "Note the parent's commit"],
  "Performance.set_limits": ["设置上限", "Set limits"], "Performance.set_quotas": ["设置配额", "Set quotas"],
  "Performance.set_participant_quota": ["设置参与方配额", "Set a participant's quota"],
  "Permissions.set_transition_rule": ["设置状态转换规则", "Set a transition rule"],
  "Permissions.remove_transition_rule": ["移除状态转换规则", "Remove a transition rule"],
  "Permissions.set_admin": ["任命管理员", "Appoint an administrator"], "Permissions.remove_admin": ["免去管理员", "Remove an administrator"],
  "Permissions.set_whitelist": ["加入白名单", "Set the whitelist"], "Permissions.remove_whitelist": ["移出白名单", "Remove from the whitelist"],
  "Policy.submit": ["提交策略", "Submit a policy"], "Policy.submit_approval": ["提交审批意见", "Submit an approval"],
  "Policy.finalize_approval": ["完成审批", "Finalise the approval"], "Policy.set_status": ["设置策略状态", "Set a policy's status"],
  "Scene.register": ["登记场景", "Register a scene"], "Scene.configure": ["配置场景", "Configure a scene"], "Scene.set_weight": ["设置场景权重", "Set a scene's weight"],
  "Scene.set_status": ["设置场景状态", "Set a scene's status"], "Scene.submit_approval": ["审批场景", "Decide on a scene"], "Scene.withdraw": ["撤回场景提案", "Withdraw a proposal"],
  "Upgrade.schedule": ["安排升级", "Schedule a release"], "Upgrade.cancel": ["取消升级", "Cancel a release"], "Upgrade.confirm": ["确认就绪", "Confirm readiness"], "Upgrade.withdraw": ["撤回就绪", "Withdraw readiness"],
  "Validators.add_validator": ["增加共识节点", "Add a validator"], "Validators.remove_validator": ["移除共识节点", "Remove a validator"],
  "Validators.rotate_validator_key": ["更换共识密钥", "Rotate a validator's key"], "Validators.add_observer": ["增加观察节点", "Add an observer"],
  "Validators.remove_observer": ["移除观察节点", "Remove an observer"], "Validators.report_equivocations": ["报告双签", "Report equivocations"],
  "Validators.set_power": ["设置表决权", "Set voting power"], "Validators.set_peer_id": ["设置节点标识", "Set a peer id"],
  "Validators.set_operator": ["变更运营方", "Change the operator"], "Validators.set_address": ["设置地址", "Set an address"],
  "Council.propose": ["提出动议", "Propose a motion"], "Council.vote": ["表决", "Vote"], "Council.close": ["结束表决", "Close a motion"],
  "Council.execute": ["执行", "Execute"], "Council.disapprove_proposal": ["否决动议", "Disapprove a motion"], "Council.set_members": ["设置成员", "Set members"],
  "CouncilMembership.add_member": ["增加成员", "Add a member"], "CouncilMembership.remove_member": ["移除成员", "Remove a member"],
  "CouncilMembership.swap_member": ["替换成员", "Swap a member"], "CouncilMembership.change_key": ["更换账户", "Change an account"],
  "Timestamp.set": ["记录出块时间", "Set the block's time"], "Utility.batch": ["批量执行", "Batch"], "Utility.batch_all": ["全部批量执行", "Batch, all or nothing"],
  "Utility.force_batch": ["逐项批量执行", "Batch, each by itself"], "System.remark": ["备注", "Remark"],
} satisfies Rows;

/** Events by contract and name. */
const EVENT = {
  "AccessNode.Registered": ["登记接入节点", "Access node registered"],
  "AccessNode.StatusChanged": ["接入节点状态变更", "Access node's status changed"],
  "AccessNode.Linked": ["关联参与方", "Participant linked"],
  "AccessNode.Unlinked": ["解除关联", "Participant unlinked"],
  "Allotment.Allotted": ["赋码", "Numbers allotted"],
  "Allotment.GivenBack": ["号码退回", "Numbers given back"],
  "Allotment.NumbersVoided": ["号码作废", "Numbers voided"],
  "Authorization.GrantRegistered": ["授权登记", "Grant registered"],
  "Authorization.GrantFrozen": ["授权冻结", "Grant frozen"],
  "Authorization.GrantActivated": ["授权激活", "Grant activated"],
  "Authorization.GrantRevoked": ["授权撤销", "Grant revoked"],
  "Authorization.GrantUsed": ["授权使用", "Grant used"],
  "Authorization.TransferRecorded": ["凭证流转", "Transfer recorded"],
  "BillRegister.BillRegistered": ["票据登记", "Bill registered"],
  "BillRegister.UsccCheckDigitMismatch": ["信用代码校验位不符", "Credit code's check digit is wrong"],
  "BillRegister.BatchItemRefused": ["批次中一项被拒绝", "An item of a batch was refused"],
  "BillRegister.BatchCompleted": ["批次完成", "Batch completed"],
  "BillRegister.NoticeConfirmed": ["缴款书确认", "Payment notice confirmed"],
  "BillRegister.NoticeVoided": ["缴款书作废", "Payment notice voided"],
  "BillRegister.BatchItemDenied": ["批次中一项无权限", "An item of a batch was denied"],
  "BillRegister.RegistrationRepeated": ["重复登记", "Registration repeated"],
  "BillRegister.BatchItemFieldRefused": ["批次中一项字段不合规则", "A field of an item was refused"],
  "BillRegister.FieldRulesSet": ["字段校验规则设置", "Field rules set"],
  "BillRegister.PartyLinked": ["参与方关联", "Party linked"],
  "BillRegister.LinkUpdated": ["关联更新", "Link updated"],
  "BillUpdate.Confirmed": ["确认", "Confirmed"],
  "BillUpdate.Voided": ["作废", "Voided"],
  "BillUpdate.Locked": ["锁定", "Locked"],
  "BillUpdate.Unlocked": ["解锁", "Unlocked"],
  "BillUpdate.LockExpired": ["锁定到期", "Lock expired"],
  "BillUpdate.AdminLocked": ["管理锁定", "Locked by an administrator"],
  "BillUpdate.AdminUnlocked": ["管理解锁", "Unlocked by an administrator"],
  "BillUpdate.Reimbursed": ["报销入账", "Reimbursed"],
  "BillUpdate.UseReversed": ["入账撤销", "Reimbursement taken back"],
  "BillUpdate.RedReversed": ["冲红", "Reversed in red"],
  "BillUpdate.SummaryUpdated": ["摘要更新", "Summary updated"],
  "BillUpdate.LockRepeated": ["重复锁定", "Lock repeated"],
  "BillUpdate.BatchItemRefused": ["批次中一项被拒绝", "An item of a batch was refused"],
  "BillUpdate.BatchCompleted": ["批次完成", "Batch completed"],
  "BillUpdate.AdjustmentProposed": ["调整提议", "Adjustment proposed"],
  "BillUpdate.AdjustmentWithdrawn": ["调整撤回", "Adjustment withdrawn"],
  "BillUpdate.Adjusted": ["状态调整", "Adjusted"],
  "BillVerify.MismatchReported": ["报告不一致", "Mismatch reported"],
  "Cooling.PolicySet": ["冷热分层策略设置", "Cooling policy set"],
  "Cooling.LapBegan": ["冷热分层开始", "Cooling lap began"],
  "Cooling.LapEnded": ["冷热分层结束", "Cooling lap ended"],
  "Dispute.DisputeResolved": ["争用裁定", "Contention resolved"],
  "Dispute.CaseOpened": ["立案", "Case opened"],
  "Dispute.CaseClosed": ["结案", "Case closed"],
  "Dispute.LockedUnderCase": ["争议锁定", "Locked under the case"],
  "Dispute.UnlockedUnderCase": ["争议解锁", "Unlocked under the case"],
  "Participant.Registered": ["参与方登记", "Participant registered"],
  "Participant.StatusChanged": ["参与方状态变更", "Participant's status changed"],
  "Participant.KeyRotated": ["密钥更换", "Key rotated"],
  "Participant.InfoUpdated": ["信息更新", "Information updated"],
  "Participant.RolesChanged": ["角色变更", "Roles changed"],
  "Participation.TurnsSuspended": ["暂停出块", "Turns suspended"],
  "Participation.TurnsResumed": ["恢复出块", "Turns resumed"],
  "Performance.LimitsChanged": ["上限变更", "Limits changed"],
  "Performance.QuotasChanged": ["配额变更", "Quotas changed"],
  "Performance.ParticipantQuotaChanged": ["参与方配额变更", "Participant's quota changed"],
  "Performance.HeldBack": ["限流", "Held back"],
  "Permissions.RuleSet": ["规则设置", "Rule set"],
  "Permissions.RuleRemoved": ["规则移除", "Rule removed"],
  "Permissions.WhitelistSet": ["加入白名单", "Whitelist set"],
  "Permissions.WhitelistRemoved": ["移出白名单", "Removed from the whitelist"],
  "Permissions.AdminSet": ["管理员任命", "Administrator appointed"],
  "Permissions.AdminRemoved": ["管理员免去", "Administrator removed"],
  "Policy.PolicySubmitted": ["策略提交", "Policy submitted"],
  "Policy.ApprovalSubmitted": ["审批意见", "Approval submitted"],
  "Policy.ApprovalFinalized": ["审批完成", "Approval finalised"],
  "Policy.StatusChanged": ["策略状态变更", "Policy's status changed"],
  "Scene.SceneRegistered": ["场景登记", "Scene registered"],
  "Scene.SceneConfigured": ["场景配置", "Scene configured"],
  "Scene.WeightSet": ["权重设置", "Weight set"],
  "Scene.StatusSet": ["场景状态设置", "Status set"],
  "Scene.ChangeProposed": ["变更提案", "Change proposed"],
  "Scene.ProposalDecided": ["提案审批", "Proposal decided"],
  "Scene.ProposalWithdrawn": ["提案撤回", "Proposal withdrawn"],
  "Upgrade.ReleaseScheduled": ["安排升级", "Release scheduled"],
  "Upgrade.ReleaseCancelled": ["取消升级", "Release cancelled"],
  "Upgrade.ReadinessConfirmed": ["确认就绪", "Readiness confirmed"],
  "Upgrade.ReadinessWithdrawn": ["撤回就绪", "Readiness withdrawn"],
  "Upgrade.RulesChanged": ["规则更换", "Rules changed"],
  "Upgrade.ReleaseLapsed": ["升级失效", "Release lapsed"],
  "Validators.ValidatorAdded": ["增加共识节点", "Validator added"],
  "Validators.ValidatorRemoved": ["移除共识节点", "Validator removed"],
  "Validators.ValidatorKeyRotated": ["更换共识密钥", "Validator's key rotated"],
  "Validators.ValidatorPowerChanged": ["表决权变更", "Voting power changed"],
  "Validators.ValidatorPeerIdChanged": ["节点标识变更", "Peer id changed"],
  "Validators.ValidatorOperatorChanged": ["运营方变更", "Operator changed"],
  "Validators.ObserverAdded": ["增加观察节点", "Observer added"],
  "Validators.ObserverRemoved": ["移除观察节点", "Observer removed"],
  "Validators.AddressChanged": ["地址变更", "Address changed"],
  "Validators.EquivocationRecorded": ["双签记录", "Equivocation recorded"],
  "Council.Proposed": ["提出动议", "Motion proposed"],
  "Council.Voted": ["表决", "Voted"],
  "Council.Approved": ["动议通过", "Motion approved"],
  "Council.Disapproved": ["动议否决", "Motion disapproved"],
  "Council.Executed": ["动议执行", "Motion executed"],
  "Council.MemberExecuted": ["成员执行", "Executed by a member"],
  "Council.Closed": ["表决结束", "Motion closed"],
  "System.ExtrinsicSuccess": ["交易成功", "Transaction succeeded"],
  "System.ExtrinsicFailed": ["交易失败", "Transaction failed"],
  "System.NewAccount": ["新账户", "New account"],
  "System.KilledAccount": ["账户移除", "Account removed"],
  "System.CodeUpdated": ["程序更新", "Code updated"],
  "Utility.BatchInterrupted": ["批量中断", "Batch interrupted"],
  "Utility.BatchCompleted": ["批量完成", "Batch completed"],
  "Utility.BatchCompletedWithErrors": ["批量完成（有错误）", "Batch completed with errors"],
  "Utility.ItemCompleted": ["一项完成", "Item completed"],
  "Utility.ItemFailed": ["一项失败", "Item failed"],
} satisfies Rows;

const FIELD = {
  code: ["票据代码", "Code"], number: ["票据号码", "Number"], check_code: ["校验码", "Check code"], kind: ["票据类型", "Kind"],
  issue_date: ["开票日期", "Issue date"], issue_time: ["开票时间", "Issue time"], total_fen: ["金额合计", "Total"], total: ["金额合计", "Total"],
  issuer: ["开票单位", "Issuer"], issuer_uscc: ["统一社会信用代码", "Credit code"], payer_type: ["交款人类型", "Payer's type"],
  payer_ref: ["交款人引用", "Payer reference"], scene: ["业务场景", "Scene"], biz_no_hash: ["业务流水号摘要", "Business number, hashed"],
  xml_hash: ["XML 摘要 (SM3)", "SM3 of the XML"], pdf_hash: ["PDF 摘要 (SM3)", "SM3 of the PDF"], location_hash: ["存储位置摘要", "Location, hashed"],
  related: ["相关票据", "Related bill"], status: ["状态", "Status"], version: ["版本", "Version"], version_hash: ["版本哈希", "Version hash"],
  lock: ["锁定", "Lock"], reimbursements: ["报销", "Reimbursements"], reimbursed_fen: ["已报销金额", "Reimbursed"], updated: ["更新时间", "Updated"],
  bill: ["票据", "Bill"], exists: ["是否存在", "Exists"], holder: ["持有方", "Holder"], claim_no: ["报销单号", "Claim number"],
  name: ["名称", "Name"], roles: ["角色", "Roles"], reason: ["原因", "Reason"], evidence: ["证据摘要", "Evidence"], weight: ["权重", "Weight"],
  mode: ["报销方式", "Mode"], rules: ["规则", "Rules"], conditions: ["条件", "Conditions"], priority: ["优先级", "Priority"], effect: ["效果", "Effect"],
  scenes: ["场景", "Scenes"], operations: ["操作", "Operations"], keywords: ["关键词", "Keywords"], lock_period: ["锁定期限", "Lock period"],
  public_key: ["公钥", "Public key"], did: ["分布式身份", "DID"], subject: ["被授权方", "Subject"], valid_from: ["生效时间", "Valid from"],
  valid_until: ["失效时间", "Valid until"], signed_at: ["签名时间", "Signed at"], grant: ["授权", "Grant"], amount_fen: ["金额", "Amount"], fen: ["金额", "Amount"],
  key: ["票据", "Bill"], change: ["变更", "Change"], expected_version: ["预期版本", "Expected version"], bills: ["票据", "Bills"], summary: ["摘要", "Summary"],
  registration: ["登记", "Registration"], expires: ["到期时间", "Expires"], on_behalf_of: ["代理对象", "On behalf of"], participant: ["参与方", "Participant"],
  node: ["接入节点", "Access node"], proposal: ["提案", "Proposal"], comment: ["意见", "Comment"], threshold: ["门槛", "Threshold"], motion: ["动议", "Motion"],
  from: ["起始状态", "From"], to: ["结果状态", "To"], operation: ["操作", "Operation"], index: ["序号", "Index"], approve: ["同意", "Approve"], operator: ["操作者", "Operator"], first: ["起", "First"], last: ["止", "Last"],
} satisfies Rows;

/** What somebody did, in the access log. */
const LOOK = {
  bill: ["查看票据", "Looked at a bill"], bill_refused: ["查看票据被拒绝", "Was refused a bill"], bills: ["查询票据列表", "Listed bills"], verify: ["核验票据", "Checked a bill"],
  certificate: ["获取链上凭证", "Took a certificate"], transaction: ["查看交易", "Looked at a transaction"], export: ["导出", "Exported"], search: ["搜索", "Searched"], grant: ["查看授权", "Looked at a grant"],
  dispute: ["查看争议", "Looked at a case"], access_log: ["查看日志", "Looked at the log"], login: ["登录", "Signed in"], login_refused: ["登录被拒绝", "Was refused to sign in"], users: ["管理用户", "Managed users"],
} satisfies Rows;

/** Class and kind of a bill, from its code (票据分类、种类): those that public sources tell. */
const CLASS = {
  "06": ["医疗收费票据", "Medical receipts"], "0601": ["医疗门诊收费票据", "Outpatient receipts"],
  "0602": ["医疗住院收费票据", "Inpatient receipts"],
} satisfies Rows;

/** Provinces by GB/T 2260, with which a bill's code begins. */
const REGION = {
  "11": ["北京市", "Beijing"], "12": ["天津市", "Tianjin"], "13": ["河北省", "Hebei"],
  "14": ["山西省", "Shanxi"], "15": ["内蒙古自治区", "Inner Mongolia"], "21": ["辽宁省", "Liaoning"],
  "22": ["吉林省", "Jilin"], "23": ["黑龙江省", "Heilongjiang"], "31": ["上海市", "Shanghai"],
  "32": ["江苏省", "Jiangsu"], "33": ["浙江省", "Zhejiang"], "34": ["安徽省", "Anhui"],
  "35": ["福建省", "Fujian"], "36": ["江西省", "Jiangxi"], "37": ["山东省", "Shandong"],
  "41": ["河南省", "Henan"], "42": ["湖北省", "Hubei"], "43": ["湖南省", "Hunan"],
  "44": ["广东省", "Guangdong"], "45": ["广西壮族自治区", "Guangxi"], "46": ["海南省", "Hainan"],
  "50": ["重庆市", "Chongqing"], "51": ["四川省", "Sichuan"], "52": ["贵州省", "Guizhou"],
  "53": ["云南省", "Yunnan"], "54": ["西藏自治区", "Tibet"], "61": ["陕西省", "Shaanxi"],
  "62": ["甘肃省", "Gansu"], "63": ["青海省", "Qinghai"], "64": ["宁夏回族自治区", "Ningxia"],
  "65": ["新疆维吾尔自治区", "Xinjiang"], "71": ["台湾省", "Taiwan"], "81": ["香港特别行政区", "Hong Kong"],
  "82": ["澳门特别行政区", "Macao"],
} satisfies Rows;

export const words = {
  status: STATUS, kind: KIND, operation: OPERATION, role: ROLE, party: PARTY, relation: RELATION, act: ACT, sceneChange: SCENE_CHANGE,
  mode: MODE, effect: EFFECT, purpose: PURPOSE, pallet: PALLET, call: CALL, event: EVENT, field: FIELD, billClass: CLASS, look: LOOK, region: REGION,
} as const satisfies Record<string, Rows>;
