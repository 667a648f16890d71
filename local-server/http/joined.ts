/** How much of a memory is taken, for those that `joined` has made. */
const taken = new WeakMap<ArrayBufferLike, number>();
/** Room behind what is joined, at most. */
const MAX_ROOM = 65_536;

/** `bytes` with `chunk` behind them, in a memory with room for more: what comes byte by byte is not copied anew with each. */
export function joined(bytes: Buffer, chunk: Buffer): Buffer {
  const { buffer, byteOffset } = bytes;
  const end = byteOffset + bytes.length;
  const length = bytes.length + chunk.length;
  if (taken.get(buffer) === end && byteOffset + length <= buffer.byteLength) {
    taken.set(buffer, byteOffset + length);
    const whole = Buffer.from(buffer, byteOffset, length);
    chunk.copy(whole, bytes.length);
    return whole;
  }
  const whole = Buffer.allocUnsafeSlow(length + Math.min(length, MAX_ROOM));
  bytes.copy(whole);
  chunk.copy(whole, bytes.length);
  taken.set(whole.buffer, length);
  return whole.subarray(0, length);
}
