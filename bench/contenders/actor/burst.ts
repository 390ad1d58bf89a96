/** How many messages or processes a contender starts before it waits for them; the same for all. */
export const burst = 1_000;
