/** The seeds that every run of the tests plays. Many in memory, where they cost little; some with real processes. */
export const MEMORY_SEEDS = { from: 1, count: 100 } as const;
export const PROCESS_SEEDS = { from: 1, count: 6 } as const;
