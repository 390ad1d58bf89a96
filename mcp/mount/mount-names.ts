import { type Name, name } from '../../runtime/index.ts';
import type { MountProtocol } from './mount.ts';

/** The supervisors of what is mounted. */
export function mountSupOf(node: string): Name {
  return name(`${node}_mount_sup`);
}
export function forwardSupOf(node: string): Name {
  return name(`${node}_forward_sup`);
}

/** The server of a session, or of a stream without one. */
export function mountName(node: string, key: string): Name<MountProtocol> {
  return name(`${node}_mount:${key}`);
}
