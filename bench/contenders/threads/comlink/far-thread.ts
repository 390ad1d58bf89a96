/** Adds up, as the server of the others does. */
import { parentPort } from 'node:worker_threads';
import { loadPeer } from '../../../peers.ts';
import { type Comlink, type NodeAdapter, packages } from './packages.ts';

const [comlink, { default: nodeEndpoint }] = await Promise.all([
  loadPeer<Comlink>(packages.comlink),
  loadPeer<NodeAdapter>(packages.adapter),
]);
let sum = 0;
const add = (n: number): number => {
  sum += n;
  return sum;
};
comlink.expose({ add }, nodeEndpoint(parentPort));
parentPort?.postMessage('ready');
