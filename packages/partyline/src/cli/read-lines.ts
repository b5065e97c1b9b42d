import { CliError } from "./exit.ts";

/** Maximum length of a line in bytes; a server takes far less. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

const LF = 0x0a;
const CR = 0x0d;

/**
 * Splits a byte stream into lines at LF or CRLF, and nowhere else: U+2028, U+2029 and a lone CR are part of a line. A byte
 * order mark at the start is dropped.
 *
 * @throws CliError if a line is not UTF-8 or is longer than 16 MiB
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  let number = 0;
  let parts: Uint8Array[] = [];
  let length = 0;
  const take = (last: Uint8Array): string => {
    const line = parts.length === 0 ? last : Buffer.concat([...parts, last]);
    parts = [];
    length = 0;
    return decode(line, ++number);
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      yield take(chunk.subarray(start, end));
      start = end + 1;
    }
    const rest = chunk.subarray(start);
    length += rest.length;
    if (length > MAX_LINE_BYTES)
      throw new CliError(
        `Line ${number + 1} is longer than ${MAX_LINE_BYTES} bytes.`,
        "Split the input into lines, one message each.",
      );
    if (rest.length > 0) parts.push(rest);
  }
  if (parts.length > 0) yield take(new Uint8Array());
}

function decode(bytes: Uint8Array, number: number): string {
  const line = bytes.at(-1) === CR ? bytes.subarray(0, -1) : bytes;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: number > 1 }).decode(line);
  } catch (cause) {
    throw new CliError(
      `Line ${number} is not UTF-8.`,
      "Convert the input first, for instance with: iconv -f latin1 -t utf-8",
      undefined,
      cause,
    );
  }
}
