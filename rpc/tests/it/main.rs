//! The server over a real chain in a temporary directory, asked by clients of
//! both transports. Blocks are made by hand; there is no consensus.

mod access;
mod administration;
mod admission;
mod allotment;
mod archive;
mod batches;
mod bills;
mod bounds;
mod compose;
mod contention;
mod contracts;
mod cooling;
mod heads;
mod kit;
mod limits;
mod lists;
mod openrpc;
mod outbox;
mod outcomes;
mod parties;
mod policies;
mod proofs;
mod repeats;
mod requests;
mod room;
mod substrate;
mod tls;
mod unread;
mod validators;
mod vectors;
mod versions;
mod worst;

use billchain_chain_spec::ChainSpec;
use billchain_client::{
    Connection, Signer,
    einvoice::{EInvoice, SummaryContext},
};
use billchain_executor::{Brought, BuildParams, Chain, TransactionError, Validated};
use billchain_primitives::{ClaimNo, Fen, Reason, SceneId, sm3};
use billchain_rpc::{NodeInfo, RpcConfig, RpcContext, RpcServer, serve};
use billchain_rpc_types::{TransactionState, code};
use billchain_runtime::{Runtime, RuntimeCall};
use billchain_storage::{Storage, StorageOptions};
use billchain_txpool::{
    CommittedBlock, Pool, PoolConfig, Rejection, SenderQuota, TransactionValidator, TxInfo,
};
use bytes::Bytes;
use jsonrpsee::{
    core::client::{ClientT, Error, Subscription, SubscriptionClientT},
    rpc_params,
    ws_client::{WsClient, WsClientBuilder},
};
use kit::*;
use pallet_bill_update::types::StatusChange;
use pallet_bill_verify::Observation;
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
