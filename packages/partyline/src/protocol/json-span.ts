/**
 * The source text of one member of a JSON object. `JSON.parse` would lose it: 1.0 becomes 1, and numbers beyond
 * 2^53 become others; a message is kept as the bytes that came.
 *
 * @param json An object's text that `JSON.parse` has accepted: nothing is checked again here.
 * @returns The last member of that name, as `JSON.parse` has it; `undefined` where there is none.
 */
export function memberText(json: string, name: string): string | undefined {
  let found: string | undefined;
  let at = skipSpace(json, json.indexOf("{") + 1);
  while (json[at] === '"') {
    const keyEnd = skipString(json, at);
    const key = json.slice(at, keyEnd);
    const start = skipSpace(json, skipSpace(json, keyEnd) + 1);
    const end = skipValue(json, start);
    if (key === `"${name}"` || (key.includes("\\") && JSON.parse(key) === name))
      found = json.slice(start, end);
    at = skipSpace(json, skipSpace(json, end) + 1);
  }
  return found;
}

/**
 * The source texts of the elements of a JSON array.
 *
 * @param json text of an array that `JSON.parse` has accepted
 */
export function elementTexts(json: string): string[] {
  const texts: string[] = [];
  let at = skipSpace(json, json.indexOf("[") + 1);
  while (at < json.length && json[at] !== "]") {
    const end = skipValue(json, at);
    texts.push(json.slice(at, end));
    at = skipSpace(json, skipSpace(json, end) + 1);
  }
  return texts;
}

function skipSpace(json: string, at: number): number {
  while (json[at] === " " || json[at] === "\t" || json[at] === "\n" || json[at] === "\r") at++;
  return at;
}

function skipString(json: string, at: number): number {
  for (let end = json.indexOf('"', at + 1); ; end = json.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (json[end - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return end + 1;
  }
}

function skipValue(json: string, at: number): number {
  const first = json[at];
  if (first === '"') return skipString(json, at);
  if (first !== "{" && first !== "[") {
    const literal = /[^\s,}\]]+/y;
    literal.lastIndex = at;
    literal.test(json);
    return literal.lastIndex;
  }
  // Only the depth counts; strings are jumped over, because they may hold brackets.
  const token = /["[\]{}]/g;
  token.lastIndex = at;
  let depth = 0;
  do {
    const match = token.exec(json);
    if (!match) return json.length;
    if (match[0] === '"') token.lastIndex = skipString(json, match.index);
    else depth += match[0] === "{" || match[0] === "[" ? 1 : -1;
  } while (depth > 0);
  return token.lastIndex;
}
