// Each attack that Linkup has to withstand, tried for real: a line each, exit code 0 only when all are withstood.
//   npm run test:attacks [-- VITEST'S ARGUMENTS, such as a file's name or -t PART OF AN ATTACK'S NAME]
import { runLines } from "./vitest-lines.mjs";

process.exitCode = runLines("test/attacks/vitest.config.mts", process.argv.slice(2));
