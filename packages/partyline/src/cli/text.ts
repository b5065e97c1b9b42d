/** Columns to write for: those of the terminal, or `COLUMNS`, or 80. */
export function columnsOf(
  stream: { readonly columns?: number },
  env: Readonly<Record<string, string | undefined>>,
): number {
  const columns = stream.columns ?? Number(env["COLUMNS"] ?? "");
  return Number.isInteger(columns) && columns >= 20 ? Math.min(columns, 100) : 80;
}

/** Breaks at spaces so that no line is longer than `columns`, unless a single word is. */
export function wrap(text: string, columns: number, indent = ""): string {
  return text
    .split("\n")
    .map((paragraph) => {
      const lines = [""];
      for (const word of paragraph.split(" ")) {
        const line = lines.at(-1) ?? "";
        if (line === "") lines[lines.length - 1] = word;
        else if (indent.length + line.length + 1 + word.length <= columns)
          lines[lines.length - 1] = `${line} ${word}`;
        else lines.push(word);
      }
      return lines.map((line) => (line === "" ? "" : indent + line)).join("\n");
    })
    .join("\n");
}

/** 1234567 as `1,234,567`. */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US", { maximumFractionDigits: 0 });
}

/** `1 message`, `2 messages`. */
export function messages(count: number): string {
  return `${formatCount(count)} ${count === 1 ? "message" : "messages"}`;
}

/** A pace, with a digit behind the point where it is slow. */
export function formatPace(perSecond: number): string {
  return `${perSecond < 10 ? perSecond.toFixed(1) : formatCount(perSecond)}/s`;
}

/** `1 h 02 min`, `3 min 05 s`, `12 s`, `0.8 s`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 10_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  const two = (value: number): string => String(value).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${two(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/**
 * Text of others on one line of a terminal: text with control characters is written as a JSON string, because a line end
 * would look like a second message, and a terminal obeys escape sequences.
 */
export function oneLine(text: string): string {
  return CONTROL.test(text) ? escapeControls(JSON.stringify(text)) : text;
}

/** Escapes what JSON lets stand raw in a string, but a terminal may obey: DEL, C1 controls and line separators. */
export function escapeControls(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
