// polkadot-api wants Node.js 22, which has a WebSocket; older ones are given one.
import WebSocket from 'ws';

globalThis.WebSocket ??= WebSocket;
