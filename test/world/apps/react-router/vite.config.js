import { reactRouter } from "@react-router/dev/vite";

export default {
  plugins: [reactRouter()],
  cacheDir: ".vite",
  // Where its packages are.
  server: { fs: { allow: ["../.."] } },
};
