/** Certificates of bills (链上凭证) checked without a node, by `verifier/` in WebAssembly. */

import { type Answer, type Refused, load, type Verifier } from "../verifier/index.mjs";
import { CertificateRefused } from "./errors.js";

/** What a certificate proves. */
export type Proved = Exclude<Answer, Refused>;

let loaded: Promise<Verifier> | undefined;

/** The verifier of this package; in a bundle that moves files, give its bytes to `useVerifier`. */
function verifier(): Promise<Verifier> {
  loaded ??= load(source());
  return loaded;
}

/** Takes the verifier from elsewhere: the bytes or the response of `billchain_verifier.wasm`. */
export function useVerifier(from: Parameters<typeof load>[0]): void {
  loaded = load(from);
}

async function source(): Promise<Uint8Array<ArrayBuffer> | Response> {
  const url = new URL("../verifier/billchain_verifier.wasm", import.meta.url);
  if (url.protocol !== "file:") return fetch(url);
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  const fs = process?.getBuiltinModule?.("node:fs/promises") as { readFile(url: URL): Promise<Uint8Array<ArrayBuffer>> };
  return fs.readFile(url);
}

/** What a certificate proves to whoever trusts the genesis with this hash. */
export async function verify(certificate: Uint8Array, genesis: string): Promise<Proved> {
  return proved((await verifier()).verify(certificate, genesis));
}

/** What a certificate proves to whoever trusts the checkpoint (检查点) with this hash. */
export async function verifyFrom(certificate: Uint8Array, checkpoint: string): Promise<Proved> {
  return proved((await verifier()).verifyFrom(certificate, checkpoint));
}

function proved(answer: Answer): Proved {
  if (!answer.proved) throw new CertificateRefused(answer.refused);
  return answer;
}
