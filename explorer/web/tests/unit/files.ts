import { readFileSync } from "node:fs";
import { resolve } from "node:path";

/** A file by its path from the repository's root; the tests run in explorer/web. */
export function file(path: string): Buffer {
  return readFileSync(resolve(process.cwd(), "../..", path));
}
