/// <reference types="vite/client" />

/** Genesis hash that this page was built for; empty: the reader's browser pins the first it sees. */
declare const __GENESIS__: string;

declare module "*.wasm?url" {
  const url: string;
  export default url;
}
