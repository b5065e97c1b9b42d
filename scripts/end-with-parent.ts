/** Interval between two looks at the parent process, in milliseconds. */
const LOOK_MS = 250;

/**
 * Sends this process SIGTERM when the process that started it has ended. `npm run` starts a script through a shell, and a
 * SIGTERM for npm ends npm and the shell only.
 */
export function endWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, "SIGTERM");
  }, LOOK_MS).unref();
}
