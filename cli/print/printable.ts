/** Text of somebody else's, as of a linkup.yaml, gives the terminal no orders. The same length, so that columns stay. */
export function printable(text: string): string {
  return text.replace(/(?![\t\n])\p{Cc}/gu, "\ufffd");
}
