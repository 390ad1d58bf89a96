/**
 * Deliberate faults of supervision, as replacements in the built runtime. Each must be seen by a scenario, or by the
 * unit test that it names because no scenario can see it.
 */

export interface Mutant {
  /** What is wrong then. */
  readonly fault: string;
  /** The built file. */
  readonly file: string;
  /** Must occur there exactly once. */
  readonly from: string;
  readonly to: string;
  /** A test of `test/runtime/` that sees it. */
  readonly test?: { readonly file: string; readonly name: string };
}

const restart = 'runtime/supervisor/restart.js';
const fixed = 'runtime/supervisor/static-children.js';
const dynamic = 'runtime/supervisor/dynamic-children.js';
const server = 'runtime/supervisor/supervisor-server.js';
const stopping = 'runtime/supervisor/child-shutdown.js';

export const mutants: readonly Mutant[] = [
  {
    fault: 'one restart more than the intensity is allowed',
    file: restart,
    from: 'this.intensity = intensity;',
    to: 'this.intensity = intensity + 1;',
  },
  {
    fault: 'restarts of an earlier period count for ever',
    file: restart,
    from: 'return oldest < nowMs - this.periodMs;',
    to: 'return false;',
  },
  {
    fault: 'a restart exactly one period ago is forgotten',
    file: restart,
    from: 'return oldest < nowMs - this.periodMs;',
    to: 'return oldest <= nowMs - this.periodMs;',
    test: { file: 'restart', name: 'intensity 0 allows no restart, and the edge of the period counts' },
  },
  {
    fault: 'a transient child is restarted after shutdown',
    file: restart,
    from: "return restart === 'transient' && !isNormalExit(reason);",
    to: "return restart === 'transient' && (reason === 'shutdown' || !isNormalExit(reason));",
  },
  {
    fault: '{shutdown, X} counts as abnormal',
    file: 'runtime/kernel/exit.js',
    from: "return reason === 'normal' || reason === 'shutdown' || isShutdownTuple(reason);",
    to: "return reason === 'normal' || reason === 'shutdown';",
  },
  {
    fault: 'one_for_all restarts as rest_for_one',
    file: restart,
    from: "return strategy === 'one_for_all' ? 0 : index;",
    to: 'return index;',
  },
  {
    fault: 'rest_for_one restarts one child only',
    file: fixed,
    from: "if (this.strategy === 'one_for_one') {",
    to: "if (this.strategy !== 'one_for_all') {",
  },
  {
    fault: 'any child ends its supervisor as a significant one would',
    file: fixed,
    from: "if (this.autoShutdown === 'never' || !spec.significant)",
    to: "if (this.autoShutdown === 'never')",
  },
  {
    fault: 'significance is ignored',
    file: fixed,
    from: "return this.autoShutdownAfter(spec) ? 'shutdown' : 'continue';",
    to: "return 'continue';",
  },
  {
    fault: 'significance of dynamic children is ignored',
    file: dynamic,
    from: "return this.autoShutdownNow() ? 'shutdown' : 'continue';",
    to: "return 'continue';",
  },
  {
    fault: 'all_significant is any_significant',
    file: fixed,
    from: "if (this.autoShutdown === 'any_significant')",
    to: "if (this.autoShutdown !== 'never')",
  },
  {
    fault: 'brutal_kill asks first, as shutdown does',
    file: stopping,
    from: "ctx.exitProcess(pid, shutdown === 'brutal_kill' ? 'kill' : 'shutdown');",
    to: "ctx.exitProcess(pid, 'shutdown');",
  },
  {
    fault: 'temporary children are kept in a group restart',
    file: fixed,
    from: `            }
            this.forget(child);`,
    to: `            }
            this.setPid(child, undefined);`,
  },
  {
    fault: 'children are stopped in start order',
    file: fixed,
    from: 'for (const child of [...children].reverse()) {',
    to: 'for (const child of children) {',
  },
  {
    fault: 'a failed init leaves the children that had started to their links',
    file: fixed,
    from: 'await this.stopAll();',
    to: 'await undefined;',
  },
  {
    fault: 'a shutdown time that has run out kills nobody',
    file: stopping,
    from: `if (down === 'timeout') {
        ctx.exitProcess(pid, 'kill');`,
    to: `if (down === 'timeout') {`,
  },
  {
    fault: 'a shutdown time of dynamic children that has run out kills nobody',
    file: stopping,
    from: `if (down === 'timeout') {
            exitAll('kill');`,
    to: `if (down === 'timeout') {`,
  },
  {
    fault: 'a failed restart is not tried again',
    file: server,
    from: "ctx.cast(ctx.self, 'tryAgainRestart', outcome.retry);",
    to: '',
  },
  {
    fault: 'the retry of a failed restart does not count',
    file: fixed,
    from: 'if (!this.allowRestart(thread)) {',
    to: "if (pid !== 'restarting' && !this.allowRestart(thread)) {",
  },
  {
    fault: 'restart_child counts as a restart',
    file: fixed,
    from: `        const result = await this.launch(child);
        return result === 'ignore' ? { ok: undefined } : result;`,
    to: `        this.allowRestart();
        const result = await this.launch(child);
        return result === 'ignore' ? { ok: undefined } : result;`,
  },
  {
    fault: 'delete_child forgets a child that is to be restarted',
    file: fixed,
    from: `            return { error: 'restarting' };
        if (child.pid !== undefined)
            return { error: 'running' };
        this.children.delete(id);`,
    to: `            return this.children.delete(id) && 'ok';
        if (child.pid !== undefined)
            return { error: 'running' };
        this.children.delete(id);`,
  },
  {
    fault: 'a child that was terminated is restarted all the same',
    file: fixed,
    from: "return child?.pid === 'restarting' ? this.restart(child, null) : 'continue';",
    to: "return child !== undefined ? this.restart(child, null) : 'continue';",
  },
  {
    fault: 'a dynamic child that was terminated is restarted all the same',
    file: dynamic,
    from: `        this.children.delete(pid);
        return 'ok';`,
    to: "        return 'ok';",
  },
  {
    fault: 'start_child keeps the specification of a child that did not start',
    file: fixed,
    from: `        if ('error' in result)
            return { error: result.error, child: spec };
        this.children.set(spec.id, child);`,
    to: `        this.children.set(spec.id, child);
        if ('error' in result)
            return { error: result.error, child: spec };`,
  },
  {
    fault: 'a group restart leaves alone what did not run',
    file: fixed,
    from: `await this.stop(all.slice(firstAffected(this.strategy, all.indexOf(child))));
        const kept = [...this.children.values()];`,
    to: `const ran = new Set(all.filter((each) => each === child || each.pid !== undefined));
        await this.stop(all.slice(firstAffected(this.strategy, all.indexOf(child))));
        const kept = [...this.children.values()].filter((each) => ran.has(each));`,
  },
  {
    fault: 'the end of a supervisor that gives up does not stop its dynamic children',
    file: server,
    from: 'terminate: (_reason, children) => children.stopAll(),',
    to: 'terminate: (_reason, children) => (children instanceof DynamicChildren ? undefined : children.stopAll()),',
  },
];
