/**
 * As much of the Standard Schema interface (standardschema.dev, version 1) as is called here, so that any library
 * that speaks it (zod, valibot, arktype …) validates messages without one being a dependency.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** Outcome of a validation: `issues` where the value does not fit. */
export type StandardResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] };

interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** One line for people: where and why the first few issues are. */
export function describeIssues(issues: readonly StandardIssue[]): string {
  return issues
    .slice(0, 3)
    .map(({ message, path }) => {
      const keys = (path ?? []).map((part) => String(typeof part === "object" ? part.key : part));
      return keys.length === 0 ? message : `${keys.join(".")}: ${message}`;
    })
    .join("; ");
}
