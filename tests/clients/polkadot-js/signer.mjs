// The flow of a wallet: the page makes the payload as JSON, a signer that knows no chain signs it,
// and the page sends it. So do the browser extension and its kin. One signer has an sr25519 key,
// as wallets have; another an SM2 key, which stands for a 密码机 or a U-key.

import { TypeRegistry } from '@polkadot/types';
import { u8aToHex } from '@polkadot/util';
import * as sm from 'sm-crypto-v2';
import { Report, hold, version } from '../shared/report.mjs';
import { developmentKey } from '../shared/sm2.mjs';
import { alice, bill, connect, finalised, has, hasher } from './chain.mjs';

const report = new Report('polkadot-js signer', version('@polkadot/api', import.meta.url));
const api = await connect();

/** What a wallet is: it has a key, and the payload as JSON. */
function wallet(pair) {
  return {
    signPayload: async (payload) => {
      const registry = new TypeRegistry();
      registry.setMetadata(api.runtimeMetadata);
      registry.setHasher(hasher);
      registry.setSignedExtensions(payload.signedExtensions);
      const { signature } = registry.createType('ExtrinsicPayload', payload, { version: payload.version }).sign(pair);
      return { id: 1, signature };
    },
  };
}

await report.withSetting('a long payload', 'hasher', async () => {
  const pair = alice();
  const { events } = await finalised(api, api.tx.billRegister.register(bill(101)), pair.address, { signer: wallet(pair) });
  hold(has(events, 'billRegister'), 'an event of the contract');
});

await report.works('a short payload', async () => {
  const pair = alice();
  const { events } = await finalised(api, api.tx.utility.batch([]), pair.address, { signer: wallet(pair) });
  hold(events.some(({ event }) => event.method === 'BatchCompleted'), 'an event of the batch');
});

await report.withSetting('an SM2 signature', 'signer', async () => {
  const key = developmentKey(sm, '//hospital-1');
  const signer = {
    signPayload: async (payload) => {
      const bytes = api.registry.createType('ExtrinsicPayload', payload, { version: payload.version }).toU8a({ method: true });
      return { id: 1, signature: u8aToHex(key.sign(bytes)) };
    },
  };
  const { events } = await finalised(
    api, api.tx.utility.batch([]), api.registry.createType('AccountId', key.account).toString(), { signer },
  );
  hold(events.some(({ event }) => event.method === 'BatchCompleted'), 'an event of the batch');
});

report.end();
