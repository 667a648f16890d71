/** One line for each event, with the time: whoever started the server keeps them in a file. */
export function log(message: string): void {
  process.stderr.write(`${new Date().toISOString()} ${message}\n`);
}
