// polkadot-api (PAPI), which we did not write, with the descriptors that its own code generator made
// of the node: `papi add billchain -w …`.

import { billchain } from '@polkadot-api/descriptors';
import { sr25519CreateDerive } from '@polkadot-labs/hdkd';
import { DEV_PHRASE, entropyToMiniSecret, mnemonicToEntropy, sr25519 } from '@polkadot-labs/hdkd-helpers';
import { Binary, Enum, createClient } from 'polkadot-api';
import { getPolkadotSigner } from 'polkadot-api/signer';
import { getWsProvider } from 'polkadot-api/ws';
import { firstValueFrom, take, toArray } from 'rxjs';
import * as sm from 'sm-crypto-v2';
import { BASE, Report, WS, hold, restart, same, version, within } from '../shared/report.mjs';
import { developmentKey } from '../shared/sm2.mjs';

const report = new Report('polkadot-api', version('polkadot-api', import.meta.url));
const hex = (bytes) => `0x${Buffer.from(bytes).toString('hex')}`;
const ascii = (text) => hex(new TextEncoder().encode(text));
const sm3 = (data) => Uint8Array.from(Buffer.from(sm.sm3(data), 'hex'));
const alice = (() => {
  const { sign, publicKey } = sr25519CreateDerive(entropyToMiniSecret(mnemonicToEntropy(DEV_PHRASE)))('//Alice');
  return getPolkadotSigner(publicKey, 'Sr25519', sign);
})();

/** A bill of Alice's; `n` makes it new. */
function bill(n) {
  const hash = (kind) => hex(sm3(Uint8Array.from([n & 255, kind])));
  return {
    key: { code: ascii('31060126'), number: ascii(String(BASE + n).padStart(10, '0')) },
    check_code: ascii('aZ09bY'),
    kind: Enum('Blue'),
    issue_date: 20260301,
    issue_time: 93015,
    total: 12345n,
    issuer: Binary.fromText('did:bill:alice'),
    issuer_uscc: ascii('91350100M000100Y43'),
    payer_type: Enum('Person'),
    payer_ref: hash(1),
    scene: 1,
    biz_no_hash: hash(2),
    xml_hash: hash(3),
    pdf_hash: hex(new Uint8Array(32)),
    location_hash: hex(new Uint8Array(32)),
    related: undefined,
  };
}

let client;
let api;
const register = (n, more = {}) => api.tx.BillRegister.register({ summary: { ...bill(n), ...more } });

/** The events of a transaction in a final block. */
async function eventsOf({ block, index }) {
  const all = await api.query.System.Events.getValue({ at: block });
  return all.filter(({ phase }) => phase.type === 'ApplyExtrinsic' && phase.value === index).map(({ event }) => event);
}

/**
 * The setting: PAPI signs, and the node's own `transaction_status` tells what became of it, because
 * PAPI's `submit` wants one of two hash functions.
 */
async function send(transaction, signer = alice, options = {}) {
  const signed = await transaction.sign(signer, options);
  const hash = await client._request('author_submitExtrinsic', [hex(signed)]);
  return final(hash);
}

async function final(hash) {
  const look = async () => {
    for (;;) {
      const status = await client._request('transaction_status', [hash]);
      if (status.state === 'final') return { ...status, block: status.block.hash };
      await firstValueFrom(client.finalizedBlock$.pipe(take(2), toArray()));
    }
  };
  return within(look(), 'finality', 30_000);
}

const SEND = 'send';

await report.works('connect', async () => {
  client = createClient(getWsProvider(WS));
  const { name, genesisHash } = await client.getChainSpecData();
  hold(name.length > 0 && genesisHash.length === 66, 'the specification of the chain');
  const head = await client.getFinalizedBlock();
  hold(head.number > 0, 'a block');
});

await report.works('metadata', async () => {
  api = client.getTypedApi(billchain);
  // What the code generator made fits the node.
  const { compat } = await api.getStaticApis().then((found) => found, () => ({}));
  hold(compat === undefined || compat.tx.BillRegister.register.isCompatible(), 'the generated call');
  hold(typeof api.tx.BillRegister.register === 'function', 'the generated call');
});

await report.withSetting('a long payload', SEND, async () => {
  const done = await send(register(1));
  same(done.success, true, 'outcome');
  hold((await eventsOf(done)).some(({ type }) => type === 'BillRegister'), 'an event of the contract');
});

await report.withSetting('a short payload', SEND, async () => {
  const done = await send(api.tx.Utility.batch({ calls: [] }));
  hold((await eventsOf(done)).some(({ value }) => value.type === 'BatchCompleted'), 'an event of the batch');
});

await report.works('storage', async () => {
  const { summary, state } = await api.query.BillRegister.Bills.getValue(bill(1).key);
  same([summary.total, state.status.type], [12345n, 'Normal'], 'the bill');
});

await report.works("a map's pages", async () => {
  const all = await api.query.Participant.Participants.getEntries();
  hold(all.length > 40, `${all.length} participants`);
});

await report.works('constants', async () => {
  same(await api.constants.System.SS58Prefix(), 42, 'the prefix of addresses');
});

await report.withSetting('events of a success', SEND, async () => {
  const done = await send(register(2));
  const found = await api.event.BillRegister.BillRegistered.get(done.block);
  same(found.map(({ payload }) => payload.total), [12345n], 'the total in the event');
});

await report.withSetting("a contract's error, and the one within", SEND, async () => {
  const done = await send(register(1, { total: 54321n }));
  same(done.success, false, 'outcome');
  const failed = (await eventsOf(done)).find(({ value }) => value.type === 'ExtrinsicFailed');
  const { type, value } = failed.value.value.dispatch_error;
  same([type, value.type, value.value.type, value.value.value.type], ['Module', 'BillRegister', 'Bill', 'AlreadyExists'], 'the errors');
});

await report.withSetting('an error of the origin', SEND, async () => {
  const done = await send(api.tx.CouncilMembership.add_member({ who: Enum('Id', '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY') }));
  const failed = (await eventsOf(done)).find(({ value }) => value.type === 'ExtrinsicFailed');
  same(failed.value.value.dispatch_error.type, 'BadOrigin', 'the error');
});

const refuses = async (work, words) => {
  const failure = await work().then(() => null, (error) => String(error?.message ?? error));
  hold(failure && words.test(failure), `expected ${words}, found ${failure}`);
};

await report.withSetting('a call that the chain has not', SEND, () => refuses(
  () => send(api.tx.System.set_storage({ items: [] })),
  /none that this chain admits/,
));

await report.withSetting('a refusal of the pool', SEND, () => refuses(
  () => send(register(3), alice, { nonce: 0 }),
  /nonce/,
));

await report.withSetting('a mortal transaction', SEND, async () => {
  const done = await send(register(4), alice, { mortality: { mortal: true, period: 64 } });
  same(done.success, true, 'outcome');
});

await report.withSetting('an immortal transaction', SEND, async () => {
  const done = await send(register(5), alice, { mortality: { mortal: false } });
  same(done.success, true, 'outcome');
});

await report.withSetting('a batch', SEND, async () => {
  const calls = [6, 7].map((n) => register(n).decodedCall);
  const done = await send(api.tx.Utility.batch_all({ calls }));
  same((await eventsOf(done)).filter(({ type }) => type === 'BillRegister').length, 2, 'events of the contract');
});

await report.cannot(
  'watching',
  'its `signSubmitAndWatch` and `submit` hash with Blake2-256 or Keccak-256 alone',
  /Unsupported hasher/,
  () => register(8).signAndSubmit(alice),
);

await report.withSetting('a duplicate', SEND, async () => {
  const signed = hex(await register(9).sign(alice));
  const first = await client._request('author_submitExtrinsic', [signed]);
  const second = await client._request('author_submitExtrinsic', [signed]);
  same(second, first, 'the hash of the same bytes');
  same((await final(first)).success, true, 'outcome');
});

await report.works('three blocks in order', async () => {
  const blocks = await within(firstValueFrom(client.finalizedBlock$.pipe(take(3), toArray())), 'three blocks');
  const heights = blocks.map(({ number }) => number);
  same(heights, [0, 1, 2].map((n) => heights[0] + n), 'heights');
  same(blocks[1].parent, blocks[0].hash, 'the block before');
});

await report.works('bodies of blocks', async () => {
  const { hash } = await client.getFinalizedBlock();
  const body = await client.getBlockBody(hash);
  hold(body.length > 0, 'the timestamp');
});

await report.works('old state', async () => {
  const { number } = await client.getFinalizedBlock();
  const [hash] = await client._request('archive_v1_hashByHeight', [number - 3]);
  same(await api.query.System.Number.getValue({ at: hash }), number - 3, 'the number in the old state');
});

await report.works('fees', async () => {
  const { partial_fee: fee, weight } = await register(10).getPaymentInfo(alice.publicKey);
  same(fee, 0n, 'the fee');
  hold(weight.ref_time > 0n, 'a weight');
});

await report.cannot(
  'watching entries of a map',
  '`watchEntries` wants Merkle values of a trie, and the state is none',
  /closestDescendantMerkleValue|variant|Invalid|expected/i,
  () => within(firstValueFrom(api.query.Participant.Participants.watchEntries()), 'entries', 10_000),
);

await report.withSetting('an SM2 signature', 'signer', async () => {
  const key = developmentKey(sm, '//hospital-3');
  const signer = {
    publicKey: key.account,
    signTx: async (call, extensions) => {
      // In the order of the metadata; those without bytes play no part.
      const order = ['CheckSpecVersion', 'CheckTxVersion', 'CheckGenesis', 'CheckMortality', 'CheckNonce'];
      const parts = (part) => order.flatMap((name) => [...extensions[name][part]]);
      const extra = parts('value');
      const signature = key.sign(Uint8Array.from([...call, ...extra, ...parts('additionalSigned')]));
      const body = [0x84, 0, ...key.account, ...signature, ...extra, ...call];
      // The length before it, compact: this one has 64 bytes to 16 KiB.
      return Uint8Array.from([(body.length << 2 | 1) & 255, body.length >> 6, ...body]);
    },
  };
  same((await send(api.tx.Utility.batch({ calls: [] }), signer)).success, true, 'outcome');
});

await report.withSetting('a restart of the node', SEND, async () => {
  await restart();
  same((await send(register(11))).success, true, 'outcome');
});

client.destroy();
report.end();
