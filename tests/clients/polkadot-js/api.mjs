// @polkadot/api, which we did not write, against a development network.

import { ApiPromise, WsProvider } from '@polkadot/api';
import { u8aToHex } from '@polkadot/util';
import { Report, WS, hold, restart, same, version, within } from '../shared/report.mjs';
import { alice, bill, connect, finalised, has, hasher } from './chain.mjs';

const report = new Report('@polkadot/api', version('@polkadot/api', import.meta.url));
const HASHER = 'hasher';
let api;

await report.works('connect', async () => {
  api = await connect();
  same((await api.rpc.system.chainType()).toString(), 'Development', 'sort of chain');
});

await report.works('metadata', async () => {
  hold(api.tx.billRegister.register && api.query.billRegister.bills, 'calls and storage of a contract');
  hold(api.errors.billUpdate.Transition ?? api.errors.billUpdate, 'errors of a contract');
  hold(api.call.transactionPaymentApi.queryInfo, 'runtime APIs');
});

await report.withSetting('block hashes', HASHER, async () => {
  const hash = await api.rpc.chain.getFinalizedHead();
  const header = await api.rpc.chain.getHeader(hash);
  same(header.hash.toHex(), hash.toHex(), 'hash of the header');
});

await report.withSetting('a long payload', HASHER, async () => {
  const tx = api.tx.billRegister.register(bill(1));
  // Two versions, two hashes, the nonce and the era come on top of the call.
  hold(tx.method.toU8a().length + 4 + 4 + 32 + 32 > 256, 'the client signs the payload by its hash');
  const { events, block, txHash } = await finalised(api, tx);
  hold(has(events, 'billRegister'), 'an event of the contract');
  const { block: { extrinsics } } = await api.rpc.chain.getBlock(block);
  const mine = extrinsics.find((extrinsic) => extrinsic.isSigned);
  same(u8aToHex(hasher(mine.toU8a())), txHash.toHex(), 'hash of the transaction');
});

await report.works('a short payload', async () => {
  const { events } = await finalised(api, api.tx.utility.batch([]));
  hold(events.some(({ event }) => event.method === 'BatchCompleted'), 'an event of the batch');
});

await report.works('storage', async () => {
  const stored = await api.query.billRegister.bills(bill(1).key);
  const { summary, state } = stored.unwrap();
  same([summary.total.toNumber(), state.status.toString()], [12345, 'Normal'], 'the bill');
});

await report.works("a map's pages", async () => {
  const all = await api.query.participant.participants.keys();
  hold(all.length > 2, `${all.length} participants`);
  const found = [];
  for (let startKey; ;) {
    const args = { args: [], pageSize: 2, startKey };
    const page = await api.query.participant.participants.keysPaged(args);
    found.push(...page.map((key) => key.toHex()));
    if (page.length < 2) break;
    startKey = page.at(-1).toHex();
  }
  same(found, all.map((key) => key.toHex()), 'the pages together');
});

await report.works('constants', async () => {
  same(api.consts.system.ss58Prefix.toNumber(), 42, 'the prefix of addresses');
  hold(api.consts.system.blockHashCount.toNumber() > 0, 'blocks whose hashes are known');
});

await report.works('events of a success', async () => {
  const { events, block } = await finalised(api, api.tx.billRegister.register(bill(2)));
  hold(has(events, 'billRegister'), 'an event of the contract');
  const stored = await (await api.at(block)).query.system.events();
  hold(stored.some(({ event }) => event.method === 'ExtrinsicSuccess'), 'the success in the block');
});

const rejects = async (work, words) => {
  const failure = await work().then(() => null, (error) => String(error));
  hold(failure && words.test(failure), `expected ${words}, found ${failure}`);
};

await report.works("a contract's error, and the one within", () => rejects(
  () => finalised(api, api.tx.billRegister.register({ ...bill(1), total: 54321 })),
  /billRegister\.Bill\.AlreadyExists: The bill cannot come/,
));

await report.works('an error of the origin', () => rejects(
  () => finalised(api, api.tx.councilMembership.addMember(alice().address)),
  /BadOrigin/,
));

await report.works('a call that the chain has not', () => rejects(
  () => finalised(api, api.tx.system.setStorage([])),
  /none that this chain admits/,
));

await report.works('a refusal of the pool', () => rejects(
  () => finalised(api, api.tx.billRegister.register(bill(3)), alice(), { nonce: 0 }),
  /nonce|outdated|stale/i,
));

await report.withSetting('a mortal transaction', HASHER, async () => {
  const { events } = await finalised(api, api.tx.billRegister.register(bill(4)), alice(), { era: 64 });
  hold(has(events, 'billRegister'), 'an event of the contract');
});

await report.works('an immortal transaction', async () => {
  const { events } = await finalised(api, api.tx.billRegister.register(bill(5)), alice(), { era: 0 });
  hold(has(events, 'billRegister'), 'an event of the contract');
});

await report.works('a batch', async () => {
  const calls = [6, 7].map((n) => api.tx.billRegister.register(bill(n)));
  const { events } = await finalised(api, api.tx.utility.batchAll(calls));
  same(events.filter(({ event }) => event.section === 'billRegister').length, 2, 'events of the contract');
});

await report.works('watching', async () => {
  const tx = await api.tx.billRegister.register(bill(8)).signAsync(alice());
  const seen = await within(new Promise((resolve, reject) => {
    const states = [];
    api.rpc.author.submitAndWatchExtrinsic(tx, (status) => {
      if (!status.isBroadcast) states.push(status.type);
      if (status.isFinalized) resolve(states);
    }).catch(reject);
  }), 'finality');
  same(seen, ['Ready', 'InBlock', 'Finalized'], 'states');
});

await report.works('a duplicate', async () => {
  const tx = await api.tx.billRegister.register(bill(9)).signAsync(alice());
  const first = await api.rpc.author.submitExtrinsic(tx);
  const second = await api.rpc.author.submitExtrinsic(tx);
  same(second.toHex(), first.toHex(), 'the hash of the same bytes');
});

await report.works('three blocks in order', async () => {
  const heights = await within(new Promise((resolve, reject) => {
    const seen = [];
    const stop = api.rpc.chain.subscribeFinalizedHeads((header) => {
      seen.push(header.number.toNumber());
      if (seen.length === 3) stop.then((unsubscribe) => { unsubscribe(); resolve(seen); }, reject);
    });
  }), 'three heads');
  same(heights, [0, 1, 2].map((n) => heights[0] + n), 'heights');
});

await report.works('old state', async () => {
  const head = (await api.rpc.chain.getHeader()).number.toNumber();
  const hash = await api.rpc.chain.getBlockHash(head - 2);
  const at = await api.at(hash);
  same((await at.query.system.number()).toNumber(), head - 2, 'the number in the old state');
});

await report.works('fees', async () => {
  const tx = api.tx.billRegister.register(bill(10));
  const { partialFee, weight } = await tx.paymentInfo(alice());
  same(partialFee.toNumber(), 0, 'the fee');
  hold(weight.refTime.toNumber() > 0, 'a weight');
});

await report.works("the specification's reads", async () => {
  const provider = new WsProvider(WS);
  const direct = await ApiPromise.create({ provider, hasher, noInitWarn: true });
  const height = await provider.send('archive_v1_finalizedHeight', []) - 1;
  const [hash] = await provider.send('archive_v1_hashByHeight', [height]);
  const header = direct.registry.createType('Header', await provider.send('archive_v1_header', [hash]));
  same([header.number.toNumber(), header.hash.toHex()], [height, hash], 'the header');
  const key = direct.query.system.number.key();
  const events = await within(new Promise((resolve, reject) => {
    const seen = [];
    provider.subscribe('archive_v1_storageEvent', 'archive_v1_storage', [hash, [{ key, type: 'value' }], null], (error, event) => {
      if (error) return reject(error);
      seen.push(event);
      if (event.event !== 'storage') resolve(seen);
    }).catch(reject);
  }), 'the entries');
  const value = await provider.send('state_getStorage', [key, hash]);
  same(events, [{ event: 'storage', key, value }, { event: 'storageDone' }], 'the entries');
  await direct.disconnect();
});

await report.works('without any setting', async () => {
  const stock = await connect({});
  const { events } = await finalised(stock, stock.tx.billRegister.register(bill(11)), alice(), { era: 0 });
  hold(has(events, 'billRegister'), 'an event of the contract');
  await stock.disconnect();
});

await report.works('a restart of the node', async () => {
  const gone = within(new Promise((resolve) => api.once('disconnected', resolve)), 'the end of the connection');
  const back = new Promise((resolve) => gone.then(() => api.once('ready', resolve)));
  await restart();
  await gone;
  await within(Promise.race([back, new Promise((resolve) => api.once('connected', resolve))]), 'a new connection');
  const { events } = await finalised(api, api.tx.billRegister.register(bill(12)));
  hold(has(events, 'billRegister'), 'an event of the contract');
});

report.end();
