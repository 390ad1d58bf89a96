/** A module that `beamish serve` serves: a server of the official SDK v2, mounted. */

import { mountedServer } from '../../mcp/index.ts';

export default mountedServer('sdk2', {
  module: new URL('./mounted-servers.js', import.meta.url).href,
  exportName: 'createSdk2',
});
