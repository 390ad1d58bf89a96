import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadEndpoint } from '../../transports/endpoint.ts';
import { Observer, ProbeEndpoint } from './probe-endpoint.ts';

const spec = new Observer().spec;

test('an endpoint is found by its module and export', async () => {
  assert.equal(await loadEndpoint(spec), ProbeEndpoint);
});

test('what cannot be used is refused, with module, export and problem', async () => {
  const wrong: [change: Partial<typeof spec>, problem: RegExp][] = [
    [
      { module: new URL('./no-such-module.js', spec.module).href },
      /no-such-module\.js cannot be imported: .*ERR_MODULE/,
    ],
    [{ module: 'no-such-package' }, /module no-such-package cannot be imported/],
    [{ exportName: 'Nothing' }, /endpoint 'Nothing' of file:.*: the module has no such export/],
    [{ exportName: 'constructor' }, /has no such export/],
    [{ exportName: '__proto__' }, /has no such export/],
    [{ exportName: 'NoEndpoint' }, /must be an object with a function 'handleInbound'/],
    [{ exportName: 'Observer' }, /must be an object with a function 'init'/],
  ];
  for (const [change, problem] of wrong) {
    await assert.rejects(loadEndpoint({ ...spec, ...change }), { code: 'ERR_ENDPOINT', message: problem });
  }
});
