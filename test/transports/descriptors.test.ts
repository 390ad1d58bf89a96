import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { DescriptorGauge } from '../../transports/descriptors.ts';
import { DESCRIPTORS_RESERVED } from '../../transports/limits.ts';
import { LineClient } from './tcp/client.ts';

test('descriptors are enough until those reserved are reached, and exhausted when half of these are gone', () => {
  const gauge = new DescriptorGauge(20_000);
  assert.equal(gauge.read(20_000 - DESCRIPTORS_RESERVED - 1), 'enough');
  assert.equal(gauge.read(20_000 - DESCRIPTORS_RESERVED), 'scarce');
  assert.equal(gauge.read(20_000 - DESCRIPTORS_RESERVED / 2 - 1), 'scarce');
  assert.equal(gauge.read(20_000 - DESCRIPTORS_RESERVED / 2), 'exhausted');
  assert.equal(gauge.read(undefined), 'enough');
  assert.equal(new DescriptorGauge(Number.POSITIVE_INFINITY).read(1e6), 'enough');
});

test('of few descriptors at least three quarters are for connections, and some are left', () => {
  const levels = ['enough', 'scarce', 'exhausted'];
  fc.assert(
    fc.property(fc.integer({ min: 16, max: 100_000 }), (limit) => {
      const gauge = new DescriptorGauge(limit);
      const read = Array.from({ length: Math.min(limit, 1_000) }, (_, n) => levels.indexOf(gauge.read(limit - 1 - n)));
      assert.deepEqual(read, [...read].sort().reverse());
      assert.equal(gauge.read(Math.floor(limit * 0.75) - 1), 'enough');
      assert.equal(gauge.read(limit - 1), 'exhausted');
    }),
  );
});

/** `/proc` tells the limit; elsewhere nobody is turned away before it is reached. */
const skip = process.platform === 'linux' ? false : 'the limit cannot be read here';

test('at the descriptor limit clients are turned away, and others served', { skip }, async (t) => {
  const program = fileURLToPath(new URL('./descriptor-child.js', import.meta.url));
  const shell = spawn('sh', ['-c', `ulimit -n 128 && exec "$0" "$1"`, process.execPath, program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const sockets: net.Socket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    shell.kill('SIGKILL');
  });
  const [line] = (await once(createInterface({ input: shell.stdout }), 'line')) as [string];
  const { port } = JSON.parse(line);
  const connect = async (): Promise<LineClient> => {
    const socket = net.connect(port, '127.0.0.1');
    sockets.push(socket);
    await once(socket, 'connect');
    return new LineClient(socket);
  };
  /** `'served'`, why it was turned away, or `'closed'` without a word. */
  const fate = async (client: LineClient): Promise<string> => {
    const served = client.request({ id: 1, method: 'echo' }).then(() => 'served');
    const told = client.other().then(({ error }) => error.data.reason as string);
    return Promise.any([served, told]).catch(() => 'closed');
  };
  // Far more than there are descriptors, all at one time.
  const clients = await Promise.all(Array.from({ length: 300 }, connect));
  const fates = await Promise.all(clients.map(fate));
  const served = clients.filter((_, n) => fates[n] === 'served');
  assert.ok(served.length > 40 && served.length < 128, `${served.length} of 300 were served`);
  assert.ok(fates.includes('out_of_descriptors'), 'nobody was told why');
  // Who is there is served on, and when some have gone others get in.
  for (const client of served) assert.equal((await client.request({ id: 2, method: 'echo', params: 2 }))[0].result, 2);
  for (const client of served.slice(0, 20)) client.leave();
  for (let late = 'closed'; late !== 'served'; ) late = await fate(await connect());
  shell.stdin.end();
  for (const client of served.slice(20)) await client.closed;
  assert.deepEqual(await once(shell, 'exit'), [0, null]);
});
