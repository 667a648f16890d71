/** The Huffman code of HPACK (RFC 7541, Appendix B), decoded four bits at a time. */

/** Bits of each octet's code, and of the end's (256). The code is canonical, so that nothing more is needed. */
// biome-ignore format: 16 in a row
const LENGTHS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];
const END = 256;

/** Of a step: the next state, and the octet that it completes, if any. No code has less than 5 bits, so there is at most one. */
const STATE = 0xff;
const OCTET_AT = 8;
const EMITS = 1 << 16;
const INVALID = 1 << 17;

/** 16 steps for each state, one for each value of the next four bits. */
const STEPS = new Int32Array(256 * 16);
/** 1 for the states in which a text may end: behind at most 7 bits of padding, all of them set. */
const ENDS = new Uint8Array(256);
build();

function build(): void {
  // The tree of the code: of each inner node both children, an inner node or ~ the octet of a leaf.
  const children: [number, number][] = [[0, 0]];
  for (const [octet, code, length] of codes()) {
    let node = 0;
    for (let bit = length - 1; bit > 0; bit--) {
      const side = (code >> bit) & 1;
      if (children[node]![side] === 0) children[node]![side] = children.push([0, 0]) - 1;
      node = children[node]![side]!;
    }
    children[node]![code & 1] = ~octet;
  }
  for (let state = 0; state < children.length; state++)
    for (let bits = 0; bits < 16; bits++) {
      let node = state;
      let step = 0;
      for (let bit = 3; bit >= 0; bit--) {
        node = children[node]![(bits >> bit) & 1]!;
        if (node >= 0) continue;
        step = ~node === END ? INVALID : EMITS | (~node << OCTET_AT);
        node = 0;
      }
      STEPS[state * 16 + bits] = step | node;
    }
  for (let bits = 0, node = 0; bits < 8; bits++, node = children[node]![1]) ENDS[node] = 1;
}

/** Octet, code and its length in bits, in the order of the code: shorter ones first, then by octet. */
function* codes(): Generator<[number, number, number]> {
  let code = 0;
  for (let length = 1; length <= 30; length++, code <<= 1)
    for (let octet = 0; octet <= END; octet++) if (LENGTHS[octet] === length) yield [octet, code++, length];
}

/** The most bytes that `encoded` bytes can decode to. */
export function decodedLength(encoded: number): number {
  return Math.ceil((encoded * 8) / 5);
}

/** Decodes these bytes into `to`. Returns how many they make; -1 when they are malformed. */
export function decodeHuffman(from: Uint8Array, start: number, end: number, to: Uint8Array): number {
  let step = 0;
  let seen = 0;
  let length = 0;
  for (let at = start; at < end; at++) {
    const byte = from[at]!;
    step = STEPS[((step & STATE) << 4) | (byte >> 4)]!;
    seen |= step;
    if ((step & EMITS) !== 0) to[length++] = step >> OCTET_AT;
    step = STEPS[((step & STATE) << 4) | (byte & 15)]!;
    seen |= step;
    if ((step & EMITS) !== 0) to[length++] = step >> OCTET_AT;
  }
  return (seen & INVALID) === 0 && ENDS[step & STATE] === 1 ? length : -1;
}
