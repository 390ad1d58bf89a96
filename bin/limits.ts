/** Defaults of the command. */
export const DEFAULT_PORT = 3_000;
export const DEFAULT_HOST = '127.0.0.1';
export const PORT_MAX = 65_535;

/** Children of one supervisor that the printed tree shows before it counts the rest. */
export const TREE_CHILDREN_MAX = 8;

/** Exit codes: a wrong command line or module is 2, as for most Unix commands. */
export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;
