/** Every bound and default of the kernel. Times in milliseconds. */

/** How long `call` waits for a reply (gen_server:call/2). */
export const CALL_TIMEOUT_MS = 5_000;

/** How long a supervisor waits for a worker to end before it kills it (supervisor, child specification). */
export const WORKER_SHUTDOWN_MS = 5_000;

/** Restarts within `RESTART_PERIOD_MS` that a supervisor tolerates (supervisor flags: intensity 1, period 5 s). */
export const RESTART_INTENSITY = 1;
export const RESTART_PERIOD_MS = 5_000;

/** Messages one process handles before the next runnable process has its turn. */
export const MESSAGES_PER_TURN = 16;

/** Messages that all processes together handle before timers and sockets of the host have their turn. */
export const MESSAGES_PER_LOOP = 1_024;

/**
 * Longest that processes run, whatever the count of messages, before timers and sockets of the host have their turn.
 */
export const LOOP_MS = 1;

/** How many messages lie between two looks at the clock. */
export const CLOCK_CHECK_MESSAGES = 16;

/**
 * How long a supervisor waits for a process that has the name of its child and was told to go by a dead parent; then it
 * is killed.
 */
export const ORPHAN_WAIT_MS = 10_000;

/** Events that `sys.log` keeps unless told otherwise (sys:log/2). */
export const SYS_LOG_SIZE = 10;

/** The longest delay a timer of the host takes (2^31 - 1 ms, 24.8 days). */
export const TIMER_MAX_MS = 2_147_483_647;

/** Rows that an `ordered_set` keeps side by side: a lookup searches two short lists, an insertion moves these. */
export const TABLE_BLOCK_ROWS = 512;

/** How deeply the key of an `ordered_set` may be nested. */
export const TERM_DEPTH_MAX = 32;

/** How long `task.await` and `task.yield` wait for a task (Task.await/2, Task.yield/2). */
export const TASK_AWAIT_MS = 5_000;

/** How long `task.shutdown` waits for a task to end before it kills it (Task.shutdown/2). */
export const TASK_SHUTDOWN_MS = 5_000;

/** How long each task of an `asyncStream` may take (Task.async_stream/3). */
export const TASK_STREAM_MS = 5_000;

/** Outcomes that an ordered `asyncStream` keeps for an earlier task; at that number it starts no more tasks. */
export const TASK_STREAM_KEPT = 1_024;

/** Jobs that may wait in a compute pool; one more is refused. */
export const COMPUTE_QUEUE_MAX = 1_024;

/** Megabytes of heap that a thread of a compute pool may have; its job ends with it then. */
export const COMPUTE_HEAP_MB = 512;

/** How long a thread of a compute pool stays without a job. */
export const COMPUTE_IDLE_MS = 60_000;
