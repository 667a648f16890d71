/** An extension host as far as the manager can tell: a window that starts the session of a file and watches. */
import { Manager } from "../../../manager/manager.ts";

const [dist, configPath] = process.argv.slice(2);
const window = new Manager({
  home: process.env.LINKUP_HOME!,
  dist: dist!,
  version: "0.0.0",
  env: process.env,
  user: { id: `window-${process.pid}`, keep: false },
  log: () => {},
});
window.watch();
try {
  const { name } = await window.start({ configPath: configPath! });
  console.log(`running ${name}`);
} catch (error) {
  console.log(`failed ${(error as Error).message}`);
}
