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

/** Registered names of a system with several threads, and how long a name may be there (as an atom of Erlang). */
export const NAMES_MAX = 65_536;
export const NAME_LENGTH_MAX = 255;

/** Processes of one thread of several, and how many of them other threads may have spawned there. */
export const PROCESSES_MAX = 2_097_152;
export const RESERVED_PROCESSES_MAX = 262_144;

/** The same of a thread that was started for one process. */
export const ISOLATED_PROCESSES_MAX = 65_536;
export const ISOLATED_RESERVED_PROCESSES_MAX = 4_096;

/** Worker threads of all groups of a system. */
export const THREADS_AT_ONCE_MAX = 256;

/** How long a worker thread may not yield before it is terminated. */
export const STALL_MS = 5_000;

/** How long a thread may take for the code at the top of a module, if `stallMs` is not longer. */
export const STALL_IMPORT_MS = 30_000;

/** How long a thread may be in one round before new processes are put elsewhere, and a spare helps out. */
export const THREAD_BUSY_MS = 50;

/** How often a thread is looked at, and how often one that does not move. */
export const STALL_LOOK_MS = 40;
export const STALL_SUSPECT_LOOK_MS = 5;

/** How long all threads must have waited before they may rest, and how often threads that rest are looked at. */
export const STALL_QUIET_MS = 1_000;
export const STALL_REST_LOOK_MS = 500;

/**
 * How long a thread that ends before it runs is not started again: the first time, and at most; twice as long each
 * time.
 */
export const THREAD_RESTART_DELAY_MS = 100;
export const THREAD_RESTART_DELAY_MAX_MS = 30_000;

/** How long after the start of a system its spare threads are started. */
export const SPARE_DELAY_MS = 1_000;

/**
 * How long after one has taken the place of another the next spare is started: those that were started anew there, and
 * answer, come first.
 */
export const SPARE_AGAIN_MS = 250;

/** Modules that the spare of a group imports ahead: those that its threads imported first. */
export const SPARE_MODULES_MAX = 1_024;

/** How long a worker thread may take to end when the system stops. */
export const THREAD_STOP_MS = 1_000;

/** Threads that a system may start one after the other while it runs. */
export const THREADS_MAX = 65_536;

/** Exited processes of which a thread remembers why, for what is on its way to them from other threads. */
export const DEPARTED_MAX = 1_024;

/** How far the refs of two threads are apart: refs of one system must not meet. */
export const REFS_PER_THREAD: number = 2 ** 37;

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

/** How deeply a message to another thread may be nested. */
export const CROSSING_DEPTH_MAX = 256;

/** The largest message to another thread, in bytes as its parts are counted before it is encoded. */
export const CROSSING_BYTES_MAX: number = 256 * 1_024 * 1_024;

/** Buffers of at least this size are copied beside the message, not encoded within it. */
export const CROSSING_BESIDE_BYTES: number = 32 * 1_024;

/** Objects with more keys than this cross as pairs, not as records whose keys both threads keep. */
export const CROSSING_RECORD_KEYS = 64;

/** Bytes of the ring between two threads, for each direction; a power of two. */
export const CHANNEL_RING_BYTES: number = 1_024 * 1_024;

/** A batch of a channel ends with the frame that brings it to so many, or to so many bytes with its buffers. */
export const CHANNEL_BATCH_FRAMES = 256;
export const CHANNEL_BATCH_BYTES: number = 512 * 1_024;

/** Bytes after which a reader that sleeps is woken within a turn, not at its end. */
export const CHANNEL_BELL_BYTES: number = 16 * 1_024;

/** Bytes that may wait for a channel before it asks its senders to wait, and down to which it lets them go on. */
export const CHANNEL_HIGH_WATER_BYTES: number = 1_024 * 1_024;
export const CHANNEL_LOW_WATER_BYTES: number = 256 * 1_024;

/** Bytes that may wait for a channel at all, but for what may not be refused. */
export const CHANNEL_PENDING_BYTES_MAX: number = 64 * 1_024 * 1_024;

/** Bytes that may be on their way beside the ring; one larger batch goes when nothing else is. */
export const CHANNEL_OUTSIDE_BYTES_MAX: number = 8 * 1_024 * 1_024;

/** How long, in microseconds, a channel looks for more after the last frame, before it sleeps until a bell rings. */
export const CHANNEL_SPIN_US = 50;

/** Frames that a channel hands over before timers and sockets of its thread have their turn, and the longest time. */
export const CHANNEL_FRAMES_PER_LOOP = 1_024;
export const CHANNEL_LOOP_MS = 1;

/** Delays whose timers share one timer of the clock; those of further delays have one each. */
export const TIMER_QUEUES_MAX = 64;
