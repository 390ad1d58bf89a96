/** A server under a low `ulimit -n`: tells its port, then lives until its input ends. */
import { startSystem } from '../../runtime/index.ts';
import { tcp, tcpListenerName } from '../../transports/tcp/index.ts';
import { Observer } from './probe-endpoint.ts';

const system = await startSystem({ children: [tcp({ port: 0 }).childSpec(new Observer().spec)] });
const address = await system.call(tcpListenerName(), 'address');
console.log(JSON.stringify(address));
process.stdin.resume().on('end', () => void system.stop());
