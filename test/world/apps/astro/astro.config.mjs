export default {
  output: "server",
  devToolbar: { enabled: false },
  vite: { cacheDir: ".vite" },
};
