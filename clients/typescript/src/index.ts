/**
 * Client of the BillChain (财票链), a consortium chain for fiscal electronic bills (财政电子票据).
 *
 *     import { Client, Sm2Key, calls } from "billchain";
 *
 *     const signer = await Sm2Key.read(await readFile("hospital.pem"), password);
 *     const client = new Client({ nodes: ["http://127.0.0.1:9944"], genesis, signer });
 *     await client.execute(calls.BillRegister.register({ summary }));
 *     const { proved } = await client.certified("31060125", "0000000101");
 *
 * docs/sdk.md is a guide of five minutes.
 */

export type * as answers from "./answers.js";
export * as calls from "./calls.js";
export { chain } from "./chain.js";
export { Client, type Options, type Outcome, type Prepared } from "./client.js";
export { Codec, type Table } from "./codec.js";
export * from "./errors.js";
export { type Signer, Sm2Key } from "./keys.js";
export { sm3 } from "./sm3.js";
export type * as types from "./types.js";
export type { Call, Hex, Integer } from "./types.js";
export { type Proved, useVerifier, verify, verifyFrom } from "./verifier.js";
