// Loaded into a program under test by `--import`: at SIGUSR2 its monotonic clock jumps 6 s forward, as if nothing had happened
// for so long, and it says so on stderr.
let shift = 0;
const now = performance.now.bind(performance);
performance.now = () => now() + shift;
process.on("SIGUSR2", () => {
  shift += 6_000;
  console.error(`clock moved by ${shift} ms`);
});
