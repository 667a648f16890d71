const vscode = require("vscode");

const TEXT = `linkup:
  worker_url: https://linkup.example.com
services:
  - name: web
    remote: https://web.example.com
    local: http://localhost:3000
domains:
  - domain: example.com
    default_service: wbe
`;
const { File, Directory } = vscode.FileType;
const none = new vscode.Disposable(() => {});

exports.activate = (context) => {
  let content = new TextEncoder().encode(TEXT);
  const changed = new vscode.EventEmitter();
  const times = () => ({ ctime: 0, mtime: 0 });
  const provider = {
    onDidChangeFile: changed.event,
    watch: () => none,
    stat: (uri) => {
      if (uri.path === "/shop" || uri.path === "/") return { type: Directory, size: 0, ...times() };
      if (uri.path === "/shop/linkup.yaml") return { type: File, size: content.length, ...times() };
      throw vscode.FileSystemError.FileNotFound(uri);
    },
    readDirectory: (uri) => (uri.path === "/shop" ? [["linkup.yaml", File]] : [["shop", Directory]]),
    readFile: (uri) => {
      if (uri.path === "/shop/linkup.yaml") return content;
      throw vscode.FileSystemError.FileNotFound(uri);
    },
    writeFile: (uri, written) => {
      if (uri.path !== "/shop/linkup.yaml") throw vscode.FileSystemError.NoPermissions(uri);
      content = written;
      changed.fire([{ type: vscode.FileChangeType.Changed, uri }]);
    },
    createDirectory: (uri) => {
      throw vscode.FileSystemError.NoPermissions(uri);
    },
    delete: (uri) => {
      throw vscode.FileSystemError.NoPermissions(uri);
    },
    rename: (uri) => {
      throw vscode.FileSystemError.NoPermissions(uri);
    },
  };
  context.subscriptions.push(changed, vscode.workspace.registerFileSystemProvider("memory", provider));
};
