// @polkadot/api, which we did not write, against a development network.
//
// BILLCHAIN_WS names the WebSocket of a running node. Tests run in order: the
// later ones read what the earlier ones wrote.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import { hexToU8a, u8aToHex } from '@polkadot/util';
import { sm3 } from 'sm-crypto-v2';

const URL = process.env.BILLCHAIN_WS;
assert.ok(URL, 'set BILLCHAIN_WS to the WebSocket URL of a development node');

/** The chain's hash function, as the client's setting. */
const hasher = (data) => hexToU8a(`0x${sm3(data)}`);
const connect = (options) => ApiPromise.create({ provider: new WsProvider(URL), noInitWarn: true, ...options });
const alice = new Keyring({ type: 'sr25519' }).addFromUri('//Alice');
const ascii = (text) => u8aToHex(new TextEncoder().encode(text));
const BASE = 1_000_000 + (Date.now() % 1_000_000_000);

/** A bill of Alice's; `n` makes it new. */
function bill(n) {
  return {
    key: { code: ascii('31060126'), number: ascii(String(BASE + n).padStart(10, '0')) },
    checkCode: ascii('aZ09bY'),
    kind: 'Blue',
    issueDate: 20260301,
    issueTime: 93015,
    total: 12345,
    issuer: ascii('did:bill:alice'),
    issuerUscc: ascii('91350100M000100Y43'),
    payerType: 'Person',
    payerRef: u8aToHex(hasher(new Uint8Array([n & 255, 1]))),
    scene: 1,
    bizNoHash: u8aToHex(hasher(new Uint8Array([n & 255, 2]))),
    xmlHash: u8aToHex(hasher(new Uint8Array([n & 255, 3]))),
    pdfHash: `0x${'00'.repeat(32)}`,
    locationHash: `0x${'00'.repeat(32)}`,
    related: null,
  };
}

/** The error's name with that of the error within it, by the metadata alone. */
function named(api, { section, name, fields }, { error }) {
  if (fields.length !== 1) return `${section}.${name}`;
  const inner = api.registry.createType(api.registry.createLookupType(fields[0].type), error.slice(1));
  return `${section}.${name}.${inner}`;
}

/** Sends and waits until it is final; returns its events and the block's hash. */
function finalised(api, tx, options = {}) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('not final after 30 s')), 30_000);
    const done = (settle, value) => { clearTimeout(timer); settle(value); };
    tx.signAndSend(alice, options, ({ status, events, dispatchError, txHash }) => {
      if (dispatchError) {
        const known = dispatchError.isModule && api.registry.findMetaError(dispatchError.asModule);
        const text = known ? `${named(api, known, dispatchError.asModule)}: ${known.docs.join(' ')}` : dispatchError.toString();
        done(reject, new Error(text));
      } else if (status.isFinalized) {
        done(resolve, { events, block: status.asFinalized, txHash });
      } else if (status.isInvalid || status.isDropped || status.isUsurped) {
        done(reject, new Error(status.toString()));
      }
    }).catch((error) => done(reject, error));
  });
}

describe('@polkadot/api with the chain\'s hasher', () => {
  let api;
  before(async () => { api = await connect({ hasher }); });
  after(async () => { await api.disconnect(); });

  it('connects and reads the metadata', async () => {
    assert.ok(api.tx.billRegister.register, 'a call of the bill-register contract');
    assert.ok(api.query.billRegister.bills, 'its storage');
    assert.ok(api.errors.billUpdate, 'errors of the bill-update contract');
    assert.equal((await api.rpc.system.chainType()).toString(), 'Development');
    assert.ok(api.runtimeVersion.specName.toString().length > 0);
  });

  it('computes the block hashes that the chain computes', async () => {
    const hash = await api.rpc.chain.getFinalizedHead();
    const header = await api.rpc.chain.getHeader(hash);
    assert.equal(header.hash.toHex(), hash.toHex());
    const parent = await api.rpc.chain.getBlockHash(header.number.toNumber() - 1);
    assert.equal(header.parentHash.toHex(), parent.toHex());
  });

  it('decodes blocks and events', async () => {
    const hash = await api.rpc.chain.getFinalizedHead();
    const { block } = await api.rpc.chain.getBlock(hash);
    assert.equal(block.extrinsics[0].method.section, 'timestamp');
    const events = await (await api.at(hash)).query.system.events();
    assert.ok(events.some(({ event }) => event.section === 'system' && event.method === 'ExtrinsicSuccess'));
  });

  it('follows new and finalised heads', async () => {
    for (const subscribe of [api.rpc.chain.subscribeNewHeads, api.rpc.chain.subscribeFinalizedHeads]) {
      const heights = await new Promise((resolve, reject) => {
        const seen = [];
        const timer = setTimeout(() => reject(new Error(`only ${seen.length} heads in 30 s`)), 30_000);
        const stop = subscribe((header) => {
          seen.push(header.number.toNumber());
          if (seen.length === 2) {
            clearTimeout(timer);
            stop.then((unsubscribe) => { unsubscribe(); resolve(seen); }, reject);
          }
        });
      });
      assert.ok(heights[1] > heights[0], `${heights}`);
    }
  });

  it('submits a registration signed by //Alice and sees it final', async () => {
    const summary = bill(1);
    const tx = api.tx.billRegister.register(summary);
    // Two versions, two hashes, the nonce and the era come on top of the call.
    assert.ok(tx.method.toU8a().length + 4 + 4 + 32 + 32 > 256, 'the client signs the payload by its hash');
    const { events, block, txHash } = await finalised(api, tx);
    assert.ok(events.some(({ event }) => event.section === 'billRegister'), 'an event of the contract');
    const { block: { extrinsics } } = await api.rpc.chain.getBlock(block);
    const mine = extrinsics.find((extrinsic) => extrinsic.isSigned);
    assert.equal(u8aToHex(hasher(mine.toU8a())), txHash.toHex(), 'transaction hashes are SM3');
  });

  it('reads the bill from storage', async () => {
    const stored = await api.query.billRegister.bills(bill(1).key);
    assert.ok(stored.isSome);
    const { summary, state } = stored.unwrap();
    assert.equal(summary.total.toNumber(), 12345);
    assert.equal(state.status.toString(), 'Normal');
    assert.equal(state.version.toNumber(), 1);
  });

  it('sees why a second registration of the bill fails', async () => {
    const changed = { ...bill(1), total: 54321 };
    await assert.rejects(finalised(api, api.tx.billRegister.register(changed)), /billRegister\.Bill\.AlreadyExists: The bill cannot come/);
  });

  it('is told why a transaction with a used nonce is refused', async () => {
    await assert.rejects(finalised(api, api.tx.billRegister.register(bill(2)), { nonce: 0 }), /nonce|outdated|stale/i);
  });
});

describe('archive_v1 of the JSON-RPC specification', () => {
  let api, provider;
  before(async () => {
    provider = new WsProvider(URL);
    api = await ApiPromise.create({ provider, hasher, noInitWarn: true });
  });
  after(async () => { await api.disconnect(); });

  it('reads a header and an entry of the state at an older height', async () => {
    const height = await provider.send('archive_v1_finalizedHeight', []) - 1;
    const [hash] = await provider.send('archive_v1_hashByHeight', [height]);
    const header = api.registry.createType('Header', await provider.send('archive_v1_header', [hash]));
    assert.equal(header.number.toNumber(), height);
    assert.equal(header.hash.toHex(), hash);
    const key = api.query.system.number.key();
    const events = await new Promise((resolve, reject) => {
      const seen = [];
      provider.subscribe('archive_v1_storageEvent', 'archive_v1_storage', [hash, [{ key, type: 'value' }], null], (error, event) => {
        if (error) return reject(error);
        seen.push(event);
        if (event.event !== 'storage') resolve(seen);
      }).catch(reject);
    });
    const value = await provider.send('state_getStorage', [key, hash]);
    assert.deepEqual(events, [{ event: 'storage', key, value }, { event: 'storageDone' }]);
    assert.equal(Buffer.from(value.slice(2), 'hex').readUInt32LE(), height);
  });
});

describe('@polkadot/api with stock settings (Blake2)', () => {
  let api;
  before(async () => { api = await connect({}); });
  after(async () => { await api.disconnect(); });

  it('submits an immortal registration whose payload it pre-hashes with Blake2', async () => {
    const tx = api.tx.billRegister.register(bill(3));
    const { events } = await finalised(api, tx, { era: 0 });
    assert.ok(events.some(({ event }) => event.section === 'billRegister'));
    assert.ok((await api.query.billRegister.bills(bill(3).key)).isSome);
  });

  it('submits a short payload', async () => {
    const { events } = await finalised(api, api.tx.utility.batch([]), { era: 0 });
    assert.ok(events.some(({ event }) => event.method === 'BatchCompleted'));
  });
});
