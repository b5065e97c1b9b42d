/**
 * The CRC-32 of a stream whose pieces are shared: of a piece that is sent to thousands it is computed once, and each
 * stream carries its own over it in the time of a few array reads, without a look at the bytes.
 *
 * A CRC is a polynomial over GF(2), modulo one of degree 32; its bits are kept in reverse, the term of x^0 on top.
 * `n` bytes that follow multiply it by x^8n, which is linear: the product is the sum of those of its bits.
 */
const POLYNOMIAL = 0xedb88320 | 0;

const timesX = (a: number): number => (a >>> 1) ^ (POLYNOMIAL & -(a & 1));

function product(a: number, b: number): number {
  let sum = 0;
  for (let bit = 31; bit >= 0; bit--) {
    if ((a >>> bit) & 1) sum ^= b;
    b = timesX(b);
  }
  return sum;
}

/** x^8, x^16, x^32 and so on: what 1, 2, 4 bytes multiply by. */
const POWERS = new Int32Array(32);
POWERS[0] = 1 << 23;
for (let index = 1; index < POWERS.length; index++) {
  const power = POWERS[index - 1] ?? 0;
  POWERS[index] = product(power, power);
}

/** What carries a CRC over a piece of so many bytes: for each of its eight nibbles the product of each value. */
export function createCarry(length: number): Int32Array {
  let factor = 1 << 31;
  for (let index = 0; length >> index > 0; index++)
    if ((length >> index) & 1) factor = product(POWERS[index] ?? 0, factor);
  const table = new Int32Array(8 * 16);
  for (let bit = 31; bit >= 0; bit--) {
    const first = (bit >> 2) * 16;
    const mask = 1 << (bit & 3);
    for (let nibble = mask; nibble < 16; nibble++)
      if (nibble & mask) table[first + nibble] = (table[first + nibble] ?? 0) ^ factor;
    factor = timesX(factor);
  }
  return table;
}

/** The CRC of a stream behind a piece whose own CRC is 0; both are signed, which keeps them small integers. */
export function carryOver(carry: Int32Array, crc: number): number {
  let sum = 0;
  for (let nibble = 0; nibble < 8; nibble++) sum ^= carry[nibble * 16 + ((crc >>> (nibble * 4)) & 15)] ?? 0;
  return sum;
}
