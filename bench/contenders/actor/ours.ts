/** The workload `actor` on beamish, through its public surface. */
import { answerQuestions } from '../../contender-program.ts';
import { drained, flood, openEcho } from './ours/fairness.ts';
import { idleProcesses, idleServers } from './ours/idle.ts';
import { spawnAndExit, spawnMonitor } from './ours/lifecycles.ts';
import { AsyncPlayer, call, cast, Player, pingPong } from './ours/messages.ts';
import { restart, restartStorm, startChildren } from './ours/supervision.ts';

await answerQuestions(
  new Map([
    ['call', call('add')],
    ['call_async', call('addLater')],
    ['cast', cast],
    ['ping_pong', pingPong(Player)],
    ['ping_pong_async', pingPong(AsyncPlayer)],
    ['spawn_exit', spawnAndExit],
    ['spawn_monitor', spawnMonitor],
    ['start_child', startChildren],
    ['restart', restart],
    ['restart_storm', restartStorm],
    ['idle_processes', idleProcesses],
    ['idle_servers', idleServers],
    ['open_echo', openEcho],
    ['flood', flood],
    ['drained', drained],
  ]),
);
