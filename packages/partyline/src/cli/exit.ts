/** What the program ends with; `partyline --help` lists them. */
export const EXIT = Object.freeze({
  ok: 0,
  /** The server refused something, could not be reached, or a file could not be read. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** SIGINT. */
  interrupted: 130,
  /** SIGTERM. */
  terminated: 143,
});

/** What ends the program early: told to the user in one or two lines, without a stack. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: number;
  /** What to do about it. */
  readonly remedy: string | undefined;

  constructor(message: string, remedy?: string, exitCode: number = EXIT.failed, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.exitCode = exitCode;
    this.remedy = remedy;
  }
}

/** The error of a system call, by its code. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === "string" ? code : systemCode(error.cause);
}
