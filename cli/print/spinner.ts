/** A spinner on stderr, on terminals only, and never with NO_COLOR. */
const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FRAME_MS = 80;

/** Shows what the command waits for, and removes it afterwards. */
export async function spin<T>(what: string, work: Promise<T>): Promise<T> {
  if (!process.stderr.isTTY || process.env.NO_COLOR) return work;
  let frame = 0;
  const timer = setInterval(() => {
    process.stderr.write(`\r${FRAMES[frame++ % FRAMES.length]} ${what}…`);
  }, FRAME_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    process.stderr.write("\r\x1b[2K");
  }
}
