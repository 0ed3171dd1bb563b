//! The engine's host actor: passes every question on, answers none.
//!
//! Malachite's channel connector waits for the answer to one question before it
//! takes the next. A block takes long to check, and consensus asks in between
//! (a new round begins, a peer wants old blocks); so here each question goes to
//! the driver together with the port its answer goes to.

use malachitebft_app_channel::app::engine::host::HostMsg;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::mpsc;

use crate::types::BillContext;

/// A question of the engine, with its reply port.
pub(crate) type Question = HostMsg<BillContext>;

/// The actor. The channel is unbounded like an actor's mailbox: what enters is
/// bounded by the engine, which asks a bounded number of questions a message.
pub(crate) struct Host {
    questions: mpsc::UnboundedSender<Question>,
}

impl Host {
    pub(crate) async fn spawn()
    -> Result<(ActorRef<Question>, mpsc::UnboundedReceiver<Question>), ractor::SpawnErr> {
        let (questions, receiver) = mpsc::unbounded_channel();
        let (actor, _) = Actor::spawn(None, Self { questions }, ()).await?;
        Ok((actor, receiver))
    }
}

#[ractor::async_trait]
impl Actor for Host {
    type Msg = Question;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Question>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<Question>,
        question: Question,
        _: &mut (),
    ) -> Result<(), ActorProcessingErr> {
        // The driver is gone only when the component stops; the dropped reply
        // port tells the engine.
        let _ = self.questions.send(question);
        Ok(())
    }
}
