/**
 * The functions of a test runner that the suites call. They are handed in, so that a suite runs with Vitest, Jest or
 * `node:test` alike, and none of them becomes a dependency.
 */
export interface TestApi {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: {
    (name: string, body: () => void | Promise<void>): unknown;
    /** Names a test that can't be run here. */
    readonly skip: (name: string) => unknown;
  };
}
