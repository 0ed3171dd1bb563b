// How a client's test says what works: one line of JSON an operation, read by `suite.py`.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';

export const WS = process.env.BILLCHAIN_WS;
export const HTTP = process.env.BILLCHAIN_HTTP;
if (!WS || !HTTP) throw new Error('set BILLCHAIN_WS and BILLCHAIN_HTTP to the URLs of a development node');

/** The first number of a bill that no other run has. */
export const BASE = Number(process.env.BILLCHAIN_BASE ?? 0);
/** Longest time of one operation, in milliseconds. */
const PATIENCE = 60_000;

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** A promise that fails when it takes too long. */
export function within(promise, what, patience = PATIENCE) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${patience / 1000} s`)), patience);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Stops the client's node and starts it again. */
export const restart = () => promisify(execFile)(process.env.BILLCHAIN_RESTART, { timeout: PATIENCE });

/** Version of a package that is installed beside the test. */
export function version(name, beside) {
  const require = createRequire(beside);
  let path = require.resolve(name);
  for (;;) {
    path = path.slice(0, path.lastIndexOf('/'));
    if (!path) throw new Error(`${name} has no package.json`);
    try {
      const found = JSON.parse(readFileSync(`${path}/package.json`, 'utf8'));
      if (found.name === name) return found.version;
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
  }
}

/** Reports the operations of a client. */
export class Report {
  failed = 0;

  constructor(client, version) {
    say({ client, version });
  }

  /** An operation that works as the client comes. */
  works(operation, work) {
    return this.#run(operation, work, { outcome: 'works' });
  }

  /** An operation that works with a setting of the client. */
  withSetting(operation, setting, work) {
    return this.#run(operation, work, { outcome: 'setting', note: setting });
  }

  /** An operation that the client cannot do here: it fails with these words. */
  cannot(operation, why, words, work) {
    const refused = async () => {
      const failure = await work().then(() => null, (error) => error);
      if (!failure) throw new Error(`it works now, and is said not to: ${why}`);
      if (!words.test(String(failure))) throw failure;
    };
    return this.#run(operation, refused, { outcome: 'cannot', note: why });
  }

  async #run(operation, work, result) {
    try {
      await within(Promise.resolve().then(work), operation);
      say({ operation, ...result });
    } catch (error) {
      this.failed += 1;
      say({ operation, outcome: 'failed', note: String(error?.stack ?? error) });
    }
  }

  /** Ends the process. */
  end() {
    process.exit(this.failed ? 1 : 0);
  }
}

/** Throws unless the two are equal as JSON. */
export function same(found, expected, what) {
  const text = (value) => JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? v.toString() : v));
  if (text(found) !== text(expected)) throw new Error(`${what}: found ${text(found)}, expected ${text(expected)}`);
}

/** Throws unless this holds. */
export function hold(condition, what) {
  if (!condition) throw new Error(what);
}
