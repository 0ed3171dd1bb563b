//! What a validator does with the core's wishes and with what comes in.

use super::*;

impl Side {
    pub(super) fn effect(
        &mut self,
        effect: Effect<BillContext>,
    ) -> Result<Resume<BillContext>, String> {
        let send = |message| Wish::Send(Message::Consensus(message));
        Ok(match effect {
            Effect::CancelAllTimeouts(r) => {
                self.timers.clear();
                r.resume_with(())
            }
            Effect::CancelTimeout(timeout, r) => {
                self.timers.remove(&timeout);
                r.resume_with(())
            }
            Effect::ScheduleTimeout(timeout, r) => {
                self.ticks += 1;
                self.timers.insert(timeout, self.ticks);
                let duration = timeouts().duration_for(timeout);
                self.wishes.push(Wish::Timer(timeout, self.ticks, duration));
                r.resume_with(())
            }
            Effect::StartRound(height, round, proposer, _, r) => {
                self.flush();
                self.on_started_round(height, round, proposer);
                r.resume_with(())
            }
            Effect::PublishConsensusMsg(message, r) => {
                self.flush();
                self.wishes.push(Wish::Signed(message.clone()));
                self.wishes.push(send(message));
                r.resume_with(())
            }
            Effect::PublishLivenessMsg(message, r) => {
                self.wishes.push(match message {
                    LivenessMsg::Vote(vote) => send(SignedConsensusMsg::Vote(vote)),
                    LivenessMsg::PolkaCertificate(polka) => Wish::Send(Message::Polka(polka)),
                    LivenessMsg::SkipRoundCertificate(certificate) => {
                        Wish::Send(Message::RoundCertificate(certificate))
                    }
                });
                r.resume_with(())
            }
            Effect::RepublishVote(vote, r) => {
                self.wishes.push(send(SignedConsensusMsg::Vote(vote)));
                r.resume_with(())
            }
            Effect::RepublishRoundCertificate(certificate, r) => {
                self.wishes.push(Wish::Send(Message::RoundCertificate(certificate)));
                r.resume_with(())
            }
            Effect::GetValue(height, round, _, r) => {
                self.on_get_value(height, number(round));
                r.resume_with(())
            }
            Effect::RestreamProposal(_, _, _, _, hash, r) => {
                self.publish(&hash);
                r.resume_with(())
            }
            Effect::CertVerifiedSyncValue(value, proposer, r) => {
                let round = number(value.certificate.round);
                self.progress.synced(value.certificate.height);
                self.work.decided = Some(Job::Decided(value.value_bytes, Some((round, proposer))));
                r.resume_with(())
            }
            Effect::Decide(certificate, _, r) => {
                self.flush();
                self.on_decided(&CommitCertificate::from_engine(&certificate).expect("of a round"));
                r.resume_with(())
            }
            Effect::Finalize(_, _, evidence, r) => {
                self.wishes.push(Wish::Charged(equivocations(&evidence)));
                let next = self.progress.asked().expect("the core asks in its turn");
                assert_eq!(next, Next::Nothing, "the commit takes its time");
                r.resume_with(())
            }
            Effect::SignVote(vote, r) => r.resume_with(SignedMessage::new(vote, self.signature)),
            Effect::SignProposal(proposal, r) => {
                r.resume_with(SignedMessage::new(proposal, self.signature))
            }
            Effect::WalAppend(height, entry, r) => {
                if !self.recovering && height == self.progress.height() {
                    self.disk.log.push(entry);
                }
                r.resume_with(())
            }
            // The world lets nobody send in another's name.
            Effect::VerifySignature(_, _, r) => r.resume_with(true),
            Effect::VerifyCommitCertificate(.., r) => r.resume_with(Ok(())),
            Effect::VerifyPolkaCertificate(.., r) => r.resume_with(Ok(())),
            Effect::VerifyRoundCertificate(.., r) => r.resume_with(Ok(())),
            Effect::VerifyExtendedCommitCertificate(.., r) => r.resume_with(Ok(())),
            Effect::CertRejectedSyncValue(.., r) => r.resume_with(()),
            Effect::ExtendVote(.., r) => r.resume_with(None),
            Effect::VerifyVoteExtension(.., r) => r.resume_with(Ok(())),
        })
    }

    pub(super) fn flush(&mut self) {
        if !self.recovering {
            self.disk.flushed = self.disk.log.len();
        }
    }

    pub(super) fn on_started_round(
        &mut self,
        height: Height,
        round: EngineRound,
        proposer: Address,
    ) {
        let round = number(round);
        self.progress.started_round(height, round);
        let view = view(&self.progress, &self.validators, &self.support);
        self.proposals.round_began(&view);
        for block in self.store.of_round(height, round) {
            let proposer = block.announced.as_ref().map_or(proposer, |signed| signed.proposer);
            self.tell(
                height,
                block.round,
                proposer,
                block.hash,
                Validity::Valid,
                ValueOrigin::Consensus,
            );
            if proposer == self.own {
                self.publish(&block.hash);
            }
        }
    }

    pub(super) fn tell(
        &mut self,
        height: Height,
        round: Round,
        proposer: Address,
        hash: BlockHash,
        validity: Validity,
        origin: ValueOrigin,
    ) {
        let value = ProposedValue {
            height,
            round: round.into(),
            valid_round: EngineRound::Nil,
            proposer,
            value: BlockValue(hash),
            validity,
        };
        self.inbox.push_back(Input::ProposedValue(value, origin));
    }

    pub(super) fn on_get_value(&mut self, height: Height, round: Round) {
        if height != self.progress.height() {
            return;
        }
        let supported = || self.support.leader().and_then(|hash| self.store.get(&hash).cloned());
        match self.own_block(height, round).or_else(supported) {
            Some(block) => self.propose(round, block.hash),
            None => self.work.propose = Some(Job::Propose(round)),
        }
    }

    /// What this node built for a round.
    pub(super) fn own_block(&self, height: Height, round: Round) -> Option<Arc<StoredBlock>> {
        let ours = |block: &Arc<StoredBlock>| {
            block.announced.as_ref().is_some_and(|announced| announced.proposer == self.own)
        };
        self.store.of_round(height, round).into_iter().find(ours)
    }

    pub(super) fn on_built(&mut self, round: Round, id: BlockId) {
        let height = self.progress.height();
        let hash = hash_of(id);
        let announced = announced(height, round, self.own, hash, self.signature);
        let bytes = bytes_of(id);
        self.keep(StoredBlock { height, round, hash, announced: Some(announced), bytes });
        self.propose(round, hash);
    }

    pub(super) fn propose(&mut self, round: Round, hash: BlockHash) {
        self.publish(&hash);
        let height = self.progress.height();
        let value = LocallyProposedValue::new(height, round.into(), BlockValue(hash));
        self.inbox.push_back(Input::Propose(value));
    }

    pub(super) fn publish(&mut self, hash: &BlockHash) {
        let Some(block) = self.store.get(hash) else { return };
        if let Some(announced) = &block.announced {
            let message = Message::Block(announced.clone(), block.bytes.clone());
            self.wishes.push(Wish::Send(message));
        }
    }

    pub(super) fn keep(&mut self, block: StoredBlock) {
        let (hash, block) = (block.hash, Arc::new(block));
        self.disk.undecided.insert(hash, block.clone());
        let _ = self.store.insert(block, &self.support);
        if self.missing.is_some()
            && self.progress.found(&hash)
            && let Some(certificate) = self.missing.take()
            && let Some(block) = self.store.get(&hash).cloned()
        {
            self.work.commit = Some(Job::Commit(block, certificate));
        }
    }

    pub(super) fn on_block(&mut self, announced: SignedAnnouncement, bytes: Bytes) -> Next {
        if self.store.get(&announced.block_hash).is_some() {
            return Next::Nothing;
        }
        let view = view(&self.progress, &self.validators, &self.support);
        if self.proposals.judge(&view, &announced, |_| true) != Ok(Wanted::Yes) {
            return Next::Nothing;
        }
        match self.proposals.complete(&view, Received { announced, bytes, reply: () }) {
            Ok(Taken::Now) => self.progress.others_began(),
            _ => Next::Nothing,
        }
    }

    pub(super) fn on_checked(&mut self, received: Received<Port>, judgement: Judgement) {
        let announced = received.announced.announcement.clone();
        let (height, hash) = (announced.height, announced.block_hash);
        let origin = ValueOrigin::Consensus;
        let (round, proposer) = (announced.round, announced.proposer);
        let verdict = match judgement {
            Judgement::Valid => {
                let (signed, bytes) = (received.announced, received.bytes);
                self.keep(StoredBlock { height, round, hash, announced: Some(signed), bytes });
                self.tell(height, round, proposer, hash, Validity::Valid, origin);
                Verdict::Valid
            }
            Judgement::Invalid => {
                self.tell(height, round, proposer, hash, Validity::Invalid, origin);
                Verdict::Invalid
            }
            Judgement::Untimely => Verdict::Untimely(Box::new(received)),
        };
        let view = view(&self.progress, &self.validators, &self.support);
        self.proposals.checked(&view, &announced, verdict);
    }

    pub(super) fn on_decided_checked(
        &mut self,
        bytes: Bytes,
        sync: Option<(Round, Address)>,
        judgement: Judgement,
    ) {
        if !matches!(judgement, Judgement::Valid) {
            return;
        }
        let (height, hash) = (self.progress.height(), hash_of(id_of(&bytes)));
        let round = sync.map_or(Round::FIRST, |(round, _)| round);
        self.keep(StoredBlock { height, round, hash, announced: None, bytes });
        if let Some((round, proposer)) = sync {
            self.behind = true;
            self.tell(height, round, proposer, hash, Validity::Valid, ValueOrigin::Sync);
        }
    }

    pub(super) fn on_decided(&mut self, certificate: &CommitCertificate) {
        let (height, hash) = (certificate.height, certificate.block_hash);
        let block = self.store.get(&hash).filter(|block| block.height == height).cloned();
        match (self.progress.decided(height, hash, block.is_some()), block) {
            (Decided::Commit, Some(block)) => {
                self.work.commit = Some(Job::Commit(block, certificate.clone()));
            }
            (Decided::Fetch, _) => self.missing = Some(certificate.clone()),
            _ => panic!("decided out of turn"),
        }
    }

    pub(super) fn on_committed(
        &mut self,
        block: &StoredBlock,
        certificate: CommitCertificate,
        validators: ValidatorSet,
    ) -> Next {
        self.wishes.push(Wish::Committed(block.hash, certificate.clone()));
        self.late.decided(&certificate, std::mem::replace(&mut self.validators, validators));
        self.disk.chain.push((block.bytes.clone(), certificate));
        let height = self.disk.next_height();
        let _ = self.store.forget_below(height);
        self.disk.undecided.retain(|_, block| block.height >= height);
        if std::mem::take(&mut self.behind) {
            self.wishes.push(Wish::Send(Message::Ask(height)));
        }
        self.support = Support::default();
        self.missing = None;
        self.repeated.committed();
        let next = Progress::new(height);
        let early = {
            let view = view(&next, &self.validators, &self.support);
            let _ = self.proposals.committed(&view);
            self.proposals.has_current(&view)
        };
        self.progress.committed(height, early)
    }

    /// What this node would bring of who decided its last block.
    pub(super) fn parent_commit(&self) -> Option<ParentCommit> {
        let (_, certificate) = self.disk.chain.last()?;
        Some(certificate.clone().into_parent_commit(self.late.all()))
    }

    pub(super) fn judged(
        &self,
        register: &Register,
        now_ms: u64,
        bytes: &[u8],
        mode: CheckMode,
    ) -> Judgement {
        register.judge(now_ms, id_of(bytes), mode, self.disk.head())
    }

    pub(super) fn on_ask(&mut self, from: usize, height: Height) {
        let at = height.get() as usize - 1;
        if let Some((bytes, certificate)) = self.disk.chain.get(at) {
            let message = Message::Decided(bytes.clone(), certificate.clone());
            self.wishes.push(Wish::SendTo(from, message));
        }
    }

    pub(super) fn on_polka(&mut self, polka: PolkaCertificate<BillContext>) {
        let polka = Polka::try_from(polka).expect("of a round");
        let hash = polka.certificate.value_id;
        if self.support.knows(&hash, polka.round) {
            return;
        }
        self.support.add_polka(hash, polka.round);
        self.repeated.add_polka(polka);
    }

    pub(super) fn repeat_own(
        &mut self,
        block: &StoredBlock,
        proposal: Option<SignedConsensusMsg<BillContext>>,
    ) {
        if self.repeated.sends_own(block.round) {
            let proposal = proposal.map(|proposal| Wish::Send(Message::Consensus(proposal)));
            self.wishes.extend(proposal);
            self.publish(&block.hash);
        }
    }

    pub(super) fn repeat(
        &mut self,
        polka: Polka,
        proposal: Option<SignedConsensusMsg<BillContext>>,
    ) {
        let Polka { round: polka_round, certificate } = polka;
        let hash = certificate.value_id;
        self.wishes.push(Wish::Send(Message::Polka(certificate)));
        if let Some(proposal) = proposal {
            self.wishes.push(Wish::Send(Message::Consensus(proposal)));
        }
        let round = self.progress.round();
        if self.repeated.sends_block(polka_round, round) {
            self.publish(&hash);
        }
    }

    pub(super) fn feed(&mut self) {
        let Self { work, proposals, progress, validators, support, .. } = self;
        let view = view(progress, validators, support);
        let mut jobs = work.next(|| {
            let (received, mode) = proposals.next_check(&view)?;
            Some(Job::Check(Box::new(received), mode))
        });
        // Nothing goes behind a commit here.
        if let Some(job) = jobs.pop() {
            let millis = match &job {
                Job::Commit(..) => 10,
                Job::Propose(_) => 120,
                Job::Decided(..) | Job::Check(..) => 60,
            };
            self.under_way = Some(job);
            self.wishes.push(Wish::Lane(Duration::from_millis(millis)));
        }
    }
}

/// The core asks about rounds that it is in.
fn number(round: EngineRound) -> Round {
    round.try_into().expect("a round, not nil")
}
