/** The name of a value's brand, as `Map`, `ArrayBuffer` or `Undefined`. It is the same in every realm. */
const brandOf = (data: unknown): string => Object.prototype.toString.call(data).slice(8, -1);

/** Brands of values that have the JSON form of what they hold. */
const JSON_BRANDS = /^(Object|Array|String|Number|Boolean|Null)$/;

/**
 * Gives the bytes of a buffer or of a view of one; `undefined` for any other value. A buffer of another realm (a frame, a
 * worker, a `vm` context) counts: `instanceof` would know the classes of its own realm only.
 *
 * @throws TypeError if the buffer was detached.
 */
export function bytesOf(data: unknown): Uint8Array | undefined {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  // Any object can have the name of a buffer; a `DataView` is made for a buffer only.
  return brandOf(data).endsWith("ArrayBuffer") ? bytesOf(new DataView(data as ArrayBuffer)) : undefined;
}

/**
 * Gives the JSON text of a value.
 *
 * @throws TypeError if the value has no JSON form (`undefined`, `BigInt`, a cycle), or a form that leaves its content out
 * (`{}` for a `Map`, `null` for `NaN`); RangeError if it is nested too deep; whatever a `toJSON` throws.
 */
export function jsonOf(data: unknown): string {
  const json = JSON.stringify(data) as string | undefined;
  const { constructor, toJSON } = Object(data) as {
    readonly constructor?: { name?: string };
    toJSON?: unknown;
  };
  // An object without fields that JSON sees is empty, or of a class whose fields are private.
  const brand = json === "{}" ? (constructor?.name ?? "Object") : brandOf(data);
  if (!json || (json === "null" && data !== null) || (!toJSON && !JSON_BRANDS.test(brand)))
    throw new TypeError(`A ${brand} is no JSON.`);
  return json;
}
