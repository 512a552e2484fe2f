// Runs FILE.wasm under Node.js's engine with as much of WASI as the benchmark programs
// need. Without a file: nothing, which is what starting Node.js costs. Exit status 3: the engine
// refuses the module.
import { readFileSync, writeSync } from "node:fs";

class Exit extends Error {
  constructor(code) {
    super("exit");
    this.code = code;
  }
}

function compile(bytes) {
  try {
    return new WebAssembly.Module(bytes);
  } catch (e) {
    if (!(e instanceof WebAssembly.CompileError)) throw e;
    console.error(e.message);
    process.exit(3);
  }
}

function run(path) {
  let memory;
  const imports = {
    wasi_snapshot_preview1: {
      fd_write(fd, iovs, count, written) {
        const view = new DataView(memory.buffer);
        let total = 0;
        for (let i = 0; i < count; i++) {
          const at = view.getUint32(iovs + 8 * i, true);
          const length = view.getUint32(iovs + 8 * i + 4, true);
          writeSync(1, new Uint8Array(memory.buffer, at, length));
          total += length;
        }
        view.setUint32(written, total, true);
        return 0;
      },
      proc_exit(code) {
        throw new Exit(code);
      },
    },
  };
  const instance = new WebAssembly.Instance(compile(readFileSync(path)), imports);
  memory = instance.exports.memory;
  try {
    instance.exports._start();
  } catch (e) {
    if (!(e instanceof Exit)) throw e;
    process.exitCode = e.code;
  }
}

if (process.argv.length > 2) run(process.argv[2]);
