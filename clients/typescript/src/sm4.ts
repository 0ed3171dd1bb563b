/** SM4 (GB/T 32907) in CBC and GCM, for key files. */

const SBOX = Uint8Array.from(
  (
    "d690e9fecce13db716b614c228fb2c052b679a762abe04c3aa44132649860699" +
    "9c4250f491ef987a33540b43edcfac62e4b31ca9c908e89580df94fa758f3fa6" +
    "4707a7fcf37317ba83593c19e6854fa8686b81b27164da8bf8eb0f4b70569d35" +
    "1e240e5e6358d1a225227c3b01217887d40046579fd327524c3602e7a0c4c89e" +
    "eabf8ad240c738b5a3f7f2cef96115a1e0ae5da49b341a55ad933230f58cb1e3" +
    "1df6e22e8266ca60c02923ab0d534e6fd5db3745defd8e2f03ff6a726d6c5b51" +
    "8d1baf92bbddbc7f11d95c411f105ad80ac13188a5cd7bbd2d74d012b8e5b4b0" +
    "8969974a0c96777e65b9f109c56ec68418f07dec3adc4d2079ee5f3ed7cb3948"
  ).match(/../g)!,
  (pair) => Number.parseInt(pair, 16),
);
const FK = [0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc];
const turn = (x: number, n: number): number => (x << n) | (x >>> (32 - n));
const replaced = (x: number): number =>
  (SBOX[x >>> 24] << 24) | (SBOX[(x >>> 16) & 255] << 16) | (SBOX[(x >>> 8) & 255] << 8) | SBOX[x & 255];

function words(block: Uint8Array): number[] {
  const view = new DataView(block.buffer, block.byteOffset, 16);
  return [0, 4, 8, 12].map((at) => view.getInt32(at));
}

/** The round keys of a key of 16 bytes. */
function rounds(key: Uint8Array): number[] {
  const k = words(key).map((word, i) => word ^ FK[i]);
  return Array.from({ length: 32 }, (_, i) => {
    const ck = [0, 1, 2, 3].reduce((sum, j) => (sum << 8) | (((4 * i + j) * 7) & 255), 0);
    const b = replaced(k[i + 1] ^ k[i + 2] ^ k[i + 3] ^ ck);
    return (k[i + 4] = k[i] ^ b ^ turn(b, 13) ^ turn(b, 23));
  });
}

function block(keys: number[], data: Uint8Array): Uint8Array<ArrayBuffer> {
  const x = words(data);
  keys.forEach((key, i) => {
    const b = replaced(x[i + 1] ^ x[i + 2] ^ x[i + 3] ^ key);
    x[i + 4] = x[i] ^ b ^ turn(b, 2) ^ turn(b, 10) ^ turn(b, 18) ^ turn(b, 24);
  });
  const shown = new Uint8Array(16);
  const view = new DataView(shown.buffer);
  [35, 34, 33, 32].forEach((at, i) => view.setInt32(4 * i, x[at]));
  return shown;
}

/** What was encrypted in CBC, its padding with it. */
export function cbc(key: Uint8Array, iv: Uint8Array, encrypted: Uint8Array): Uint8Array<ArrayBuffer> {
  const keys = rounds(key).reverse();
  const plain = new Uint8Array(encrypted.length);
  for (let at = 0; at < encrypted.length; at += 16) {
    const before = at === 0 ? iv : encrypted.subarray(at - 16, at);
    const opened = block(keys, encrypted.subarray(at, at + 16));
    opened.forEach((byte, i) => (plain[at + i] = byte ^ before[i]));
  }
  return plain;
}

/** What was sealed in GCM with a nonce of 12 bytes and a tag of 16; undefined if the tag is another. */
export function gcm(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const keys = rounds(key);
  const number = (bytes: Uint8Array): bigint => bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const h = number(block(keys, new Uint8Array(16)));
  const counter = (count: number): Uint8Array => {
    const whole = new Uint8Array(16);
    whole.set(nonce);
    new DataView(whole.buffer).setUint32(12, count);
    return block(keys, whole);
  };
  const encrypted = sealed.subarray(0, sealed.length - 16);
  let sum = 0n;
  const take = (part: Uint8Array): void => {
    const padded = new Uint8Array(16);
    padded.set(part);
    sum = times(sum ^ number(padded), h);
  };
  for (let at = 0; at < encrypted.length; at += 16) take(encrypted.subarray(at, at + 16));
  sum = times(sum ^ BigInt(8 * encrypted.length), h);
  const tag = sum ^ number(counter(1));
  if (tag !== number(sealed.subarray(sealed.length - 16))) return undefined;
  const plain = new Uint8Array(encrypted.length);
  for (let at = 0; at < encrypted.length; at += 16) {
    const stream = counter(2 + at / 16);
    encrypted.subarray(at, at + 16).forEach((byte, i) => (plain[at + i] = byte ^ stream[i]));
  }
  return plain;
}

/** The product in GCM's field. */
function times(x: bigint, y: bigint): bigint {
  let [z, v] = [0n, y];
  for (let i = 127n; i >= 0n; i--) {
    if ((x >> i) & 1n) z ^= v;
    v = v & 1n ? (v >> 1n) ^ (0xe1n << 120n) : v >> 1n;
  }
  return z;
}
