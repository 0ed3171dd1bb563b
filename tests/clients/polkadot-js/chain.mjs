// What both tests of polkadot-js have in common: the setting, a bill, and waiting for its end.

import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import { hexToU8a, u8aToHex } from '@polkadot/util';
import { sm3 } from 'sm-crypto-v2';
import { BASE, WS, within } from '../shared/report.mjs';

/** The chain's hash function: the setting that the client needs. */
export const hasher = (data) => hexToU8a(`0x${sm3(data)}`);
export const connect = (options = { hasher }) =>
  ApiPromise.create({ provider: new WsProvider(WS), noInitWarn: true, ...options });
export const alice = () => new Keyring({ type: 'sr25519' }).addFromUri('//Alice');
const ascii = (text) => u8aToHex(new TextEncoder().encode(text));
const hash = (...bytes) => u8aToHex(hasher(new Uint8Array(bytes)));

/** A bill of Alice's, or of another issuer; `n` makes it new. */
export function bill(n, issuer = 'did:bill:alice', uscc = '91350100M000100Y43') {
  return {
    key: { code: ascii('31060126'), number: ascii(String(BASE + n).padStart(10, '0')) },
    checkCode: ascii('aZ09bY'),
    kind: 'Blue',
    issueDate: 20260301,
    issueTime: 93015,
    total: 12345,
    issuer: ascii(issuer),
    issuerUscc: ascii(uscc),
    payerType: 'Person',
    payerRef: hash(n & 255, 1),
    scene: 1,
    bizNoHash: hash(n & 255, 2),
    xmlHash: hash(n & 255, 3),
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

/** Sends and waits until it is final: its events, its block and the states it had. */
export function finalised(api, tx, who = alice(), options = {}) {
  const seen = [];
  const sent = new Promise((resolve, reject) => {
    tx.signAndSend(who, options, ({ status, events, dispatchError, txHash }) => {
      seen.push(status.type);
      if (dispatchError) {
        const known = dispatchError.isModule && api.registry.findMetaError(dispatchError.asModule);
        const text = known ? `${named(api, known, dispatchError.asModule)}: ${known.docs.join(' ')}` : dispatchError.toString();
        reject(new Error(text));
      } else if (status.isFinalized) {
        resolve({ events, block: status.asFinalized, txHash, seen });
      } else if (status.isInvalid || status.isDropped || status.isUsurped) {
        reject(new Error(status.toString()));
      }
    }).catch(reject);
  });
  return within(sent, 'finality', 30_000);
}

/** Whether events have one of this pallet. */
export const has = (events, section) => events.some(({ event }) => event.section === section);
