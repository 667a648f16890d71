/** HTTP/1 messages that are changed at random, for tests that hold a parser of ours against another one. */
import { randomNumbers } from "./random-numbers.ts";

/**
 * As many cases, of these messages in turn, each changed in up to three places: `pieces` are put in, bytes are removed, replaced or
 * cut off, lines come twice or make way. `upTo`: a whole number below its limit, from the same row of random numbers.
 */
export function* mutatedMessages(
  seed: number,
  cases: number,
  messages: readonly string[],
  pieces: readonly string[],
): Generator<{ text: string; upTo: (limit: number) => number }> {
  const random = randomNumbers(seed);
  const upTo = (limit: number) => Math.floor(random() * limit);
  for (let n = 0; n < cases; n++) {
    let text = messages[n % messages.length]!;
    for (let mutations = upTo(4); mutations > 0; mutations--) {
      const at = upTo(text.length + 1);
      const piece = pieces[upTo(pieces.length)]!;
      const kind = upTo(6);
      if (kind === 0) text = text.slice(0, at) + piece + text.slice(at);
      else if (kind === 1) text = text.slice(0, at) + text.slice(at + 1 + upTo(3));
      else if (kind === 2) text = text.slice(0, at) + String.fromCharCode(upTo(256)) + text.slice(at + 1);
      else if (kind === 3) text = text.slice(0, at);
      else {
        const lines = text.split("\r\n");
        const line = kind === 4 ? piece.trimEnd() : lines[upTo(lines.length)]!;
        lines.splice(upTo(lines.length), 0, line);
        text = lines.join("\r\n");
      }
    }
    yield { text, upTo };
  }
}

/** Every byte of it to be seen: a terminal shows nothing for 0x80 to 0x9f. */
export function visible(text: string): string {
  return JSON.stringify(text).replaceAll(/[\x7f-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`);
}
