// SM2 keys and signatures of the chain, by `sm-crypto-v2`: the client's test hands it over, because
// packages are installed beside that.

/** The well-known development key of a text such as `//hospital-1`. */
export function developmentKey({ sm2, sm3 }, seed) {
  const text = new TextEncoder();
  const secret = sm3(Uint8Array.from([
    ...text.encode('BillChain SM2 key from seed, version 1'), 0, 0, 0, 0, ...text.encode(seed),
  ]));
  const publicKey = fromHex(sm2.compressPublicKeyHex(sm2.getPublicKeyFromPrivateKey(secret)));
  return {
    publicKey,
    /** SM3 of the compressed public key. */
    account: fromHex(sm3(publicKey)),
    /** The chain's signature of a payload, as it stands in a transaction: variant 16. */
    sign: (payload) => Uint8Array.from([
      16, ...publicKey,
      // r ‖ s over SM3, with the signer id 1234567812345678.
      ...fromHex(sm2.doSignature(payload, secret, { hash: true })),
    ]),
  };
}

const fromHex = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'));
