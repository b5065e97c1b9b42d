/** The seeds that every run of the tests plays. Many in memory, where they cost little; some with real processes. */
export const MEMORY_SEEDS = { from: 1, count: 100 } as const;
export const PROCESS_SEEDS = { from: 1, count: 6 } as const;
/** The seeds by which a mutant must not be found without its kind of trouble. `KIND_SEEDS=1000` plays more of them. */
export const KIND_SEEDS = { from: 1, count: Number(process.env["KIND_SEEDS"] ?? 15) } as const;
