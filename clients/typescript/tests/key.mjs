// Prints the public key of a key file: `node key.mjs FILE PASSWORD`.

import { readFile } from "node:fs/promises";
import { Sm2Key } from "billchain";

const [file, password] = process.argv.slice(2);
const key = await Sm2Key.read(await readFile(file), password);
console.log(Buffer.from(key.publicKey()).toString("hex"));
