/** Opens a key file and signs one challenge, away from the page: the password takes a second or two. */

import { fromHex } from "../lib/hex";
import { accountOf, KeyFileError, openKeyFile, publicKeyOf, sign } from "../lib/keyfile";

export interface Order {
  file: string;
  password: string;
  /** What is signed, in hexadecimal digits. */
  message: string;
}

export type Answer =
  | { signature: string; publicKey: string; account: string }
  | { refused: KeyFileError["code"] | "other"; found: string };

self.onmessage = (event: MessageEvent<Order>) => {
  self.postMessage(answer(event.data));
};

function answer({ file, password, message }: Order): Answer {
  try {
    const secret = openKeyFile(file, password);
    const publicKey = publicKeyOf(secret);
    return { signature: sign(fromHex(message) ?? new Uint8Array(), secret), publicKey: `0x${publicKey}`, account: accountOf(publicKey) };
  } catch (error) {
    return error instanceof KeyFileError ? { refused: error.code, found: error.found } : { refused: "other", found: String(error) };
  }
}
